import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';

export type Try = { id: string; at: Date; username: string; personId: string | null; address: string; succeeded: boolean; userAgent: string | null };

export const insertTry = (tx: Tx, is: Try) =>
  query(tx, 'insert into reference.sign_in (id, at, username, person_id, address, succeeded, user_agent) values ($1, $2, lower($3), $4, $5, $6, $7)', [
    is.id,
    is.at,
    is.username,
    is.personId,
    is.address,
    is.succeeded,
    is.userAgent,
  ]);

/** Failures since the last success of this name from this address, and of this address with any name. */
export async function countFailures(tx: Tx, username: string, address: string, since: Date): Promise<{ pair: number; address: number }> {
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
  const rows = await query<Record<string, unknown>>(tx, 'select * from reference.sign_in where person_id = $1 and at > $2 order by at desc limit 200', [
    personId,
    since,
  ]);
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

export const deleteOldTries = (tx: Tx, before: Date) => query(tx, 'delete from reference.sign_in where at < $1', [before]);

export type PersonToken = { kind: 'password_reset' | 'first_operator'; personId: string | null };

export const insertToken = (tx: Tx, token: PersonToken & { hash: string; expiresAt: Date }, at: Date) =>
  query(tx, 'insert into reference.person_token (secret_hash, kind, person_id, expires_at, created_at) values ($1, $2, $3, $4, $5)', [
    token.hash,
    token.kind,
    token.personId,
    token.expiresAt,
    at,
  ]);

/** Uses a token up; null where it is unknown, used or over. */
export async function useToken(tx: Tx, hash: string, kind: PersonToken['kind'], at: Date): Promise<PersonToken | null> {
  const rows = await query<{ person_id: string | null }>(
    tx,
    'update reference.person_token set used_at = $3 where secret_hash = $1 and kind = $2 and used_at is null and expires_at > $3 returning person_id',
    [hash, kind, at],
  );
  return rows[0] ? { kind, personId: rows[0].person_id } : null;
}

/** Links of the same kind for the same person that nobody has used end with the newest. */
export const dropTokens = (tx: Tx, kind: PersonToken['kind'], personId: string | null) =>
  query(tx, 'delete from reference.person_token where kind = $1 and person_id is not distinct from $2 and used_at is null', [kind, personId]);
