import type { Adapter, DatabaseSession, DatabaseUser } from 'lucia';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';
import {
  insertSession,
  longestMs,
  onSession,
  operator,
  operatorLongestMs,
  type SessionAttributes,
  split,
} from './session.store.ts';

/**
 * lucia's sessions over our tables. Its user is a membership, `<business_id>.<membership_id>`; its
 * session id is `<business_id>.<sha256 of the secret>`, so that every method knows which business's
 * door to open. The operator belongs to no business: `operator.<person_id>` and `operator.<hash>`,
 * kept in the reference schema. Secrets are never stored, only their hash.
 */
export const sessionAdapter = (database: Database, clock: Clock): Adapter => ({
  async getSessionAndUser(sessionId) {
    const [owner, id] = split(sessionId);
    if (!owner || !id) return [null, null];
    if (owner === operator) {
      return database.platform(async (tx) => {
        const row = await queryOne<{ person_id: string } & Row>(
          tx,
          'select person_id, expires_at, created_at, verified_at, last_seen_at, lineage from reference.operator_session where id = $1 and created_at > $2',
          [id, before(clock.now(), operatorLongestMs)],
        );
        return row ? pair(sessionId, `${operator}.${row.person_id}`, row) : [null, null];
      });
    }
    return database.transaction(owner, async (tx) => {
      // A renewable session whose token is over is not shown to lucia, which would delete it, and
      // with it the way to renew it.
      const row = await queryOne<{ membership_id: string } & Row>(
        tx,
        `select s.membership_id, s.expires_at, s.created_at, s.verified_at, s.last_seen_at, s.renew_until, s.zoho_user_id, s.awaits_second_factor,
                coalesce(s.family, s.lineage) as lineage
           from session s join membership m on m.business_id = s.business_id and m.id = s.membership_id and m.status = 'active'
          where s.business_id = $1 and s.id = $2 and (s.renew_until is null or s.expires_at > $3) and s.created_at > $4`,
        [owner, id, clock.now(), before(clock.now(), longestMs)],
      );
      return row ? pair(sessionId, `${owner}.${row.membership_id}`, row) : [null, null];
    });
  },
  async getUserSessions(userId) {
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
  },
  async setSession(session) {
    const [owner, id] = split(session.id);
    const [, member] = split(session.userId);
    // Of our clock, as whatever asks how long it has lived; the library's own end is of the
    // machine's.
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
  },
  async updateSessionExpiration(sessionId, expiresAt) {
    // What is renewed is never extended: only whoever holds the refresh token may go on. Nor is the
    // operator's: it is over with its day.
    if (sessionId.startsWith(`${operator}.`)) return;
    const longest = `created_at + interval '${longestMs / 3_600_000} hours'`;
    await onSession(
      database,
      sessionId,
      `update {table} set expires_at = least($2::timestamptz, ${longest}) where {key} and family is null`,
      [expiresAt],
    );
  },
  async deleteSession(sessionId) {
    await onSession(database, sessionId, 'delete from {table} where {key}', []);
  },
  async deleteUserSessions(userId) {
    const [owner, id] = split(userId);
    if (owner === operator)
      await database.platform((tx) =>
        query(tx, 'delete from reference.operator_session where person_id = $1', [id]),
      );
    else
      await database.transaction(owner, (tx) =>
        query(tx, 'delete from session where business_id = $1 and membership_id = $2', [owner, id]),
      );
  },
  /**
   * Knows no business, so it does nothing: expired sessions are refused at sight, and
   * `deleteExpiredSessions` below goes business by business.
   */
  async deleteExpiredSessions() {},
});

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
      // What lucia takes for extended is not, where it is renewed or at the end of its longest
      // life.
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
