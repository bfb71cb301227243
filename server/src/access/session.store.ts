import type { Adapter, DatabaseSession, DatabaseUser } from 'lucia';
import type { Database, Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';

/**
 * lucia's sessions over our tables. Its user is a membership, `<business_id>.<membership_id>`; its session id is
 * `<business_id>.<sha256 of the secret>`, so that every method knows which business's door to open. The operator belongs to no
 * business: `operator.<person_id>` and `operator.<hash>`, kept in the reference schema. Secrets are never stored, only their hash.
 */
export const sessionAdapter = (database: Database): Adapter => ({
  async getSessionAndUser(sessionId) {
    const [owner, id] = split(sessionId);
    if (!owner || !id) return [null, null];
    if (owner === operator) {
      return database.platform(async (tx) => {
        const row = await queryOne<{ person_id: string } & Row>(
          tx,
          'select person_id, expires_at, verified_at, last_seen_at from reference.operator_session where id = $1',
          [id],
        );
        return row ? pair(sessionId, `${operator}.${row.person_id}`, row) : [null, null];
      });
    }
    return database.transaction(owner, async (tx) => {
      const row = await queryOne<{ membership_id: string } & Row>(
        tx,
        "select s.membership_id, s.expires_at, s.verified_at, s.last_seen_at from session s join membership m on m.business_id = s.business_id and m.id = s.membership_id and m.status = 'active' where s.business_id = $1 and s.id = $2",
        [owner, id],
      );
      return row ? pair(sessionId, `${owner}.${row.membership_id}`, row) : [null, null];
    });
  },
  async getUserSessions(userId) {
    const [owner, id] = split(userId);
    if (!owner || owner === operator) return [];
    return database.transaction(owner, async (tx) => {
      const rows = await query<{ id: string; expires_at: string }>(tx, 'select id, expires_at from session where business_id = $1 and membership_id = $2', [
        owner,
        id,
      ]);
      return rows.map((row) => ({ id: `${owner}.${row.id}`, userId, expiresAt: toDate(row.expires_at), attributes: {} }));
    });
  },
  async setSession(session) {
    const [owner, id] = split(session.id);
    const [, member] = split(session.userId);
    const begun = new Date(session.expiresAt.getTime() - sessionMs);
    const { address, userAgent, verifiedAt } = session.attributes as SessionAttributes;
    if (owner === operator) {
      await database.platform((tx) =>
        query(
          tx,
          'insert into reference.operator_session (id, person_id, expires_at, created_at, address, user_agent, verified_at, last_seen_at) values ($1, $2, $3, $4, $5, $6, $7, $4)',
          [id, member, session.expiresAt, begun, address, userAgent, verifiedAt],
        ),
      );
      return;
    }
    await database.transaction(owner, (tx) =>
      query(
        tx,
        'insert into session (business_id, id, membership_id, expires_at, created_at, address, user_agent, verified_at, last_seen_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $5)',
        [owner, id, member, session.expiresAt, begun, address, userAgent, verifiedAt],
      ),
    );
  },
  async updateSessionExpiration(sessionId, expiresAt) {
    await onSession(database, sessionId, 'update {table} set expires_at = $2 where {key}', [expiresAt]);
  },
  async deleteSession(sessionId) {
    await onSession(database, sessionId, 'delete from {table} where {key}', []);
  },
  async deleteUserSessions(userId) {
    const [owner, id] = split(userId);
    if (owner === operator) await database.platform((tx) => query(tx, 'delete from reference.operator_session where person_id = $1', [id]));
    else await database.transaction(owner, (tx) => query(tx, 'delete from session where business_id = $1 and membership_id = $2', [owner, id]));
  },
  /** Knows no business, so it does nothing: expired sessions are refused at sight, and `deleteExpiredSessions` below goes business by business. */
  async deleteExpiredSessions() {},
});

export const operator = 'operator';

/** How long a session lives without being used. */
export const sessionMs = 12 * 3_600_000;

export function split(text: string): [owner: string, rest: string] {
  const dot = text.indexOf('.');
  return dot < 0 ? ['', ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

/** Where a session was begun, and when its second factor was given. */
export type SessionAttributes = { address: string | null; userAgent: string | null; verifiedAt: Date | null };

type Row = { expires_at: string; verified_at: unknown; last_seen_at: unknown };

const pair = (id: string, userId: string, row: Row): [DatabaseSession, DatabaseUser] => [
  {
    id,
    userId,
    expiresAt: toDate(row.expires_at),
    attributes: { verifiedAt: toDateOrNull(row.verified_at), lastSeenAt: toDateOrNull(row.last_seen_at) } as never,
  },
  { id: userId, attributes: {} },
];

async function onSession(database: Database, sessionId: string, statement: string, more: unknown[]): Promise<void> {
  const [owner, id] = split(sessionId);
  if (owner === operator) {
    const sql = statement.replace('{table}', 'reference.operator_session').replace('{key}', 'id = $1');
    await database.platform((tx) => query(tx, sql, [id, ...more]));
    return;
  }
  const sql = statement.replace('{table}', 'session').replace('{key}', `id = $1 and business_id = $${more.length + 2}`);
  await database.transaction(owner, (tx) => query(tx, sql, [id, ...more, owner]));
}

/** What has expired in one business. */
export const deleteExpiredSessions = (tx: Tx, now: Date) => query(tx, 'delete from session where expires_at < $1', [now]);

/** Marks a session: seen now, or its second factor given. */
export const markSession = (database: Database, sessionId: string, column: 'last_seen_at' | 'verified_at', at: Date) =>
  onSession(database, sessionId, `update {table} set ${column} = $2 where {key}`, [at]);

export type StoredSession = { id: string; address: string | null; userAgent: string | null; createdAt: Date; lastSeenAt: Date | null };

const toStored = (owner: string, row: Record<string, unknown>): StoredSession => ({
  id: `${owner}.${row.id as string}`,
  address: row.address as string | null,
  userAgent: row.user_agent as string | null,
  createdAt: toDate(row.created_at),
  lastSeenAt: toDateOrNull(row.last_seen_at),
});

/** The living sessions of one membership, newest first. */
export const listSessionsOf = async (tx: Tx, businessId: string, membershipId: string, now: Date): Promise<StoredSession[]> =>
  (await query(tx, 'select * from session where membership_id = $1 and expires_at > $2 order by created_at desc limit 50', [membershipId, now])).map((row) =>
    toStored(businessId, row),
  );

/** The operator's (`platform` door). */
export const listOperatorSessions = async (tx: Tx, personId: string, now: Date): Promise<StoredSession[]> =>
  (await query(tx, 'select * from reference.operator_session where person_id = $1 and expires_at > $2 order by created_at desc limit 50', [personId, now])).map(
    (row) => toStored(operator, row),
  );
