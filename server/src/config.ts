import { z } from 'zod';

/**
 * Everything the server can be told, checked whole. Secrets stand apart so that a printed
 * configuration holds none.
 */
export type Config = {
  host: string;
  port: number;
  publicUrl: string;
  logLevel: string;
  /** Inner networks in which devices may stand, e.g. `192.168.1.0/24`; all others are refused. */
  vsdcNetworks: string[];
  /**
   * Inner networks in which addresses that are told of receipts may stand; all others are refused.
   */
  hookNetworks: string[];
  /** The platform's own client at Zoho; null: every business brings its own. */
  zohoClientId: string | null;
  /** Accounts servers and API hosts besides Zoho's own. */
  zohoHostsAlso: string[];
  /** Origins besides Zoho's widget hosts from which the panel may call. */
  widgetOriginsAlso: string[];
  trustedProxies: string[];
  databasePoolMax: number;
  /**
   * False behind a transaction pooler that does not know prepared statements (PgBouncer before
   * 1.21).
   */
  preparesStatements: boolean;
  /** Who mails come from. */
  mailFrom: string;
  /** Told of attempts to reach another business's data, as JSON; null: nobody. */
  alertHookUrl: string | null;
};

export type Secrets = {
  databaseUrl: string;
  queueDatabaseUrl: string;
  migrationDatabaseUrl: string;
  masterKey: Buffer;
  previousMasterKey: Buffer | null;
  smtpUrl: string | null;
  /**
   * Of the platform's client, by the end of the accounts server's name (`eu`); `''` is the one for
   * all others.
   */
  zohoClientSecrets: Record<string, string>;
};

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean),
  );
const postgres = z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// address');

/** Where nothing travels over a network: for rehearsals. */
const ownMachine = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const schema = z.object({
  DATABASE_URL: postgres,
  QUEUE_DATABASE_URL: postgres,
  MIGRATION_DATABASE_URL: postgres,
  MUHURI_MASTER_KEY: z
    .string()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(
      (key) => key.length === 32,
      'must be 32 random bytes in base64 (openssl rand -base64 32)',
    ),
  MUHURI_MASTER_KEY_PREVIOUS: z
    .string()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((key) => key.length === 32, 'must be the 32 bytes of the master key before, in base64')
    .optional(),
  MUHURI_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine(
      (url) => url.startsWith('https:') || ownMachine.test(URL.parse(url)?.hostname ?? ''),
      'must be https://, unless it is this machine itself',
    )
    .transform((url) => url.replace(/\/$/, '')),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(8710),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  VSDC_NETWORKS: list.refine(
    (all) => all.every((each) => /^[0-9a-f.:]+\/\d{1,3}$/i.test(each)),
    'must be networks such as 192.168.1.0/24, separated by commas',
  ),
  HOOK_NETWORKS: list.refine(
    (all) => all.every((each) => /^[0-9a-f.:]+\/\d{1,3}$/i.test(each)),
    'must be networks such as 192.168.1.0/24, separated by commas',
  ),
  ZOHO_CLIENT_ID: z.string().min(5).optional(),
  ZOHO_CLIENT_SECRET: z.string().min(5).optional(),
  ZOHO_CLIENT_SECRETS: list.refine(
    (all) => all.every((each) => /^[a-z.]+=.+$/.test(each)),
    'must be data centres with their secrets, such as eu=…,in=…',
  ),
  ZOHO_HOSTS_ALSO: list,
  WIDGET_ORIGINS_ALSO: list,
  TRUSTED_PROXIES: list,
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// address')
    .optional(),
  MAIL_FROM: z.string().min(3).default('Muhuri <no-reply@localhost>'),
  ALERT_HOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATABASE_PREPARE: z.enum(['true', 'false']).default('true'),
  DATABASE_POOL_MAX: z.coerce.number().int().min(2).max(100).default(10),
});

export type ReadConfig = { config: Config; secrets: Secrets } | { problems: string[] };

/**
 * Reads the environment once. All problems at once, each naming its variable; a value is never
 * repeated in a message.
 */
export function readConfig(environment: Record<string, string | undefined>): ReadConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    return {
      problems: parsed.error.issues.map(
        (issue) =>
          `${issue.path.join('.')}: ${issue.code === 'invalid_type' ? 'is not set' : issue.message}`,
      ),
    };
  }
  const e = parsed.data;
  return {
    config: {
      host: e.HOST,
      port: e.PORT,
      publicUrl: e.MUHURI_PUBLIC_URL,
      logLevel: e.LOG_LEVEL,
      vsdcNetworks: e.VSDC_NETWORKS,
      hookNetworks: e.HOOK_NETWORKS,
      zohoClientId: e.ZOHO_CLIENT_ID ?? null,
      zohoHostsAlso: e.ZOHO_HOSTS_ALSO,
      widgetOriginsAlso: e.WIDGET_ORIGINS_ALSO,
      trustedProxies: e.TRUSTED_PROXIES,
      databasePoolMax: e.DATABASE_POOL_MAX,
      preparesStatements: e.DATABASE_PREPARE === 'true',
      mailFrom: e.MAIL_FROM,
      alertHookUrl: e.ALERT_HOOK_URL ?? null,
    },
    secrets: {
      databaseUrl: e.DATABASE_URL,
      queueDatabaseUrl: e.QUEUE_DATABASE_URL,
      migrationDatabaseUrl: e.MIGRATION_DATABASE_URL,
      masterKey: e.MUHURI_MASTER_KEY,
      previousMasterKey: e.MUHURI_MASTER_KEY_PREVIOUS ?? null,
      smtpUrl: e.SMTP_URL ?? null,
      zohoClientSecrets: {
        ...(e.ZOHO_CLIENT_SECRET ? { '': e.ZOHO_CLIENT_SECRET } : {}),
        ...Object.fromEntries(
          e.ZOHO_CLIENT_SECRETS.map((each) => [
            each.slice(0, each.indexOf('=')),
            each.slice(each.indexOf('=') + 1),
          ]),
        ),
      },
    },
  };
}
