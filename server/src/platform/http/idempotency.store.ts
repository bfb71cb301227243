import type { Retention } from '../jobs.ts';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Clock } from '../clock.ts';
import { fromJson, json, query, queryOne } from '../db/query.ts';
import type { Context } from '../../context.ts';

/** What is kept of a request that has ended: its answer, its problem, or only that it was done. */
export type RequestOutcome =
  | { is: 'answered'; response: unknown }
  | { is: 'refused'; problem: StoredProblem }
  | { is: 'done' };

/**
 * What stands under a key: nothing yet, so that it is the caller's now; a request that runs or
 * whose end was lost; or how one ended.
 */
type IdempotencyState =
  | { is: 'new' }
  | { is: 'conflict' }
  | { is: 'under_way' }
  | { is: 'lost' }
  | { is: 'ended'; ending: RequestOutcome };

export type IdempotencyKeys = {
  remember(ctx: Context, route: string, key: string, bodyHash: string): Promise<IdempotencyState>;
  end(ctx: Context, route: string, key: string, ending: RequestOutcome): Promise<void>;
};

/**
 * No request runs longer than this: one that has not ended by then was cut off, by a crash of its
 * process for one.
 */
const runsMs = 2 * 60_000;

/**
 * Keys are scoped to business, actor and route, and compared by the hash of the body. Whoever
 * writes the row first runs the request; nobody runs it again, whatever became of the first.
 */
export const idempotencyKeys = (clock: Clock): IdempotencyKeys => ({
  remember: (ctx, route, key, bodyHash) =>
    ctx.transaction(async (tx) => {
      const made = await query(
        tx,
        'insert into idempotency_key (business_id, actor, route, key, body_hash, created_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning key',
        [ctx.businessId, ctx.actor.id, route, key, bodyHash, clock.now()],
      );
      if (made.length > 0) return { is: 'new' };
      const kept = await queryOne<{
        body_hash: string;
        response: unknown;
        ended_at: unknown;
        is_old: boolean;
      }>(
        tx,
        'select body_hash, response, ended_at, created_at < $4 as is_old from idempotency_key where actor = $1 and route = $2 and key = $3',
        [ctx.actor.id, route, key, new Date(clock.now().getTime() - runsMs)],
      );
      // Deleted just between the two statements: it was a day old.
      if (!kept) return { is: 'lost' };
      if (kept.body_hash !== bodyHash) return { is: 'conflict' };
      if (kept.ended_at === null) return { is: kept.is_old ? 'lost' : 'under_way' };
      return {
        is: 'ended',
        ending: fromJson<RequestOutcome | null>(kept.response) ?? { is: 'done' },
      };
    }),
  end: (ctx, route, key, ending) =>
    ctx.transaction(async (tx) => {
      await query(
        tx,
        'update idempotency_key set response = $4, ended_at = $5 where actor = $1 and route = $2 and key = $3',
        [ctx.actor.id, route, key, json(ending), clock.now()],
      );
    }),
});

export const requestRetention: Retention = {
  what: 'repeated requests',
  keepDays: 1,
  scope: 'business',
  delete: (tx, before) => query(tx, 'delete from idempotency_key where created_at < $1', [before]),
};
