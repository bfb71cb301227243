import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Database } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { NewId } from '../platform/new-id.ts';
import {
  type CrossBusinessAccess,
  deleteDeniedLookup,
  insertCrossBusinessAccess,
} from './denied-lookup.store.ts';

type Ports = {
  database: Database;
  newId: NewId;
  log: Log;
  record: Recorder;
  alerts: Pick<Alerts, 'raise'>;
  contextOf(businessId: string): Context;
  tell(attempt: CrossBusinessAccess): Promise<void>;
};

/** Who asked for what of another business, and when. */
export type Attempt = Omit<CrossBusinessAccess, 'id' | 'businessId'>;

/**
 * Returns the context with a job's share of the connections: a caller that fills its own share does
 * not keep out what is written about it.
 */
export const asJob = (ports: Pick<Ports, 'contextOf'>, ctx: Context): Context => ({
  ...ctx,
  transaction: ports.contextOf(ctx.businessId).transaction,
});

/**
 * Records an attempt for the operator and for the business, and tells both. `lookupId`: the noted
 * lookup it comes from, which goes in the same transaction, so that of several processes one alone
 * records it.
 */
export async function recordAttempt(
  ports: Ports,
  ctx: Context,
  attempt: Attempt,
  lookupId?: string,
): Promise<void> {
  const { actorId, route } = attempt;
  const found: CrossBusinessAccess = {
    id: lookupId ?? ports.newId('cross_business_access'),
    businessId: ctx.businessId,
    ...attempt,
  };
  await ports.database.platform((tx) => insertCrossBusinessAccess(tx, found));
  if (!(await recordForBusiness(ports, ctx, attempt, lookupId))) return;
  ports.log.warn(
    { business_id: ctx.businessId, actor: actorId, route },
    'somebody asked for another business’s data',
  );
  await ports
    .tell(found)
    .catch((error: Error) =>
      ports.log.error({ error: error.message }, 'the alert hook could not be told'),
    );
}

/** Writes an attempt down where the business sees it; false: another process has done so. */
const recordForBusiness = (
  ports: Ports,
  ctx: Context,
  { actorType, actorId, route, asked, origin }: Attempt,
  lookupId: string | undefined,
): Promise<boolean> =>
  asJob(ports, ctx).transaction(async (tx) => {
    if (lookupId !== undefined && !(await deleteDeniedLookup(tx, lookupId))) return false;
    await ports.record(tx, ctx, {
      action: 'wall.attempt',
      subject: actorId,
      after: { actor_type: actorType, route, asked, origin },
    });
    await ports.alerts.raise(tx, ctx, actorId, { code: 'cross_business_access', route });
    return true;
  });
