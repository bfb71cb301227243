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
import { query } from '../platform/db/query.ts';
import { inBoth, type Ports } from './in-both.ts';

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
 * Suspended: nothing new is done in its name, history stays. Closed: for good; its secrets are
 * erased with its data key.
 */
export const setBusinessStatus =
  (ports: Ports) =>
  async (
    ctx: Context,
    status: 'active' | 'suspended' | 'closed',
    reason: string | undefined,
  ): Promise<Business> => {
    const at = ports.clock.now();
    const grants =
      status === 'closed'
        ? await ctx.transaction(async (tx) =>
            [(await findConnection(tx))?.grantId, (await getBusiness(tx)).setup.grant].filter(
              (each) => each !== undefined,
            ),
          )
        : [];
    await inBoth(
      ports,
      ctx,
      verbs[status],
      (tx) => setDirectoryStatus(tx, ctx.businessId, status, at),
      async (tx) => {
        const before = await getBusiness(tx, true);
        if (!allowed[status].includes(before.status))
          throw new AppError('wrong_state', { state: before.status });
        await updateBusinessRow(tx, { ...before, status }, at);
        if (status === 'suspended') await stopLanes(tx);
        if (status === 'closed') {
          await query(tx, 'delete from session', []);
          await query(tx, 'update api_key set revoked_at = $1 where revoked_at is null', [at]);
          await endEveryConnection(tx, at);
          await eraseDevices(tx);
          await eraseKey(tx);
        }
        await ports.record(tx, ctx, {
          action: verbs[status],
          subject: ctx.businessId,
          before: { status: before.status },
          after: { status, reason },
        });
      },
      { status, reason },
    );
    // The last business that lived by a grant takes its secrets along.
    for (const grantId of new Set(grants)) await endIfUnused(ports, ctx, grantId);
    return ctx.transaction((tx) => getBusiness(tx));
  };

/** Once the setup has proved every step, a pending business becomes active by itself. */
export const activateAfterSetup =
  (ports: Ports) =>
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
