import { pino } from 'pino';

export type Log = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

// Names under which a secret could travel; whatever stands there never reaches a log line.
const secret = [
  'password',
  'token',
  'authorization',
  'refresh_token',
  'access_token',
  'client_secret',
  'cmcKey',
  'key',
  'secret',
];

export const logTo = (level: string): Log =>
  pino({
    level,
    redact: { paths: secret.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
  });

/**
 * Words of somebody else (an error's, a library's) for the log: what looks like a secret in them is
 * left out. Credentials in an address, what stands after *Bearer* or the like, our own keys and
 * secrets, and every unbroken run of letters and digits that is long enough to be one.
 */
export const redacted = (text: string): string =>
  text
    .replace(/:\/\/[^\s/@]+@/g, '://[secret]@')
    .replace(/\b(bearer|basic|zoho-oauthtoken)\s+\S+/gi, '$1 [secret]')
    .replace(/\b((?:password|token|secret|key|code)["']?\s*[:=]\s*)\S+/gi, '$1[secret]')
    .replace(/\bwhsec_\S+/g, '[secret]')
    .replace(/\b(biz_[0-9a-f]{32})\.[\w-]+/g, '$1.[secret]')
    .replace(/[A-Za-z0-9+_-]{40,}={0,2}/g, '[secret]');

export const silentLog: Log = { info() {}, warn() {}, error() {} };
