import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';

/** Inserts a try of what is counted by subject, for every process (`platform` door). */
export const insertCounted = (tx: Tx, tried: { id: string; subject: string; at: Date }) =>
  query(tx, 'insert into reference.counted_try (id, subject, at) values ($1, $2, $3)', [
    tried.id,
    tried.subject,
    tried.at,
  ]);

export const countSince = async (tx: Tx, subject: string, since: Date): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      'select count(*)::int as n from reference.counted_try where subject = $1 and at > $2',
      [subject, since],
    )
  )?.n ?? 0;

export const deleteCountedOf = (tx: Tx, subject: string) =>
  query(tx, 'delete from reference.counted_try where subject = $1', [subject]);

export const deleteOldCounted = (tx: Tx, before: Date) =>
  query(tx, 'delete from reference.counted_try where at < $1', [before]);
