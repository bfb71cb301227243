import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';

export type TokenKind =
  | 'password_reset'
  | 'first_operator'
  | 'email_change'
  | 'operator_invitation';
type PersonToken = { kind: TokenKind; personId: string | null; email: string | null };
export type PendingToken = PersonToken & {
  hash: string;
  nonce: string | null;
  createdAt: Date;
  expiresAt: Date;
};

/**
 * Stores a mailed link. A person has one pending link of a kind: a new one replaces the one before.
 * Links about nobody yet stand beside each other.
 */
export const putToken = (tx: Tx, token: Omit<PendingToken, 'createdAt'>, at: Date) =>
  query(
    tx,
    `insert into reference.person_token (secret_hash, kind, person_id, email, nonce, expires_at, created_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (kind, person_id) where person_id is not null
     do update set secret_hash = $1, email = $4, nonce = $5, expires_at = $6, created_at = $7, used_at = null`,
    [token.hash, token.kind, token.personId, token.email, token.nonce, token.expiresAt, at],
  );

const tokenColumns = 'kind, person_id, email, secret_hash, nonce, created_at, expires_at';

/** Finds the pending link of a kind for a person. */
export const findPendingToken = async (
  tx: Tx,
  kind: TokenKind,
  personId: string,
  at: Date,
): Promise<PendingToken | null> =>
  toToken(
    await queryOne(
      tx,
      `select ${tokenColumns} from reference.person_token where kind = $1 and person_id = $2 and used_at is null and expires_at > $3`,
      [kind, personId, at],
    ),
  );

/** Finds a pending link by its secret's hash, without consuming it. */
export const findTokenOf = async (
  tx: Tx,
  hash: string,
  kind: TokenKind,
  at: Date,
): Promise<PendingToken | null> =>
  toToken(
    await queryOne(
      tx,
      `select ${tokenColumns} from reference.person_token where secret_hash = $1 and kind = $2 and used_at is null and expires_at > $3`,
      [hash, kind, at],
    ),
  );

/** Consumes a token; null if it is unknown, used or expired. */
export const consumeToken = async (
  tx: Tx,
  hash: string,
  kind: TokenKind,
  at: Date,
): Promise<PendingToken | null> =>
  toToken(
    await queryOne(
      tx,
      `update reference.person_token set used_at = $3 where secret_hash = $1 and kind = $2 and used_at is null and expires_at > $3 returning ${tokenColumns}`,
      [hash, kind, at],
    ),
  );

/** Deletes the unused links of a kind for a person. */
export const dropTokens = (tx: Tx, kind: TokenKind, personId: string | null) =>
  query(
    tx,
    'delete from reference.person_token where kind = $1 and person_id is not distinct from $2 and used_at is null',
    [kind, personId],
  );

/** Deletes the unused links mailed to an address that are about nobody yet. */
export const dropTokensTo = (tx: Tx, kind: TokenKind, email: string) =>
  query(
    tx,
    'delete from reference.person_token where kind = $1 and email = $2 and person_id is null and used_at is null',
    [kind, email],
  );

const toToken = (row: Record<string, unknown> | null): PendingToken | null =>
  row && {
    kind: row.kind as TokenKind,
    personId: row.person_id as string | null,
    email: row.email as string | null,
    hash: row.secret_hash as string,
    nonce: row.nonce as string | null,
    createdAt: toDate(row.created_at),
    expiresAt: toDate(row.expires_at),
  };
