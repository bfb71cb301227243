import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';

/**
 * A later day is kept, an earlier one is not: what a business that was closed has sealed must never
 * be sealed again.
 */
export const raiseEarliestGoLive = (tx: Tx, day: string | null) =>
  query(
    tx,
    'update business set earliest_go_live = greatest(earliest_go_live, $1::date) where $1::date is not null',
    [day],
  );

/**
 * The branches that seal for real begin with it anew at this moment, if that is later: whatever was
 * created in the books before may have been sealed by another system, and is never sealed by itself
 * any more.
 */
export const sealForRealFrom = (tx: Tx, at: Date) =>
  query(
    tx,
    'update branch set production_since = greatest(production_since, $1::timestamptz) where production_since is not null',
    [at],
  );

/**
 * The day to begin on is moved to an earlier one: until the day that held before, or now where that
 * is still to come, another system sealed. An earlier day brings those documents in; it does not
 * make them ours.
 */
export async function keepLaterGoLive(
  tx: Tx,
  { before, after, now }: { before: string; after: string; now: Date },
): Promise<void> {
  if (after >= before) return;
  const begun = new Date(`${before}T00:00:00Z`);
  await sealForRealFrom(tx, begun < now ? begun : now);
}

/** Refuses a day to begin on that lies in the time of a business that was closed. */
export async function checkGoLive(tx: Tx, day: string): Promise<void> {
  const row = await queryOne<{ earliest: string | null }>(
    tx,
    'select earliest_go_live::text as earliest from business',
  );
  if (row?.earliest && day < row.earliest)
    throw new AppError('go_live_too_early', { field: 'go_live_date', earliest: row.earliest });
}
