import type { Context } from '../../context.ts';
import type { Clock } from '../clock.ts';
import { fromJson, json, query, queryOne } from '../db/query.ts';
import type { HttpPorts } from './serve.ts';

/** Keys are scoped to business, actor and route, and compared by the hash of the body. */
export const idempotencyKeys = (clock: Clock): Pick<HttpPorts, 'remember' | 'keepResponse'> => ({
  remember: (ctx, route, key, bodyHash) =>
    ctx.transaction(async (tx) => {
      const made = await query(
        tx,
        'insert into idempotency_key (business_id, actor, route, key, body_hash, created_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning key',
        [ctx.businessId, ctx.actor.id, route, key, bodyHash, clock.now()],
      );
      if (made.length > 0) return { is: 'new' };
      const kept = await queryOne<{ body_hash: string; response: unknown }>(
        tx,
        'select body_hash, response from idempotency_key where actor = $1 and route = $2 and key = $3',
        [ctx.actor.id, route, key],
      );
      return kept?.body_hash === bodyHash ? { is: 'replay', response: fromJson(kept.response) } : { is: 'conflict' };
    }),
  keepResponse: (ctx: Context, route: string, key: string, response: unknown) =>
    ctx.transaction(async (tx) => {
      await query(tx, 'update idempotency_key set response = $4 where actor = $1 and route = $2 and key = $3', [ctx.actor.id, route, key, json(response)]);
    }),
});
