import type { Context as HonoContext } from 'hono';
import type { HttpPorts } from './http-ports.ts';

/**
 * By pattern, without credentials: every Zoho widget has an origin of this kind, so an origin
 * proves nothing.
 */
export async function cors(
  c: HonoContext,
  next: () => Promise<void>,
  ports: Pick<HttpPorts, 'isAllowedOrigin'>,
): Promise<Response | undefined> {
  const origin = c.req.header('origin');
  const allowed = origin !== undefined && ports.isAllowedOrigin(origin);
  c.header('vary', 'origin');
  if (allowed) {
    c.header('access-control-allow-origin', origin);
    c.header(
      'access-control-expose-headers',
      'x-request-id, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-quota-day-remaining, retry-after',
    );
  }
  if (c.req.method === 'OPTIONS') {
    if (allowed) {
      c.header('access-control-allow-methods', 'GET, POST, PUT');
      c.header(
        'access-control-allow-headers',
        'authorization, content-type, accept-language, idempotency-key, x-organization-id',
      );
      c.header('access-control-max-age', '600');
    }
    return c.body(null, 204);
  }
  await next();
  return undefined;
}
