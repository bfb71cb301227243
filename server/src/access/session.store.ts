import type { Database, Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';

export const operator = 'operator';

/** How long a session lives without being used. */
export const sessionMs = 12 * 3_600_000;

/** How long one may go on at most, however much it is used; the operator's not even that long. */
export const longestMs = 7 * 86_400_000;
export const operatorLongestMs = 12 * 3_600_000;

export function split(text: string): [owner: string, rest: string] {
  const dot = text.indexOf('.');
  return dot < 0 ? ['', ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** Where a session was begun, and when its second factor was given. */
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

/**
 * A session whose token is short and is renewed by another token, used once each: `family` names
 * them all.
 */
export type Renewal = {
  family: string;
  refreshHash: string;
  expiresAt: Date;
  renewUntil: Date;
  zohoUserId: string;
};

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

export const insertSession = (tx: Tx, is: NewSession) =>
  query(
    tx,
    `insert into session (business_id, id, membership_id, expires_at, created_at, address, user_agent, verified_at, last_seen_at,
       family, refresh_hash, renew_until, zoho_user_id, zoho_checked_at, lineage, awaits_second_factor)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      is.businessId,
      is.id,
      is.membershipId,
      is.expiresAt,
      is.createdAt,
      is.address,
      is.userAgent,
      is.verifiedAt,
      is.seenAt,
      is.renewal?.family ?? null,
      is.renewal?.refreshHash ?? null,
      is.renewal?.renewUntil ?? null,
      is.renewal?.zohoUserId ?? null,
      is.renewal ? is.seenAt : null,
      is.lineage,
      is.awaitsSecondFactor,
    ],
  );

/**
 * One after the other for whatever begins sessions out of others, and whatever ends all of a
 * person's: what is passed on from one business to another would otherwise slip through between the
 * two (`platform` door). False where the person may not sign in any more.
 */
export const holdSessionsOf = async (tx: Tx, personId: string): Promise<boolean> =>
  (
    await queryOne<{ status: string }>(
      tx,
      'select status from reference.person where id = $1 for update',
      [personId],
    )
  )?.status === 'active';

/** Whether a session is there still; one that is renewed is the same under its next token. */
export const isSession = async (tx: Tx, id: string, lineage: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from session where id = $1 or family = $2', [
    id,
    lineage,
  ])) !== null;

/** The same, and it stays for the rest of the transaction: whatever ends it waits. */
export const holdSession = async (tx: Tx, id: string, lineage: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from session where id = $1 or family = $2 for key share', [
    id,
    lineage,
  ])) !== null;

/** The same of an operator (`platform` door). */
export const holdOperatorSession = async (tx: Tx, id: string): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as yes from reference.operator_session where id = $1 for key share',
    [id],
  )) !== null;

/** Whether an operator's is there still (`platform` door). */
export const isOperatorSession = async (tx: Tx, id: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from reference.operator_session where id = $1', [id])) !==
  null;

/**
 * Ends a session that is passed on, and says since when there was one; null where it has ended
 * already.
 */
export async function consumeSession(tx: Tx, id: string): Promise<Date | null> {
  const taken = await queryOne<{ created_at: unknown }>(
    tx,
    'delete from session where id = $1 returning created_at',
    [id],
  );
  return taken && toDate(taken.created_at);
}

/** The one that goes on from it: it lives no longer than the first could have. */
export const passSession = (
  tx: Tx,
  is: Pick<
    NewSession,
    'businessId' | 'id' | 'membershipId' | 'address' | 'userAgent' | 'verifiedAt' | 'lineage'
  >,
  since: Date,
  now: Date,
) =>
  insertSession(tx, {
    ...is,
    expiresAt: new Date(Math.min(now.getTime() + sessionMs, since.getTime() + longestMs)),
    createdAt: since,
    seenAt: now,
    renewal: null,
    awaitsSecondFactor: false,
  });

/** What has expired in one business. */
export const deleteExpiredSessions = (tx: Tx, now: Date) =>
  query(tx, 'delete from session where coalesce(renew_until, expires_at) < $1', [now]);

export const sessionSeen = (database: Database, sessionId: string, at: Date) =>
  onSession(database, sessionId, 'update {table} set last_seen_at = $2 where {key}', [at]);

/** The second factor was given in it. */
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
 * Every session of a membership but one, however many there are: `exceptId` as it is stored,
 * without its business.
 */
export const deleteSessionsOf = (tx: Tx, membershipId: string, exceptId: string | null) =>
  query(tx, "delete from session where membership_id = $1 and id <> coalesce($2, '')", [
    membershipId,
    exceptId,
  ]);

/** The same of an operator (`platform` door). */
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

/** The living sessions of one membership, newest first. */
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

/** The operator's (`platform` door). */
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
 * The ids of every living session of a membership: what may be chosen from is not cut short as what
 * is shown is.
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

export type RenewableSession = {
  id: string;
  membershipId: string;
  zohoUserId: string;
  refreshHash: string;
  previousHash: string | null;
  renewUntil: Date;
  createdAt: Date;
  checkedAt: Date;
  renewedAt: Date | null;
};

/** The session of a family of refresh tokens, locked for the rest of the transaction. */
export async function lockFamily(tx: Tx, family: string): Promise<RenewableSession | null> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select s.id, s.membership_id, s.zoho_user_id, s.refresh_hash, s.previous_hash, s.renew_until, s.created_at, s.zoho_checked_at, s.renewed_at
       from session s join membership m on m.business_id = s.business_id and m.id = s.membership_id and m.status = 'active'
      where s.family = $1 for update of s`,
    [family],
  );
  return (
    row && {
      id: row.id as string,
      membershipId: row.membership_id as string,
      zohoUserId: row.zoho_user_id as string,
      refreshHash: row.refresh_hash as string,
      previousHash: row.previous_hash as string | null,
      renewUntil: toDate(row.renew_until),
      createdAt: toDate(row.created_at),
      checkedAt: toDate(row.zoho_checked_at),
      renewedAt: toDateOrNull(row.renewed_at),
    }
  );
}

/**
 * The family goes on under a new token and a new refresh token; the one just used stays known, in
 * case its answer was lost.
 */
export const renewFamily = (
  tx: Tx,
  family: string,
  to: {
    id: string;
    refreshHash: string;
    previousHash: string;
    expiresAt: Date;
    renewUntil: Date;
    checkedAt: Date;
    at: Date;
  },
) =>
  query(
    tx,
    `update session set id = $2, refresh_hash = $3, previous_hash = $4, expires_at = $5, renew_until = $6, zoho_checked_at = $7, last_seen_at = $8, renewed_at = $8
      where family = $1`,
    [
      family,
      to.id,
      to.refreshHash,
      to.previousHash,
      to.expiresAt,
      to.renewUntil,
      to.checkedAt,
      to.at,
    ],
  );

export const deleteFamily = (tx: Tx, family: string) =>
  query(tx, 'delete from session where family = $1', [family]);

/** Every session of somebody who came by Zoho and may no longer. */
export const deleteSessionsOfZohoUser = (tx: Tx, zohoUserId: string) =>
  query(tx, 'delete from session where zoho_user_id = $1', [zohoUserId]);
