import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';

/**
 * Keeps a later day, never an earlier one: what a business that was closed has signed must never be
 * signed again.
 */
export const raiseEarliestGoLive = (tx: Tx, day: string | null) =>
  query(
    tx,
    'update business set earliest_go_live = greatest(earliest_go_live, $1::date) where $1::date is not null',
    [day],
  );

/**
 * Moves the moment from which branches sign for real, if this one is later. What was created in the
 * books before may have been signed by another system, so it is never signed automatically.
 */
export const raiseProductionSince = (tx: Tx, at: Date) =>
  query(
    tx,
    'update branch set production_since = greatest(production_since, $1::timestamptz) where production_since is not null',
    [at],
  );

/**
 * Keeps the former day to begin on as that from which branches sign for real, if the day is moved to
 * an earlier one. Until the former day, or until now if that is still to come, another system
 * signed: an earlier day brings those documents in, but does not make them ours.
 */
export async function keepLaterGoLive(
  tx: Tx,
  { before, after, now }: { before: string; after: string; now: Date },
): Promise<void> {
  if (after >= before) return;
  const begun = new Date(`${before}T00:00:00Z`);
  await raiseProductionSince(tx, begun < now ? begun : now);
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
