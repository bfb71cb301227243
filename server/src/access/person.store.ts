import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';
import type { Context, Person } from '../context.ts';
import { AppError } from '../platform/app-error.ts';

export type StoredPerson = Person & {
  passwordHash: string;
  isOperator: boolean;
  dataKey: string | null;
  totpSecret: string | null;
  totpConfirmedAt: Date | null;
  totpLastStep: string | null;
  emailVerifiedAt: Date | null;
  passwordChangedAt: Date | null;
};

const columns = `id, username, name, email, password_hash, is_operator, data_key, totp_secret, totp_confirmed_at, totp_last_step::text, email_verified_at,
  password_changed_at`;
const toPerson = (row: Record<string, unknown> | null): StoredPerson | null =>
  row && {
    id: row.id as string,
    username: row.username as string,
    name: row.name as string,
    email: row.email as string,
    passwordHash: row.password_hash as string,
    isOperator: row.is_operator as boolean,
    dataKey: row.data_key as string | null,
    totpSecret: row.totp_secret as string | null,
    totpConfirmedAt: toDateOrNull(row.totp_confirmed_at),
    totpLastStep: row.totp_last_step as string | null,
    emailVerifiedAt: toDateOrNull(row.email_verified_at),
    passwordChangedAt: toDateOrNull(row.password_changed_at),
  };

/** Finds a person by name, compared without case (`platform` door). */
export const findPerson = async (tx: Tx, username: string) =>
  toPerson(
    await queryOne(
      tx,
      `select ${columns} from reference.person where username = lower($1) and status = 'active'`,
      [username],
    ),
  );

export const findPersonById = async (tx: Tx, id: string) =>
  toPerson(
    await queryOne(
      tx,
      `select ${columns} from reference.person where id = $1 and status = 'active'`,
      [id],
    ),
  );

/** Locks a person for the rest of the transaction: for a secret that may be used once. */
export const lockPerson = async (tx: Tx, id: string) =>
  toPerson(
    await queryOne(
      tx,
      `select ${columns} from reference.person where id = $1 and status = 'active' for update`,
      [id],
    ),
  );

/**
 * Says whether a person may act, and keeps it so for the rest of the transaction (`platform` door).
 * Whatever ends or blocks this person waits for it, and then finds what was made in it.
 */
export const holdPerson = async (tx: Tx, id: string): Promise<boolean> =>
  (await queryOne(
    tx,
    "select 1 as yes from reference.person where id = $1 and status = 'active' for share",
    [id],
  )) !== null;

/**
 * Runs a transaction in a business for what must not outlive the person who makes it: it is made
 * before they are ended or blocked, or not at all.
 */
export const whilePersonIsActive = <T>(ctx: Context, work: (tx: Tx) => Promise<T>): Promise<T> =>
  ctx.registration(async (tx, enter) => {
    const { type, id } = ctx.actor;
    if ((type === 'person' || type === 'operator') && !(await holdPerson(tx, id)))
      throw new AppError('not_signed_in');
    await enter();
    return work(tx);
  });

/** Who has blocked a person, and since when; the time is null if neither is known. */
type Block = { at: Date | null; byType: string | null };
export type ListedPerson = Person & {
  hasSecondFactor: boolean;
  isBlocked: boolean;
  block: Block | null;
  isEmailVerified: boolean;
  lastSignInAt: Date | null;
};

export async function listPersons(tx: Tx, ids: string[]): Promise<ListedPerson[]> {
  const rows = await query<Record<string, unknown>>(
    tx,
    `select ${columns}, status, last_sign_in_at, blocked_at, blocked_by_type from reference.person where id = any($1::text[])`,
    [ids],
  );
  return rows.map((row) => {
    const { id, username, name, email, totpConfirmedAt, emailVerifiedAt } = toPerson(
      row,
    ) as StoredPerson;
    return {
      id,
      username,
      name,
      email,
      hasSecondFactor: totpConfirmedAt !== null,
      isBlocked: row.status === 'blocked',
      block:
        row.status === 'blocked'
          ? { at: toDateOrNull(row.blocked_at), byType: row.blocked_by_type as string | null }
          : null,
      isEmailVerified: emailVerifiedAt !== null,
      lastSignInAt: toDateOrNull(row.last_sign_in_at),
    };
  });
}

export const hasOperator = async (tx: Tx): Promise<boolean> =>
  (await queryOne(
    tx,
    "select 1 as yes from reference.person where is_operator and status = 'active' limit 1",
  )) !== null;

/** Lists the operators by name. */
export async function listOperators(tx: Tx) {
  const rows = await query<Record<string, unknown>>(
    tx,
    `select ${columns}, last_sign_in_at, created_at from reference.person where is_operator and status = 'active' order by name, id`,
  );
  return rows.map((row) => {
    const { id, username, name, email, totpConfirmedAt } = toPerson(row) as StoredPerson;
    const rest = {
      hasSecondFactor: totpConfirmedAt !== null,
      lastSignInAt: toDateOrNull(row.last_sign_in_at),
      createdAt: toDate(row.created_at),
    };
    return { id, username, name, email, ...rest };
  });
}

/** Locks the operators, so that two who end each other at once cannot both succeed. */
export const lockOperators = async (tx: Tx): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      "select id from reference.person where is_operator and status = 'active' order by id for update",
    )
  ).map((row) => row.id);

export const endPerson = (tx: Tx, id: string) =>
  query(tx, "update reference.person set status = 'ended' where id = $1", [id]);

/** Blocks a person, and keeps who does so and since when. */
export const blockPerson = (tx: Tx, id: string, actor: { id: string; type: string }, at: Date) =>
  query(
    tx,
    "update reference.person set status = 'blocked', blocked_at = $2, blocked_by = $3, blocked_by_type = $4 where id = $1",
    [id, at, actor.id, actor.type],
  );

export const unblockPerson = (tx: Tx, id: string) =>
  query(
    tx,
    "update reference.person set status = 'active', blocked_at = null, blocked_by = null, blocked_by_type = null where id = $1",
    [id],
  );

export const isPersonBlocked = async (tx: Tx, id: string): Promise<boolean> =>
  (await queryOne(
    tx,
    "select 1 as yes from reference.person where id = $1 and status = 'blocked'",
    [id],
  )) !== null;

type NewPerson = Person & { passwordHash: string; isOperator: boolean; isEmailVerified: boolean };

/**
 * Inserts a person. `isEmailVerified`: they have shown that the address is theirs, or the person who
 * runs the server vouches for it.
 */
export async function insertPerson(tx: Tx, person: NewPerson, at: Date): Promise<void> {
  await query(
    tx,
    `insert into reference.person (id, username, email, name, password_hash, status, is_operator, created_at, password_changed_at,
       email_verified_at)
     values ($1, lower($2), $3, $4, $5, 'active', $6, $7, $7, $8)`,
    [
      person.id,
      person.username,
      person.email,
      person.name,
      person.passwordHash,
      person.isOperator,
      at,
      person.isEmailVerified ? at : null,
    ],
  );
}

/** Notes that a person has just signed in, and returns them as they are now. */
export const noteSignIn = async (tx: Tx, personId: string, at: Date) =>
  toPerson(
    await queryOne(
      tx,
      `update reference.person set last_sign_in_at = $2 where id = $1 and status = 'active' returning ${columns}`,
      [personId, at],
    ),
  );

export const setPassword = (tx: Tx, personId: string, passwordHash: string, at: Date) =>
  query(
    tx,
    'update reference.person set password_hash = $2, password_changed_at = $3 where id = $1',
    [personId, passwordHash, at],
  );

export const setName = (tx: Tx, personId: string, name: string) =>
  query(tx, 'update reference.person set name = $2 where id = $1', [personId, name]);

/** Sets an address; `verifiedAt` is when its owner opened a link mailed there, or null. */
export const setEmail = (tx: Tx, personId: string, email: string, verifiedAt: Date | null) =>
  query(tx, 'update reference.person set email = $2, email_verified_at = $3 where id = $1', [
    personId,
    email,
    verifiedAt,
  ]);

/** Confirms an address by a link that was opened there, as long as it is the person's own. */
export const verifyEmail = (tx: Tx, personId: string, email: string, at: Date) =>
  query(
    tx,
    'update reference.person set email_verified_at = coalesce(email_verified_at, $3) where id = $1 and email = $2',
    [personId, email, at],
  );

export const setTotp = (tx: Tx, personId: string, totp: { dataKey: string; secret: string }) =>
  query(
    tx,
    'update reference.person set data_key = $2, totp_secret = $3, totp_confirmed_at = null, totp_last_step = null where id = $1',
    [personId, totp.dataKey, totp.secret],
  );

/** Consumes a code: it holds once, so the step it belongs to is kept. */
export const consumeTotpStep = (tx: Tx, personId: string, step: number, at: Date) =>
  query(
    tx,
    'update reference.person set totp_last_step = $2, totp_confirmed_at = coalesce(totp_confirmed_at, $3) where id = $1',
    [personId, step, at],
  );
