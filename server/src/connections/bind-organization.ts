import type { Recorder } from '../audit/index.ts';
import {
  earliestGoLive,
  holdDirectoryEntry,
  raiseEarliestGoLive,
  raiseProductionSince,
  setOrganization,
} from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts, SeenOrganization } from '../ports/accounts.ts';
import {
  type Connection,
  endConnection,
  findConnection,
  findLastOrganization,
  insertConnection,
} from './connection.store.ts';
import { eraseGrant, lockGrant, servesElsewhere } from './grant.store.ts';

/** Counts the documents of an organization’s books that are queued or in doubt here, or due. */
export type CountUnsettled = (tx: Tx, organizationId: string) => Promise<number>;
type Ports = {
  countUnsettled: CountUnsettled;
  database: Database;
  vault: Vault;
  accounts: Accounts;
  clock: Clock;
  newId: NewId;
  record: Recorder;
};

/** What a business is bound to: an organization that is chosen among those its grant sees. */
export type Binding = {
  grantId: string;
  organizations: SeenOrganization[];
  chosen: string;
  /** How many unsettled documents of the former books a person said to leave as they are. */
  leaveOpen?: number | undefined;
};

/**
 * Binds a business to one of the organizations its grant sees; whom else the grant serves is never
 * said. Other books know nothing of the documents of the former ones. While any of those is
 * unsettled the books are not changed, unless a person says how many are left as they are.
 */
export async function bindOrganization(
  ports: Ports,
  ctx: Context,
  binding: Binding,
): Promise<void> {
  const { grantId, chosen } = binding;
  const seen = binding.organizations.find((each) => each.organizationId === chosen);
  if (!seen) throw new AppError('organization_unseen', { field: 'organization_id' });
  // Whoever binds an organization must rule it at Zoho: a bookkeeper's consent must not move a
  // taxpayer's invoices.
  if (seen.role !== 'admin')
    throw new AppError('organization_not_admin', { field: 'organization_id' });
  const replaced = await replaceConnection(ports, ctx, binding).catch((error: unknown) => {
    // Two that ask for the same organization at once cannot both have it.
    if ((error as { code?: string }).code === '23505')
      throw new AppError('business_taken', { field: 'organization_id' });
    throw error;
  });
  if (replaced && replaced.grantId !== grantId) await endIfUnused(ports, ctx, replaced.grantId);
}

/**
 * Replaces the connection and returns the former one; null if nothing changes. It is one
 * transaction under the lock on the business among businesses, so that what is asked, what is unique
 * there and what the business keeps are of one moment.
 */
function replaceConnection(
  ports: Ports,
  ctx: Context,
  { grantId, chosen, leaveOpen = 0 }: Binding,
): Promise<Connection | null> {
  const at = ports.clock.now();
  return ports.database.registration(async (tx, enter, leave) => {
    await holdDirectoryEntry(tx, ctx.businessId);
    await enter(ctx.businessId);
    const before = await findConnection(tx);
    if (before?.organizationId === chosen && before.grantId === grantId) return null;
    const last = await findLastOrganization(tx);
    const unsettled = last === null || last === chosen ? 0 : await ports.countUnsettled(tx, last);
    if (unsettled > 0 && unsettled !== leaveOpen)
      throw new AppError('books_unsettled', { count: unsettled });
    await leave();
    await setOrganization(tx, ctx.businessId, chosen, at);
    const earliest = await earliestGoLive(tx, { taxpayerId: '', organizationId: chosen });
    await enter(ctx.businessId);
    await raiseEarliestGoLive(tx, earliest);
    // Books that were not connected have a past of their own, whoever signed it. So have the same
    // books for the time they were not connected.
    if (before?.organizationId !== chosen) await raiseProductionSince(tx, at);
    if (before) await endConnection(tx, before.id, at);
    const id = ports.newId('connection');
    await insertConnection(tx, ctx.businessId, { id, grantId, organizationId: chosen }, at);
    await ports.record(tx, ctx, {
      action: 'connection.made',
      subject: id,
      before: before
        ? { organization_id: before.organizationId, grant_id: before.grantId }
        : last && { organization_id: last },
      after: {
        organization_id: chosen,
        grant_id: grantId,
        ...(unsettled > 0 ? { left_open: unsettled } : {}),
      },
    });
    return before;
  });
}

/** Revokes a grant at Zoho and erases its secrets, once no business lives by it. */
export async function endIfUnused(
  ports: Pick<Ports, 'database' | 'vault' | 'accounts'>,
  ctx: Context,
  grantId: string,
): Promise<void> {
  const connection = await ctx.transaction(findConnection);
  if (connection?.grantId === grantId) return;
  const found = await ports.database.platform(async (tx) =>
    (await servesElsewhere(tx, grantId, ctx.businessId)) ? null : await lockGrant(tx, grantId),
  );
  if (!found || found.dataKey === '') return;
  const refreshToken = ports.vault.decrypt(
    found.dataKey,
    found.id,
    'refresh_token',
    found.refreshToken,
  );
  // Erased here even if Zoho does not answer: what nobody holds cannot be used.
  await ports.accounts.revoke(found.accountsServer, refreshToken);
  await ports.database.platform((tx) => eraseGrant(tx, grantId));
}
