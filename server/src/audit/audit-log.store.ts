import type { Clock } from '../platform/clock.ts';
import { json, query } from '../platform/db/query.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Context } from '../context.ts';

export type Entry = { action: string; subject: string; before?: unknown; after?: unknown };
export type Recorder = (tx: Tx, ctx: Context, entry: Entry) => Promise<void>;

/**
 * Writes what was done into the trail, in the transaction that does it: an action whose trail
 * cannot be written did not happen.
 */
export const recorder =
  (clock: Clock, newId: NewId, touched: (businessId: string) => void = () => {}): Recorder =>
  async (tx, ctx, entry) => {
    touched(ctx.businessId);
    await query(
      tx,
      `insert into audit (business_id, id, at, actor_type, actor_id, origin, action, subject, before, after, request_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        ctx.businessId,
        newId('audit'),
        clock.now(),
        ctx.actor.type,
        ctx.actor.id,
        ctx.origin,
        entry.action,
        entry.subject,
        json(entry.before),
        json(entry.after),
        ctx.requestId,
      ],
    );
  };

/**
 * Who did this to each of the subjects, the first time; what stands in no entry is left out. What
 * is chained has an index, and what is not yet is little.
 */
export async function whoDid(
  tx: Tx,
  action: string,
  subjects: string[],
): Promise<Map<string, { type: string; id: string }>> {
  const which = (isChained: string) =>
    `select subject, actor_type, actor_id, at from audit where position is ${isChained} and subject = any($2::text[]) and action = $1`;
  const rows = await query<{ subject: string; actor_type: string; actor_id: string }>(
    tx,
    `${which('not null')} union all ${which('null')} order by at desc`,
    [action, subjects],
  );
  return new Map(rows.map((row) => [row.subject, { type: row.actor_type, id: row.actor_id }]));
}
