import type { Endpoint } from '@muhuri/shared/contract/index';
import type { Context as HonoContext } from 'hono';
import type { Context, Session } from '../../context.ts';
import { AppError } from '../app-error.ts';
import type { HttpPorts, RequestInfo } from './http-ports.ts';
import { limited, type Spent, stillLimited } from './over-limit.ts';

/** Who asks: nobody known, the operator, or somebody of a business, whose context is made then. */
export type Caller = { session: Session | null; ctx: Context | null };

/**
 * Finds out who asks, and throws if they may not: too often, not signed in, in the name of another
 * organization, or kept out of this endpoint.
 */
export async function authenticate(
  c: HonoContext,
  endpoint: Endpoint,
  info: RequestInfo,
  ports: HttpPorts,
): Promise<Caller> {
  const session = await sessionOf(c, endpoint, info.origin ?? '', ports);
  const ctx = session?.business ? ports.contextOf(session, info) : null;
  if (ctx) await checkOrganization(c, ctx, session?.business?.organizationId, endpoint, ports);
  const refusal = ports.refusalOf(session, endpoint);
  if (refusal) throw new AppError(refusal);
  if (ctx && endpoint.method !== 'GET' && endpoint.guard.startsWith('manage_'))
    await ports.limits.ofChange(ctx.businessId);
  return { session, ctx };
}

/** Reads the session of the token and counts the call, before anything else of it is read. */
async function sessionOf(
  c: HonoContext,
  endpoint: Endpoint,
  address: string,
  ports: HttpPorts,
): Promise<Session | null> {
  if (endpoint.guard === 'anyone') {
    if (!endpoint.raw) tellSpent(c, await ports.limits.ofAddress(address));
    return null;
  }
  await stillLimited(bearer(c));
  const session = await ports.tokens.read(bearer(c), address);
  const isSigning = endpoint.path === '/receipts' && endpoint.method === 'POST';
  tellSpent(c, await limited(bearer(c), () => ports.limits.ofSession(session, isSigning)));
  return session;
}

/** Throws if the caller names an organization that is not their business's, and records it. */
async function checkOrganization(
  c: HonoContext,
  ctx: Context,
  own: string | null | undefined,
  endpoint: Endpoint,
  ports: HttpPorts,
): Promise<void> {
  const organization = c.req.header('x-organization-id');
  if (organization === undefined || organization === own) return;
  await ports.walls.recordMismatch(ctx, nameOf(endpoint), organization.slice(0, 40));
  throw new AppError('organization_mismatch');
}

/** The name of an endpoint in logs and records. */
export const nameOf = (endpoint: Endpoint): string => `${endpoint.method} ${endpoint.path}`;

/** Tells how much is left, as the draft on RateLimit header fields names it, and of the quota. */
function tellSpent(c: HonoContext, spent: Spent): void {
  c.header('ratelimit-limit', String(spent.limit));
  c.header('ratelimit-remaining', String(spent.left));
  c.header('ratelimit-reset', String(spent.resetSeconds));
  if (spent.dayLeft !== null) c.header('x-quota-day-remaining', String(spent.dayLeft));
}

export function bearer(c: HonoContext): string {
  const header = c.req.header('authorization') ?? '';
  const token = /^Bearer ([\x21-\x7e]{20,200})$/.exec(header)?.[1];
  if (!token) throw new AppError('not_signed_in');
  return token;
}
