import type { Recorder } from '../audit/index.ts';
import { earliestGoLive, raiseEarliestGoLive, sealForRealFrom, setOrganization } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts, SeenOrganization } from '../ports/accounts.ts';
import { endConnection, findConnection, findLastOrganization, insertConnection } from './connection.store.ts';
import { eraseGrant, lockGrant, servesElsewhere } from './grant.store.ts';

/** How many documents of an organization’s books are not settled: queued or in doubt here, or due. */
export type CountUnsettled = (tx: Tx, organizationId: string) => Promise<number>;
type Ports = { countUnsettled: CountUnsettled; database: Database; vault: Vault; accounts: Accounts; clock: Clock; newId: NewId; record: Recorder };

/**
 * Binds a business to one of the organizations its grant sees; whom else the grant serves is never said. Other books than before know nothing of the
 * documents of those: while any of them is unsettled they are not changed for others, unless a person says how many are left as they are.
 */
export async function bindOrganization(
  ports: Ports,
  ctx: Context,
  grantId: string,
  organizations: SeenOrganization[],
  chosen: string,
  leaveOpen = 0,
): Promise<void> {
  const seen = organizations.find((each) => each.organizationId === chosen);
  if (!seen) throw new AppError('organization_unseen', { field: 'organization_id' });
  // Whoever maps an organization must rule it at Zoho: a bookkeeper's consent must not move a taxpayer's invoices.
  if (seen.role !== 'admin') throw new AppError('organization_not_admin', { field: 'organization_id' });
  const present = await ctx.transaction(findConnection);
  if (present?.organizationId === chosen && present.grantId === grantId) return;
  const { last, unsettled } = await ctx.transaction(async (tx) => {
    const before = await findLastOrganization(tx);
    return { last: before, unsettled: before === null || before === chosen ? 0 : await ports.countUnsettled(tx, before) };
  });
  if (unsettled > 0 && unsettled !== leaveOpen) throw new AppError('books_unsettled', { count: unsettled });
  const at = ports.clock.now();
  // First what is unique among businesses: two that ask for the same organization at once cannot both go on.
  const earliest = await ports.database
    .platform(async (tx) => {
      await setOrganization(tx, ctx.businessId, chosen, at);
      return earliestGoLive(tx, { taxpayerId: '', organizationId: chosen });
    })
    .catch((error: unknown) => {
      if ((error as { code?: string }).code === '23505') throw new AppError('business_taken', { field: 'organization_id' });
      throw error;
    });
  await ctx.transaction(async (tx) => {
    await raiseEarliestGoLive(tx, earliest);
    // Books that were not connected have a past of their own, whoever sealed it; also the same ones, while they were not.
    if (present?.organizationId !== chosen) await sealForRealFrom(tx, at);
    if (present) await endConnection(tx, present.id, at);
    const id = ports.newId('connection');
    await insertConnection(tx, ctx.businessId, { id, grantId, organizationId: chosen }, at);
    await ports.record(tx, ctx, {
      action: 'connection.made',
      subject: id,
      before: present ? { organization_id: present.organizationId, grant_id: present.grantId } : last && { organization_id: last },
      after: { organization_id: chosen, grant_id: grantId, ...(unsettled > 0 ? { left_open: unsettled } : {}) },
    });
  });
  if (present && present.grantId !== grantId) await endIfUnused(ports, ctx, present.grantId);
}

/** A grant nobody lives by any more is revoked at Zoho and holds no secret any more. */
export async function endIfUnused(ports: Pick<Ports, 'database' | 'vault' | 'accounts'>, ctx: Context, grantId: string): Promise<void> {
  const connection = await ctx.transaction(findConnection);
  if (connection?.grantId === grantId) return;
  const found = await ports.database.platform(async (tx) => ((await servesElsewhere(tx, grantId, ctx.businessId)) ? null : await lockGrant(tx, grantId)));
  if (!found || found.dataKey === '') return;
  const refreshToken = ports.vault.open(found.dataKey, found.id, 'refresh_token', found.refreshToken);
  // Erased here even where Zoho does not answer: what nobody holds cannot be used.
  await ports.accounts.revoke(found.accountsServer, refreshToken);
  await ports.database.platform((tx) => eraseGrant(tx, grantId));
}
