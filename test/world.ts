import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type App, type Overrides, startApp } from '@muhuri/server/app';
import type { Config, Secrets } from '@muhuri/server/config';
import { type Postgres, startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { logTo, silentLog } from '@muhuri/server/platform/log';
import { migrate } from '@muhuri/server/platform/db/database';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { startWidgetHost, type WidgetHost } from './simulators/zoho/widget-host.ts';
import { type ApprovedDevice, authority, type Simulator } from './authorities/rw-vsdc/authority.ts';
import { type MailServer, startMail } from './simulators/mail/index.ts';
import { startZoho, type Zoho } from './simulators/zoho/index.ts';

export const checkout = join(import.meta.dirname, '..');
const dataDir = join(checkout, '.data');

export type DemoAccount = {
  username: string;
  password: string;
  role: string;
  business_id: string;
  organization_id: string;
  tin_number: string;
};
export type DemoBusiness = {
  businessId: string;
  branchIds: string[];
  organizationId: string;
  taxpayerId: string;
  admin: DemoAccount;
  user: DemoAccount;
};

export type World = {
  app: App;
  vsdc: Simulator;
  zoho: Zoho;
  mail: MailServer;
  widget: WidgetHost | null;
  /** Ours, unless the world was given a database of another. */
  postgres: Postgres;
  databaseUrls: { owner: string; app: string; queue: string };
  /** The time as the servers of this world have it. */
  now(): Date;
  /** Two, unless the world was started with more or without. */
  businesses: [DemoBusiness, DemoBusiness, ...DemoBusiness[]];
  /** A statement inside a business, as the server's own role runs it. */
  sql(text: string, parameters: unknown[], businessId: string): Promise<Record<string, unknown>[]>;
  /** What a server on this world's database is told, for one in a process of its own. */
  settingsOf(told?: Told): { config: Config; secrets: Secrets };
  /** A server of its own on the same database, as a second machine would be. */
  anotherApp(instead?: Overrides, told?: Told): Promise<App>;
  [Symbol.asyncDispose](): Promise<void>;
};

const template = () =>
  `muhuri_template_${createHash('sha256')
    .update(process.env.MUHURI_TEMPLATE ?? '1')
    .digest('hex')
    .slice(0, 8)}`;

/** A migrated database to clone from; made once per test run. */
export async function makeTemplate(postgres: Postgres): Promise<void> {
  const admin = new pg.Client({ connectionString: postgres.urlFor('admin', 'postgres') });
  await admin.connect();
  try {
    await admin.query(`drop database if exists ${template()}`);
    await admin.query(`create database ${template()} owner muhuri_owner`);
  } finally {
    await admin.end();
  }
  await migrate(postgres.urlFor('owner', template()), join(checkout, 'server/src/migrations'));
}

let clones = 0;

/** A fresh database of this suite's own, signed in to as the unprivileged roles. */
export async function cloneDatabase(postgres: Postgres): Promise<{
  urls: { owner: string; app: string; queue: string; admin: string };
  drop(): Promise<void>;
}> {
  const name = `muhuri_test_${process.pid}_${++clones}`;
  const admin = new pg.Client({ connectionString: postgres.urlFor('admin', 'postgres') });
  await admin.connect();
  await admin.query(`drop database if exists ${name} with (force)`);
  await admin.query(`create database ${name} template ${template()} owner muhuri_owner`);
  await admin.end();
  return {
    urls: {
      owner: postgres.urlFor('owner', name),
      app: postgres.urlFor('app', name),
      queue: postgres.urlFor('queue', name),
      admin: postgres.urlFor('admin', name),
    },
    async drop() {
      const client = new pg.Client({ connectionString: postgres.urlFor('admin', 'postgres') });
      await client.connect();
      await client.query(`drop database if exists ${name} with (force)`);
      await client.end();
    },
  };
}

export const masterKey = createHash('sha256').update('a master key for invented data').digest();

export const { approvedDevices, approvedFor } = authority;

export const today = (): string => new Date(Date.now() + 2 * 3_600_000).toISOString().slice(0, 10);

/** What a server may be told otherwise than the rest of the world. */
type Told = { config?: Partial<Config>; secrets?: Partial<Secrets> };

export type WorldOptions = {
  told?: Told;
  instead?: Overrides;
  ports?: { server?: number; zoho?: number; vsdc?: number; widget?: number; mail?: number };
  stateDir?: string | null;
  urls?: { owner: string; app: string; queue: string };
  postgres?: Postgres;
  /** Where the devices write down what they have done, to be started again elsewhere. */
  journalFile?: string;
  withWidget?: boolean;
  /** The folder of a packed widget, instead of what was built. */
  widgetApp?: string;
  withoutBusinesses?: boolean;
  /** Which of the businesses, from 0, still have sandbox devices; the others seal for real. */
  rehearsing?: number[];
  /**
   * How many businesses there are, each with an organization and a device of its own; two unless
   * said otherwise.
   */
  businesses?: number;
  callsPerMinute?: number;
  withEveryDataCentre?: boolean;
  onTaken?: (what: string, port: number) => void;
};

/**
 * The server, its database and the world outside, on free ports; everything real, the counterparts
 * simulated by servers.
 */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const own =
    options.urls && !options.postgres
      ? null
      : (options.postgres ?? (await startEmbeddedPostgres(checkout, dataDir)));
  const postgres = own as Postgres;
  const clone = options.urls ? null : await cloneDatabase(postgres);
  const urls = options.urls ?? (clone as NonNullable<typeof clone>).urls;
  const state = (name: string) => (options.stateDir ? join(options.stateDir, name) : null);
  const taken = (what: string) => (port: number) => options.onTaken?.(what, port);
  const count = options.businesses ?? 2;
  const devices = approvedFor(count);
  const vsdc = await authority.startSimulator({
    approved: devices,
    journalFile: options.journalFile ?? null,
    stateFile: state(`${authority.dialect}.json`),
    port: options.ports?.vsdc ?? 0,
    onTaken: taken('VSDC'),
  });
  const mail = await startMail(options.ports?.mail ?? 0);
  let widget: WidgetHost | null = null;
  const zoho = await startZoho({
    today: today(),
    stateFile: state('zoho.json'),
    port: options.ports?.zoho ?? 0,
    onTaken: taken('Zoho Books'),
    widgetUrl: () => widget?.url ?? '',
    perMinuteMax: options.callsPerMinute ?? 100_000,
    ...(options.withEveryDataCentre ? { withEveryDataCentre: true } : {}),
    ...(count > 2 ? { organizations: count, perDayMax: 1_000_000 } : {}),
  });
  const config = (port: number) => ({
    host: '127.0.0.1',
    port,
    publicUrl: `http://127.0.0.1:${port}`,
    mailFrom: 'Muhuri <muhuri@demo.example>',
    alertHookUrl: null,
    logLevel: 'warn',
    vsdcNetworks: ['127.0.0.0/8'],
    hookNetworks: ['127.0.0.0/8'],
    zohoClientId: zoho.platformClient.client_id,
    // Every data centre is the same simulator under another name.
    zohoHostsAlso: zoho.hosts(),
    widgetOriginsAlso: ['http://*.localhost:*'],
    trustedProxies: [],
    databasePoolMax: 10,
    preparesStatements: true,
  });
  const secrets = {
    databaseUrl: urls.app,
    queueDatabaseUrl: urls.queue,
    migrationDatabaseUrl: urls.owner,
    masterKey,
    smtpUrl: mail.smtpUrl,
    zohoClientSecrets: { '': zoho.platformClient.client_secret },
    previousMasterKey: null,
  };
  const apps: App[] = [];
  const start = async (
    wanted: number,
    instead: Overrides = {},
    told: Told = options.told ?? {},
  ) => {
    // Links in mails name the address, so that it is known before the server stands there.
    const port = wanted || (await freePort());
    const app = await startApp(
      { ...config(port), ...told.config },
      { ...secrets, ...told.secrets },
      {
        log: process.env.MUHURI_TEST_LOG ? logTo(process.env.MUHURI_TEST_LOG) : silentLog,
        // The simulated Zoho is as patient as a test needs; what the call budget does is tried by
        // itself.
        governor: { perMinute: 100_000, zohoPerMinute: 100_000, blockSecondsMax: 0 },
        // Everybody in a world calls from one address, and a test that waits asks again and again.
        // What the limits do is tried with limits of its own.
        limits: { addressPerMinute: 100_000, personPerMinute: 100_000 },
        // A hundred requests at once take a slow machine longer than people are to wait. How that
        // wait ends is tried with a wait of its own.
        statements: { askedMs: 60_000 },
        // Faults are scripted by the call: nothing else may ask in between. Tests look for changes
        // when they mean to.
        keepUpMs: 3_600_000,
        deadlinesMs: 3_600_000,
        ...options.instead,
        ...instead,
      },
    );
    apps.push(app);
    zoho.allowRedirect(zoho.platformClient.client_id, `${app.url}/api/v1/oauth/callback`);
    return app;
  };
  const app = await start(options.ports?.server ?? 0).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    options.onTaken?.('Muhuri', options.ports?.server ?? 0);
    return start(0);
  });
  if (options.withWidget)
    widget = await startWidgetHost({
      serverUrl: app.url,
      zohoUrl: zoho.url.replace('127.0.0.1', 'localhost'),
      port: options.ports?.widget ?? 0,
      ...(options.widgetApp ? { app: options.widgetApp } : {}),
      onTaken: taken('the widget host'),
    });
  const businesses = options.withoutBusinesses
    ? ([] as unknown as World['businesses'])
    : await seedBusinesses(app, vsdc, zoho, urls, devices, options.rehearsing ?? []);
  return {
    app,
    vsdc,
    zoho,
    mail,
    widget,
    postgres,
    databaseUrls: urls,
    now: () => options.instead?.clock?.now() ?? new Date(),
    businesses,
    settingsOf: (told) => ({
      config: { ...config(0), ...told?.config },
      secrets: { ...secrets, ...told?.secrets },
    }),
    anotherApp: (instead, told) => start(0, instead, told),
    sql: (text, parameters, businessId) => asWorker(urls.app, businessId, text, parameters),
    async [Symbol.asyncDispose]() {
      for (const each of apps) await each.close();
      await widget?.close();
      await zoho.close();
      await mail.close();
      await vsdc.close();
      await clone?.drop();
      if (!options.postgres) await own?.stop();
    },
  };
}

/** Businesses with their devices, grants and people; found again where they exist. */
async function seedBusinesses(
  app: App,
  vsdc: Simulator,
  zoho: Zoho,
  urls: { app: string },
  devices: ApprovedDevice[],
  rehearsing: number[],
): Promise<World['businesses']> {
  const [first, second, ...more] = zoho.grants();
  if (!first || !second) throw new Error('the simulated Zoho has two grants');
  const seedOne = (ask: SeedAsk) =>
    seedBusiness(
      app,
      vsdc,
      zoho,
      urls,
      devices,
      ask,
      rehearsing.includes(ask.index) ? 'sandbox' : 'production',
    );
  const businesses: World['businesses'] = [
    await seedOne({
      grant: first,
      index: 0,
      name: 'inzozi',
      color: '#7a4a1e',
      branches: [
        ['00', 'Kigali', 'KG 11 Ave, Kigali'],
        ['01', 'Huye', 'Huye town'],
      ],
    }),
    await seedOne({
      grant: second,
      index: 1,
      name: 'umucyo',
      color: '#0b5c6b',
      branches: [['00', 'Kigali', 'KN 4 St, Kigali']],
    }),
  ];
  for (const [i, grant] of more.entries())
    businesses.push(
      await seedOne({
        grant,
        index: i + 2,
        name: `isoko-${i + 1}`,
        color: '#5b2a86',
        branches: [['00', 'Musanze', 'Musanze town']],
      }),
    );
  return businesses;
}

type SeedAsk = {
  grant: ReturnType<Zoho['grants']>[number];
  index: number;
  name: string;
  color: string;
  branches: [string, string, string][];
};

async function seedBusiness(
  app: App,
  vsdc: Simulator,
  zoho: Zoho,
  urls: { app: string },
  devices: ApprovedDevice[],
  ask: SeedAsk,
  environment: 'sandbox' | 'production',
): Promise<DemoBusiness> {
  const organization = zoho.organization(ask.grant.organization_id);
  const taxpayerId = authority.taxpayerOf(ask.index);
  const account = (role: string, username: string, businessId: string): DemoAccount => ({
    username,
    password: `${ask.name}-demo-only`,
    role,
    business_id: businessId,
    organization_id: organization.organization_id,
    tin_number: taxpayerId,
  });
  const usernames = { admin: `admin@${ask.name}`, user: `user@${ask.name}` };
  const existing = await findBusiness(urls.app, taxpayerId);
  if (existing) await moveAddresses(urls.app, existing.businessId, vsdc.url, zoho.url);
  if (existing)
    return {
      ...existing,
      organizationId: organization.organization_id,
      taxpayerId,
      admin: account('business_admin', usernames.admin, existing.businessId),
      user: account('business_user', usernames.user, existing.businessId),
    };
  const [kigali] = organization.locations;
  const [vat, zero, exempt] = organization.taxes;
  const serials = devices.filter((each) => each.tin === taxpayerId);
  const { businessId, branchIds } = await app.registerBusiness({
    business: {
      business_name: organization.name,
      email: `office@${ask.name}.example`,
      location: authority.place,
      tin_number: taxpayerId,
      phone_number: authority.phone,
      country: authority.country,
      vat_registered: true,
      go_live_date: new Date(Date.parse(`${today()}T00:00:00Z`) - 30 * 86_400_000)
        .toISOString()
        .slice(0, 10),
      settings: { verification_base: `${vsdc.url}${authority.verificationPath}` },
      branding: {
        accent_color: ask.color,
        top_message: 'Murakoze! Thank you!',
        bottom_message: 'Goods sold are exchanged within 7 days',
        legal_lines: ['VAT registered'],
      },
    },
    branches: ask.branches.map(([branch_code, name, address], index) => ({
      branch_code,
      name,
      address,
      ...(index === 0 && kigali ? { zoho_location_id: kigali.location_id } : {}),
      device: {
        dialect: authority.dialect,
        serial: serials.find((each) => each.bhfId === branch_code)?.serial ?? '',
        environment,
        address: vsdc.url,
      },
    })),
    zoho: {
      organization_id: organization.organization_id,
      grant: {
        accounts_server: zoho.url,
        api_domain: zoho.url,
        client_id: ask.grant.clientId,
        client_secret: ask.grant.clientSecret,
        refresh_token: ask.grant.refreshToken,
      },
    },
    account: {
      username: usernames.admin,
      name: `Admin of ${organization.name}`,
      email: `admin@${ask.name}.example`,
      password: `${ask.name}-demo-only`,
      role: 'business_admin',
    },
    mappings: authority.mappings(
      {
        standard: vat?.tax_id ?? '',
        zero: zero?.tax_id ?? '',
        exempt: exempt?.tax_id ?? '',
      },
      organization.items[3]?.item_id ?? '',
    ),
  });
  await app.addPerson(businessId, {
    username: usernames.user,
    name: `User of ${organization.name}`,
    email: `user@${ask.name}.example`,
    password: `${ask.name}-demo-only`,
    role: 'business_user',
  });
  for (const branchId of branchIds) await app.initialiseDevice(app.contextOf(businessId), branchId);
  // They have sealed for real as long as they have been with us, unless they are at their
  // rehearsal.
  await asWorker(
    urls.app,
    businessId,
    "update branch set production_since = production_since - interval '400 days'",
    [],
  );
  await asWorker(
    urls.app,
    businessId,
    "update mapping set production_since = production_since - interval '400 days'",
    [],
  );
  return {
    businessId,
    branchIds,
    organizationId: organization.organization_id,
    taxpayerId,
    admin: account('business_admin', usernames.admin, businessId),
    user: account('business_user', usernames.user, businessId),
  };
}

/** The simulators may listen elsewhere this time; what was kept of their addresses follows them. */
async function moveAddresses(
  url: string,
  businessId: string,
  vsdcUrl: string,
  zohoUrl: string,
): Promise<void> {
  const set = [
    'update device set address = $2 where business_id = $1',
    `update business set settings = jsonb_set(settings, '{verification_base}', to_jsonb($2::text || '${authority.verificationPath}')) where business_id = $1`,
  ];
  for (const text of set) await asWorker(url, businessId, text, [businessId, vsdcUrl]);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  await client.query("select set_config('role', 'muhuri_platform', true)");
  await client.query(
    'update reference."grant" set accounts_server = $1, api_domain = $1, access_token = null where api_domain like \'http://127.0.0.1:%\'',
    [zohoUrl],
  );
  await client.query('commit');
  await client.end();
}

async function findBusiness(
  url: string,
  taxpayerId: string,
): Promise<{ businessId: string; branchIds: string[] } | null> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query("select set_config('role', 'muhuri_platform', true)");
    const { rows } = await client.query(
      'select business_id from reference.business_directory where tin_number = $1',
      [taxpayerId],
    );
    const businessId = rows[0]?.business_id as string | undefined;
    if (!businessId) return null;
    await client.query(
      "select set_config('role', 'muhuri_worker', true), set_config('app.business_id', $1, true)",
      [businessId],
    );
    const branches = await client.query('select id from branch order by branch_code');
    return { businessId, branchIds: branches.rows.map((row: { id: string }) => row.id) };
  } finally {
    await client.query('rollback');
    await client.end();
  }
}

async function asWorker(
  url: string,
  businessId: string,
  text: string,
  parameters: unknown[],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(
      "select set_config('role', 'muhuri_worker', true), set_config('app.business_id', $1, true)",
      [businessId],
    );
    const { rows } = await client.query(text, parameters);
    await client.query('commit');
    return rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}
