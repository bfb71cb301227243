import { type Adapter, type DatabaseSession, type DatabaseUser, Lucia, TimeSpan } from 'lucia';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';
import { operator, split } from './session-id.ts';
import { longestMs, operatorLongestMs, sessionMs } from './session.model.ts';
import { insertSession, onSession, type SessionAttributes } from './session.store.ts';

/** Opens the library that keeps the life of sessions, over our tables. */
export const openLucia = (database: Database, clock: Clock) =>
  new Lucia(sessionAdapter(database, clock), {
    sessionExpiresIn: new TimeSpan(sessionMs / 1000, 's'),
    getSessionAttributes: (attributes) => attributes as never,
  });

export type SessionLibrary = ReturnType<typeof openLucia>;

/**
 * Keeps lucia's sessions in our tables. Its user is a membership, `<business_id>.<membership_id>`;
 * its session id is `<business_id>.<sha256 of the secret>`, so that every method knows which
 * business's door to open. The operator belongs to no business: `operator.<person_id>` and
 * `operator.<hash>`, kept in the reference schema. Secrets are never stored, only their hash.
 */
const sessionAdapter = (database: Database, clock: Clock): Adapter => ({
  async getSessionAndUser(sessionId) {
    const [owner, id] = split(sessionId);
    if (!owner || !id) return [null, null];
    return owner === operator
      ? findOperatorSession(database, sessionId, before(clock.now(), operatorLongestMs))
      : findMemberSession(database, sessionId, clock.now());
  },
  getUserSessions: (userId) => listUserSessions(database, userId),
  setSession: (session) => insertFor(database, clock, session),
  updateSessionExpiration: (sessionId, expiresAt) => extend(database, sessionId, expiresAt),
  async deleteSession(sessionId) {
    await onSession(database, sessionId, 'delete from {table} where {key}', []);
  },
  deleteUserSessions: (userId) => deleteOfUser(database, userId),
  /**
   * Does nothing, because it knows no business: expired sessions are refused at sight, and
   * `deleteExpiredSessions` of the store goes business by business.
   */
  async deleteExpiredSessions() {},
});

type Found = [session: DatabaseSession, user: DatabaseUser] | [null, null];

function findOperatorSession(
  database: Database,
  sessionId: string,
  begunAfter: Date,
): Promise<Found> {
  const [, id] = split(sessionId);
  return database.platform(async (tx) => {
    const row = await queryOne<{ person_id: string } & Row>(
      tx,
      'select person_id, expires_at, created_at, verified_at, last_seen_at, lineage from reference.operator_session where id = $1 and created_at > $2',
      [id, begunAfter],
    );
    return row ? pair(sessionId, `${operator}.${row.person_id}`, row) : [null, null];
  });
}

/**
 * Finds a session of a member. A renewable session whose token has expired is not shown to lucia,
 * which would delete it, and with it the way to renew it.
 */
function findMemberSession(database: Database, sessionId: string, now: Date): Promise<Found> {
  const [owner, id] = split(sessionId);
  return database.transaction(owner, async (tx) => {
    const row = await queryOne<{ membership_id: string } & Row>(
      tx,
      `select s.membership_id, s.expires_at, s.created_at, s.verified_at, s.last_seen_at, s.renew_until, s.zoho_user_id, s.awaits_second_factor,
                coalesce(s.family, s.lineage) as lineage
           from session s join membership m on m.business_id = s.business_id and m.id = s.membership_id and m.status = 'active'
          where s.business_id = $1 and s.id = $2 and (s.renew_until is null or s.expires_at > $3) and s.created_at > $4`,
      [owner, id, now, before(now, longestMs)],
    );
    return row ? pair(sessionId, `${owner}.${row.membership_id}`, row) : [null, null];
  });
}

async function listUserSessions(database: Database, userId: string): Promise<DatabaseSession[]> {
  const [owner, id] = split(userId);
  if (!owner || owner === operator) return [];
  return database.transaction(owner, async (tx) => {
    const rows = await query<{ id: string; expires_at: string }>(
      tx,
      'select id, expires_at from session where business_id = $1 and membership_id = $2',
      [owner, id],
    );
    return rows.map((row) => ({
      id: `${owner}.${row.id}`,
      userId,
      expiresAt: toDate(row.expires_at),
      attributes: {},
    }));
  });
}

/**
 * Inserts a session. It begins by our clock, as everything that asks how long it has lived; the end
 * that the library has computed is by the machine's.
 */
async function insertFor(
  database: Database,
  clock: Clock,
  session: DatabaseSession,
): Promise<void> {
  const [owner, id] = split(session.id);
  const [, member] = split(session.userId);
  const begun = clock.now();
  const { address, userAgent, verifiedAt, renewal, lineage, awaitsSecondFactor } =
    session.attributes as SessionAttributes;
  if (owner === operator) {
    await database.platform((tx) =>
      query(
        tx,
        `insert into reference.operator_session (id, person_id, expires_at, created_at, address, user_agent, verified_at, last_seen_at, lineage)
           values ($1, $2, $3, $4, $5, $6, $7, $4, $8)`,
        [id, member, session.expiresAt, begun, address, userAgent, verifiedAt, lineage ?? id],
      ),
    );
    return;
  }
  await database.transaction(owner, (tx) =>
    insertSession(tx, {
      businessId: owner,
      id,
      membershipId: member as string,
      expiresAt: renewal?.expiresAt ?? session.expiresAt,
      createdAt: begun,
      seenAt: begun,
      address,
      userAgent,
      verifiedAt,
      renewal: renewal ?? null,
      lineage: lineage ?? id,
      awaitsSecondFactor: awaitsSecondFactor ?? false,
    }),
  );
}

/**
 * Extends a session that is used. A renewable one is never extended: only the holder of the refresh
 * token may go on. Nor is an operator's: it ends with its day.
 */
async function extend(database: Database, sessionId: string, expiresAt: Date): Promise<void> {
  if (sessionId.startsWith(`${operator}.`)) return;
  const longest = `created_at + interval '${longestMs / 3_600_000} hours'`;
  await onSession(
    database,
    sessionId,
    `update {table} set expires_at = least($2::timestamptz, ${longest}) where {key} and family is null`,
    [expiresAt],
  );
}

async function deleteOfUser(database: Database, userId: string): Promise<void> {
  const [owner, id] = split(userId);
  if (owner === operator)
    await database.platform((tx) =>
      query(tx, 'delete from reference.operator_session where person_id = $1', [id]),
    );
  else
    await database.transaction(owner, (tx) =>
      query(tx, 'delete from session where business_id = $1 and membership_id = $2', [owner, id]),
    );
}

const before = (now: Date, ms: number) => new Date(now.getTime() - ms);

type Row = {
  expires_at: string;
  created_at: unknown;
  verified_at: unknown;
  last_seen_at: unknown;
  lineage: string | null;
  renew_until?: unknown;
  zoho_user_id?: string | null;
  awaits_second_factor?: boolean;
};

const pair = (id: string, userId: string, row: Row): [DatabaseSession, DatabaseUser] => [
  {
    id,
    userId,
    expiresAt: toDate(row.expires_at),
    attributes: {
      verifiedAt: toDateOrNull(row.verified_at),
      lastSeenAt: toDateOrNull(row.last_seen_at),
      // Lucia takes a session for extended that is not: one that is renewed, or one at the end of
      // its longest life.
      endsAt: row.renew_until ? toDate(row.expires_at) : null,
      longestAt: new Date(
        toDate(row.created_at).getTime() +
          (id.startsWith(`${operator}.`) ? operatorLongestMs : longestMs),
      ),
      zohoUserId: row.zoho_user_id ?? null,
      lineage: row.lineage ?? id,
      awaitsSecondFactor: row.awaits_second_factor ?? false,
    } as never,
  },
  { id: userId, attributes: {} },
];
