import type { Database, Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';
import type { Renewal } from './renewal.store.ts';
import { operator, split } from './session-id.ts';
import { endOfPassed } from './session.model.ts';

/** Where a session began, and when its second factor was given. */
export type SessionAttributes = {
  address: string | null;
  userAgent: string | null;
  verifiedAt: Date | null;
  renewal?: Renewal;
  /** The session it goes on from, if it does: wrong codes of both count as one. */
  lineage?: string;
  /**
   * Begun without the second factor its person has set up; it opens nothing before that is given.
   */
  awaitsSecondFactor?: boolean;
};

/** Runs a statement on the session's own table, through the door of its owner. */
export async function onSession(
  database: Database,
  sessionId: string,
  statement: string,
  more: unknown[],
): Promise<void> {
  const [owner, id] = split(sessionId);
  if (owner === operator) {
    const sql = statement
      .replace('{table}', 'reference.operator_session')
      .replace('{key}', 'id = $1');
    await database.platform((tx) => query(tx, sql, [id, ...more]));
    return;
  }
  const sql = statement
    .replace('{table}', 'session')
    .replace('{key}', `id = $1 and business_id = $${more.length + 2}`);
  await database.transaction(owner, (tx) => query(tx, sql, [id, ...more, owner]));
}

type NewSession = {
  businessId: string;
  id: string;
  membershipId: string;
  expiresAt: Date;
  createdAt: Date;
  seenAt: Date;
  address: string | null;
  userAgent: string | null;
  verifiedAt: Date | null;
  renewal: Renewal | null;
  lineage: string;
  awaitsSecondFactor: boolean;
};

export const insertSession = (tx: Tx, session: NewSession) =>
  query(
    tx,
    `insert into session (business_id, id, membership_id, expires_at, created_at, address, user_agent, verified_at, last_seen_at,
       family, refresh_hash, renew_until, zoho_user_id, zoho_checked_at, lineage, awaits_second_factor)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      session.businessId,
      session.id,
      session.membershipId,
      session.expiresAt,
      session.createdAt,
      session.address,
      session.userAgent,
      session.verifiedAt,
      session.seenAt,
      session.renewal?.family ?? null,
      session.renewal?.refreshHash ?? null,
      session.renewal?.renewUntil ?? null,
      session.renewal?.zohoUserId ?? null,
      session.renewal ? session.seenAt : null,
      session.lineage,
      session.awaitsSecondFactor,
    ],
  );

/**
 * Locks the sessions of a person (`platform` door); false if the person may not sign in any more. A
 * session passed on to another business could otherwise escape what ends all of them.
 */
export const holdSessionsOf = async (tx: Tx, personId: string): Promise<boolean> =>
  (
    await queryOne<{ status: string }>(
      tx,
      'select status from reference.person where id = $1 for update',
      [personId],
    )
  )?.status === 'active';

/** Says whether a session is alive; a renewed one is the same under its next token. */
export const isSession = async (tx: Tx, id: string, lineage: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from session where id = $1 or family = $2', [
    id,
    lineage,
  ])) !== null;

/** Says whether a session is alive and keeps it so for the transaction: what ends it waits. */
export const holdSession = async (tx: Tx, id: string, lineage: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from session where id = $1 or family = $2 for key share', [
    id,
    lineage,
  ])) !== null;

/** Does the same for an operator's session (`platform` door). */
export const holdOperatorSession = async (tx: Tx, id: string): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as yes from reference.operator_session where id = $1 for key share',
    [id],
  )) !== null;

/** Says whether an operator's session is alive (`platform` door). */
export const isOperatorSession = async (tx: Tx, id: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from reference.operator_session where id = $1', [id])) !==
  null;

/** Ends a session that is passed on and returns when it began; null if it has ended already. */
export async function consumeSession(tx: Tx, id: string): Promise<Date | null> {
  const taken = await queryOne<{ created_at: unknown }>(
    tx,
    'delete from session where id = $1 returning created_at',
    [id],
  );
  return taken && toDate(taken.created_at);
}

/** Inserts the session that goes on from a consumed one, and lives no longer than that could. */
export const passSession = (
  tx: Tx,
  session: Pick<
    NewSession,
    'businessId' | 'id' | 'membershipId' | 'address' | 'userAgent' | 'verifiedAt' | 'lineage'
  >,
  begun: Date,
  now: Date,
) =>
  insertSession(tx, {
    ...session,
    expiresAt: endOfPassed(begun, now),
    createdAt: begun,
    seenAt: now,
    renewal: null,
    awaitsSecondFactor: false,
  });

/** Deletes what has expired in one business. */
export const deleteExpiredSessions = (tx: Tx, now: Date) =>
  query(tx, 'delete from session where coalesce(renew_until, expires_at) < $1', [now]);

export const sessionSeen = (database: Database, sessionId: string, at: Date) =>
  onSession(database, sessionId, 'update {table} set last_seen_at = $2 where {key}', [at]);

/** Notes that the second factor was given in a session. */
export const sessionVerified = (database: Database, sessionId: string, at: Date) =>
  onSession(
    database,
    sessionId,
    `update {table} set verified_at = $2${sessionId.startsWith(`${operator}.`) ? '' : ', awaits_second_factor = false'} where {key}`,
    [at],
  );

export const sessionAdmitted = (database: Database, sessionId: string) =>
  onSession(database, sessionId, 'update {table} set awaits_second_factor = false where {key}', []);

/**
 * Deletes every session of a membership but one, however many there are. `exceptId` is as stored,
 * without its business.
 */
export const deleteSessionsOf = (tx: Tx, membershipId: string, exceptId: string | null) =>
  query(tx, "delete from session where membership_id = $1 and id <> coalesce($2, '')", [
    membershipId,
    exceptId,
  ]);

/** Does the same for an operator (`platform` door). */
export const deleteOperatorSessionsOf = (tx: Tx, personId: string, exceptId: string | null) =>
  query(
    tx,
    "delete from reference.operator_session where person_id = $1 and id <> coalesce($2, '')",
    [personId, exceptId],
  );

export type StoredSession = {
  id: string;
  address: string | null;
  userAgent: string | null;
  createdAt: Date;
  lastSeenAt: Date | null;
};

const toStored = (owner: string, row: Record<string, unknown>): StoredSession => ({
  id: `${owner}.${row.id as string}`,
  address: row.address as string | null,
  userAgent: row.user_agent as string | null,
  createdAt: toDate(row.created_at),
  lastSeenAt: toDateOrNull(row.last_seen_at),
});

/** Lists the living sessions of one membership, newest first. */
export const listSessionsOf = async (
  tx: Tx,
  businessId: string,
  membershipId: string,
  now: Date,
): Promise<StoredSession[]> =>
  (
    await query(
      tx,
      'select id, address, user_agent, created_at, last_seen_at from session where membership_id = $1 and coalesce(renew_until, expires_at) > $2 order by created_at desc limit 50',
      [membershipId, now],
    )
  ).map((row) => toStored(businessId, row));

/** Lists the living sessions of an operator (`platform` door). */
export const listOperatorSessions = async (
  tx: Tx,
  personId: string,
  now: Date,
): Promise<StoredSession[]> =>
  (
    await query(
      tx,
      'select id, address, user_agent, created_at, last_seen_at from reference.operator_session where person_id = $1 and expires_at > $2 order by created_at desc limit 50',
      [personId, now],
    )
  ).map((row) => toStored(operator, row));

/**
 * Lists the ids of every session of a membership. Unlike the list that is shown, this one is not
 * cut short: any of them may be chosen.
 */
export const listSessionIdsOf = async (
  tx: Tx,
  businessId: string,
  membershipId: string,
): Promise<string[]> =>
  (
    await query<{ id: string }>(tx, 'select id from session where membership_id = $1', [
      membershipId,
    ])
  ).map((row) => `${businessId}.${row.id}`);

export const listOperatorSessionIds = async (tx: Tx, personId: string): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      'select id from reference.operator_session where person_id = $1',
      [personId],
    )
  ).map((row) => `${operator}.${row.id}`);
