import { isIP } from 'node:net';
import type { Context as HonoContext } from 'hono';

/** The client's address: the socket's, unless a configured proxy stands there. */
export function addressOf(c: HonoContext, trusted: string[]): string | null {
  const socket =
    (c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket
      ?.remoteAddress ?? null;
  if (!socket || !trusted.includes(socket.replace(/^::ffff:/, ''))) return socket;
  const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').at(-1)?.trim() ?? '';
  return isIP(forwarded) ? forwarded : socket;
}
