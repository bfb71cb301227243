import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../platform/db/query.ts';

export type PollState = {
  cursor: Date | null;
  at: Date | null;
  nextAt: Date | null;
  problem: StoredProblem | null;
};
export type StoredPoll = {
  cursor?: string | null;
  at?: string | null;
  next_at?: string | null;
  problem?: StoredProblem | null;
};

const toPolled = (stored: StoredPoll | undefined): PollState => ({
  cursor: stored?.cursor ? new Date(stored.cursor) : null,
  at: stored?.at ? new Date(stored.at) : null,
  nextAt: stored?.next_at ? new Date(stored.next_at) : null,
  problem: stored?.problem ?? null,
});

/**
 * Claims the poll of one kind of document if it is due. The next poll is set at once, so that one
 * process has this one. Every call to Zoho counts itself on this row: a regular poll skips a row
 * that is locked just then and comes again. A person who asked for a poll waits for the row, or would
 * be told that nothing has changed.
 */
export async function claimPoll(
  tx: Tx,
  module: string,
  at: Date,
  nextAt: Date,
  isForced: boolean,
): Promise<PollState | null> {
  const row = await queryOne<{ id: string; polled: unknown }>(
    tx,
    `select id, polled from connection where status = 'active' for update ${isForced ? '' : 'skip locked'}`,
  );
  if (!row) return null;
  const polled = fromJson<Record<string, StoredPoll>>(row.polled);
  const present = toPolled(polled[module]);
  if (!isForced && present.nextAt && present.nextAt > at) return null;
  await query(tx, 'update connection set polled = $2 where id = $1', [
    row.id,
    json({ ...polled, [module]: { ...polled[module], next_at: nextAt.toISOString() } }),
  ]);
  return present;
}

/** Records what a poll came to; `nextAt` is set if the next one is to be sooner than usual. */
export async function endPoll(tx: Tx, module: string, state: PollState): Promise<void> {
  const row = await queryOne<{ id: string; polled: unknown }>(
    tx,
    "select id, polled from connection where status <> 'ended' for update",
  );
  if (!row) return;
  const polled = fromJson<Record<string, StoredPoll>>(row.polled);
  const stored: StoredPoll = {
    ...polled[module],
    cursor: state.cursor?.toISOString() ?? null,
    ...(state.at ? { at: state.at.toISOString() } : {}),
    ...(state.nextAt ? { next_at: state.nextAt.toISOString() } : {}),
    problem: state.problem,
  };
  await query(tx, 'update connection set polled = $2 where id = $1', [
    row.id,
    json({ ...polled, [module]: stored }),
  ]);
}
