import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import { limitConcurrencyByKey } from '../platform/limit-concurrency-by-key.ts';
import type { NewId } from '../platform/new-id.ts';
import { countSince, deleteCountedOf, insertCounted } from './counted-try.store.ts';

export type Allowance = { max: number; withinMs: number };

/** Counts tries of a secret, or of what sends a mail, by subject. */
export type Tries = {
  /**
   * Counts one more try and says whether it may go on. A refused try is not counted: a person who
   * waits long enough may try again.
   */
  allow(subject: string, allowance: Allowance): Promise<boolean>;
  /** Clears the count of a subject, because the secret was right. */
  forget(subject: string): Promise<void>;
};

export function openTries(ports: { database: Database; clock: Clock; newId: NewId }): Tries {
  const { database, clock } = ports;
  return {
    allow: (subject, { max, withinMs }) =>
      counting(database, subject, async (tx) => {
        const at = clock.now();
        if ((await countSince(tx, subject, new Date(at.getTime() - withinMs))) >= max) return false;
        await insertCounted(tx, { id: ports.newId('counted_try'), subject, at });
        return true;
      }),
    forget: async (subject) => {
      await database.platform((tx) => deleteCountedOf(tx, subject));
    },
  };
}

/**
 * Runs a transaction at the platform's door in which nobody else counts the same subject. Otherwise
 * tries sent all at once would each read the count before any of them is written. Within a process
 * the waiting ones hold no connection; processes wait for each other in the database.
 */
export const counting = <T>(
  database: Database,
  subject: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> =>
  turn(subject, () =>
    database.platform(async (tx) => {
      await query(tx, 'select pg_advisory_xact_lock(hashtextextended($1, 0))', [subject]);
      return work(tx);
    }),
  );

const turn = limitConcurrencyByKey(1);
