import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';

/** A later day is kept, an earlier one is not: what a business that was closed has sealed must never be sealed again. */
export const raiseEarliestGoLive = (tx: Tx, day: string | null) =>
  query(tx, 'update business set earliest_go_live = greatest(earliest_go_live, $1::date) where $1::date is not null', [day]);

/** Refuses a day to begin on that lies in the time of a business that was closed. */
export async function checkGoLive(tx: Tx, day: string): Promise<void> {
  const row = await queryOne<{ earliest: string | null }>(tx, 'select earliest_go_live::text as earliest from business');
  if (row?.earliest && day < row.earliest) throw new AppError('go_live_too_early', { field: 'go_live_date', earliest: row.earliest });
}
