import type { Context as HonoContext } from 'hono';
import { problemAnswer } from './problem-response.ts';

/**
 * What every answer carries, whatever it is: nothing is sniffed, framed or told where it was linked
 * from. Pages add their own policy.
 */
export function hardened(c: HonoContext, next: () => Promise<void>): Promise<Response | void> {
  for (const [name, value] of hardening) c.header(name, value);
  if (isPlain(c)) return next();
  c.header('connection', 'close');
  return Promise.resolve(
    problemAnswer(c, {
      code: 'malformed',
      field: 'Host',
      reason: 'a request names one host, in HTTP/1.1 or 1.0',
    }),
  );
}

/**
 * One host and no more, since two readers of a request could each believe another one; and no
 * request from before there were headers.
 */
function isPlain(c: HonoContext): boolean {
  const incoming = (
    c.env as { incoming?: { rawHeaders?: string[]; httpVersion?: string } } | undefined
  )?.incoming;
  if (!incoming?.rawHeaders) return true;
  const hosts = incoming.rawHeaders.filter(
    (name, i) => i % 2 === 0 && name.toLowerCase() === 'host',
  ).length;
  return hosts === 1 && (incoming.httpVersion === '1.1' || incoming.httpVersion === '1.0');
}

const hardening = Object.entries({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'cross-origin-resource-policy': 'cross-origin',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
});
