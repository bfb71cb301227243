import { eraseDevices, stopLanes } from '../branches/index.ts';
import {
  type Business,
  eraseKey,
  getBusiness,
  setDirectoryStatus,
  updateBusinessRow,
} from '../businesses/index.ts';
import { endEveryConnection, endIfUnused, findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import { changeInBoth, type ManagePorts } from './update-business-and-directory.ts';

const allowed: Record<'active' | 'suspended' | 'closed', Business['status'][]> = {
  active: ['suspended', 'pending'],
  suspended: ['active', 'pending'],
  closed: ['active', 'pending', 'suspended'],
};
const verbs = {
  active: 'business.activated',
  suspended: 'business.deactivated',
  closed: 'business.closed',
} as const;

/**
 * Activates, suspends or closes a business. Suspended, nothing new is done in its name and its
 * history stays. Closed is for good: its secrets are erased with its data key.
 */
export const setBusinessStatus =
  (ports: ManagePorts) =>
  async (
    ctx: Context,
    status: 'active' | 'suspended' | 'closed',
    reason: string | undefined,
  ): Promise<Business> => {
    const at = ports.clock.now();
    const grants = status === 'closed' ? await listGrants(ctx) : [];
    await changeInBoth(ports, ctx, {
      action: verbs[status],
      after: { status, reason },
      inDirectory: (tx) => setDirectoryStatus(tx, ctx.businessId, status, at),
      async inBusiness(tx) {
        const before = await getBusiness(tx, true);
        if (!allowed[status].includes(before.status))
          throw new AppError('wrong_state', { state: before.status });
        await updateBusinessRow(tx, { ...before, status }, at);
        if (status === 'suspended') await stopLanes(tx);
        if (status === 'closed') await eraseAccess(tx, at);
        await ports.record(tx, ctx, {
          action: verbs[status],
          subject: ctx.businessId,
          before: { status: before.status },
          after: { status, reason },
        });
      },
    });
    // The secrets of a grant are erased with the last business that lived by it.
    for (const grantId of new Set(grants)) await endIfUnused(ports, ctx, grantId);
    return ctx.transaction((tx) => getBusiness(tx));
  };

/** Lists the grants that a business lives by, or has kept for its setup. */
const listGrants = (ctx: Context): Promise<string[]> =>
  ctx.transaction(async (tx) =>
    [(await findConnection(tx))?.grantId, (await getBusiness(tx)).setup.grant].filter(
      (each) => each !== undefined,
    ),
  );

/** Ends every way into a business and out of it, for good. */
async function eraseAccess(tx: Tx, at: Date): Promise<void> {
  await query(tx, 'delete from session', []);
  await query(tx, 'update api_key set revoked_at = $1 where revoked_at is null', [at]);
  await endEveryConnection(tx, at);
  await eraseDevices(tx);
  await eraseKey(tx);
}

/** Activates a pending business once its setup has proved every step. */
export const activateAfterSetup =
  (ports: ManagePorts) =>
  async (ctx: Context): Promise<void> => {
    const at = ports.clock.now();
    await ports.database.platform((tx) => setDirectoryStatus(tx, ctx.businessId, 'active', at));
    await ctx.transaction(async (tx) => {
      const before = await getBusiness(tx, true);
      if (before.status !== 'pending') return;
      await updateBusinessRow(tx, { ...before, status: 'active' }, at);
      await ports.record(tx, ctx, {
        action: 'business.activated',
        subject: ctx.businessId,
        before: { status: 'pending' },
        after: { status: 'active' },
      });
    });
  };
