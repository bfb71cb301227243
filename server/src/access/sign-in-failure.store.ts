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

export const insertTry = (tx: Tx, is: Try) =>
  query(
    tx,
    'insert into reference.sign_in (id, at, username, person_id, address, succeeded, user_agent) values ($1, $2, lower($3), $4, $5, $6, $7)',
    [is.id, is.at, is.username, is.personId, is.address, is.succeeded, is.userAgent],
  );

/** A try counts as failed until it has come to its end. */
export const trySucceeded = (tx: Tx, id: string) =>
  query(tx, 'update reference.sign_in set succeeded = true where id = $1', [id]);

/**
 * Failures of this name from this address, whatever succeeded in between: for a secret that whoever
 * guesses can also know one of.
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
 * Failures since the last success of this name from this address, and of this address with any
 * name.
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

export type TokenKind =
  | 'password_reset'
  | 'first_operator'
  | 'email_change'
  | 'operator_invitation';
export type PersonToken = { kind: TokenKind; personId: string | null; email: string | null };
export type OpenToken = PersonToken & {
  hash: string;
  nonce: string | null;
  createdAt: Date;
  expiresAt: Date;
};

/**
 * One open link of a kind for a person: a new one takes the place of the one before. Links about
 * nobody yet stand beside each other.
 */
export const putToken = (tx: Tx, token: Omit<OpenToken, 'createdAt'>, at: Date) =>
  query(
    tx,
    `insert into reference.person_token (secret_hash, kind, person_id, email, nonce, expires_at, created_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (kind, person_id) where person_id is not null
     do update set secret_hash = $1, email = $4, nonce = $5, expires_at = $6, created_at = $7, used_at = null`,
    [token.hash, token.kind, token.personId, token.email, token.nonce, token.expiresAt, at],
  );

/** The link of a kind for a person that is open now. */
const tokenColumns = 'kind, person_id, email, secret_hash, nonce, created_at, expires_at';

export const findOpenToken = async (
  tx: Tx,
  kind: TokenKind,
  personId: string,
  at: Date,
): Promise<OpenToken | null> =>
  toToken(
    await queryOne(
      tx,
      `select ${tokenColumns} from reference.person_token where kind = $1 and person_id = $2 and used_at is null and expires_at > $3`,
      [kind, personId, at],
    ),
  );

/** A link that is open, as long as nobody uses it. */
export const findTokenOf = async (
  tx: Tx,
  hash: string,
  kind: TokenKind,
  at: Date,
): Promise<OpenToken | null> =>
  toToken(
    await queryOne(
      tx,
      `select ${tokenColumns} from reference.person_token where secret_hash = $1 and kind = $2 and used_at is null and expires_at > $3`,
      [hash, kind, at],
    ),
  );

/** Uses a token up; null where it is unknown, used or over. */
export const useToken = async (
  tx: Tx,
  hash: string,
  kind: TokenKind,
  at: Date,
): Promise<OpenToken | null> =>
  toToken(
    await queryOne(
      tx,
      `update reference.person_token set used_at = $3 where secret_hash = $1 and kind = $2 and used_at is null and expires_at > $3 returning ${tokenColumns}`,
      [hash, kind, at],
    ),
  );

/** Links of a kind for a person that nobody has used. */
export const dropTokens = (tx: Tx, kind: TokenKind, personId: string | null) =>
  query(
    tx,
    'delete from reference.person_token where kind = $1 and person_id is not distinct from $2 and used_at is null',
    [kind, personId],
  );

/** The same of links that were mailed to an address and are about nobody yet. */
export const dropTokensTo = (tx: Tx, kind: TokenKind, email: string) =>
  query(
    tx,
    'delete from reference.person_token where kind = $1 and email = $2 and person_id is null and used_at is null',
    [kind, email],
  );

const toToken = (row: Record<string, unknown> | null): OpenToken | null =>
  row && {
    kind: row.kind as TokenKind,
    personId: row.person_id as string | null,
    email: row.email as string | null,
    hash: row.secret_hash as string,
    nonce: row.nonce as string | null,
    createdAt: toDate(row.created_at),
    expiresAt: toDate(row.expires_at),
  };
