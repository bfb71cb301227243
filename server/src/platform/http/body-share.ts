import { bodyKbOf, type Endpoint } from '@muhuri/shared/contract/index';
import type { Context as HonoContext } from 'hono';
import type { Caller } from './authenticate.ts';
import { networkOf } from './client-network.ts';
import type { Call, Route } from './route.ts';

/**
 * Returns whose share of the memory the bytes of a call take: the business's, the person's, or of a
 * caller who has not signed in, the network's or the address's owner.
 */
export async function ownerOfBytes(
  c: HonoContext,
  route: Route,
  call: Call,
  { session, ctx }: Caller,
  address: string | null,
): Promise<{ owner: string } | { network: string }> {
  if (session) return { owner: ctx?.businessId ?? session.person.id };
  if (!route.admit) return { network: networkOf(address ?? '') };
  // An endpoint that takes bytes is asked first: nobody's are read until their address is known.
  try {
    return await route.admit(call);
  } catch (error) {
    // Nobody reads what still comes: the connection ends with the answer, and is not held until the
    // rest has arrived.
    c.header('connection', 'close');
    throw error;
  }
}

/** Returns how many bytes a call says it sends; if it does not say, as many as it may. */
export function bytesSent(c: HonoContext, endpoint: Endpoint): number {
  if (endpoint.method === 'GET') return 0;
  const declared = c.req.header('content-length');
  if (declared !== undefined && c.req.header('transfer-encoding') === undefined)
    return Number(declared);
  return c.req.header('transfer-encoding') === undefined ? 0 : bodyKbOf(endpoint) * 1024;
}
