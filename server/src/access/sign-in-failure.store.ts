import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';

export type Try = {
  id: string;
  at: Date;
  username: string;
  personId: string | null;
  address: string;
  succeeded: boolean;
  userAgent: string | null;
};

export const insertTry = (tx: Tx, tried: Try) =>
  query(
    tx,
    'insert into reference.sign_in (id, at, username, person_id, address, succeeded, user_agent) values ($1, $2, lower($3), $4, $5, $6, $7)',
    [
      tried.id,
      tried.at,
      tried.username,
      tried.personId,
      tried.address,
      tried.succeeded,
      tried.userAgent,
    ],
  );

/** Marks a try as right; until then it counts as failed. */
export const trySucceeded = (tx: Tx, id: string) =>
  query(tx, 'update reference.sign_in set succeeded = true where id = $1', [id]);

/**
 * Counts the failures of this name from this address, whatever succeeded in between. For a secret
 * of which a guesser may know a right one too.
 */
export const countEveryFailure = async (
  tx: Tx,
  username: string,
  address: string,
  since: Date,
): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      'select count(*)::int as n from reference.sign_in where username = lower($1) and address = $2 and not succeeded and at > $3',
      [username, address, since],
    )
  )?.n ?? 0;

/**
 * Counts the failures since the last success of this name from this address, and of this address
 * with any name.
 */
export async function countFailures(
  tx: Tx,
  username: string,
  address: string,
  since: Date,
): Promise<{ pair: number; address: number }> {
  const row = await queryOne<{ pair: number; address: number }>(
    tx,
    `select
       (select count(*)::int from reference.sign_in s where s.username = lower($1) and s.address = $2 and not s.succeeded and s.at > greatest($3::timestamptz,
          coalesce((select max(at) from reference.sign_in o where o.username = lower($1) and o.address = $2 and o.succeeded and o.at > $3), $3))) as pair,
       (select count(distinct s.username)::int from reference.sign_in s where s.address = $2 and not s.succeeded and s.at > $3
          and not exists (select 1 from reference.sign_in o where o.address = s.address and o.username = s.username and o.succeeded and o.at > s.at)) as address`,
    [username, address, since],
  );
  return row ?? { pair: 0, address: 0 };
}

export async function listTries(tx: Tx, personId: string, since: Date): Promise<Try[]> {
  const rows = await query<Record<string, unknown>>(
    tx,
    'select id, at, username, person_id, address, succeeded, user_agent from reference.sign_in where person_id = $1 and at > $2 order by at desc limit 200',
    [personId, since],
  );
  return rows.map((row) => ({
    id: row.id as string,
    at: toDate(row.at),
    username: row.username as string,
    personId,
    address: row.address as string,
    succeeded: row.succeeded as boolean,
    userAgent: row.user_agent as string | null,
  }));
}

export const deleteOldTries = (tx: Tx, before: Date) =>
  query(tx, 'delete from reference.sign_in where at < $1', [before]);
