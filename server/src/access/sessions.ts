import { createHash, randomBytes } from 'node:crypto';
import { Lucia, TimeSpan } from 'lucia';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Session } from '../context.ts';
import type { ReadKey } from './api-keys.ts';
import { findMembership, findPersonById, listMemberships, type StoredPerson } from './person.store.ts';
import {
  listOperatorSessions,
  listSessionsOf,
  markSession,
  operator,
  type SessionAttributes,
  sessionAdapter,
  sessionMs,
  split,
  type StoredSession,
} from './session.store.ts';

const shape = /^(biz_[0-9a-f]{32}|operator)\.[A-Za-z0-9_-]{43}$/;
const seenEveryMs = 5 * 60_000;

export type Sessions = {
  /** Begins a session; `owner` is a business id or `operator`, `member` the membership or person. Answers the bearer token. */
  begin(owner: string, member: string, attributes: SessionAttributes): Promise<{ token: string; expiresAt: Date }>;
  /** Who a token speaks for, a session's or an API key's; throws `not_signed_in` for anything that is not alive. */
  read(token: string): Promise<Session>;
  end(token: string): Promise<void>;
  verified(session: Session): Promise<void>;
  /** Every living session of a person, in every business. */
  listOf(person: { id: string; isOperator: boolean }): Promise<(StoredSession & { businessName: string | null })[]>;
  endById(id: string): Promise<void>;
  /** Ends every session of a person but one. */
  endOthers(person: { id: string; isOperator: boolean }, exceptId: string | null): Promise<void>;
};

/** The token is `<owner>.<secret>`; what is stored is `<owner>.<sha256 of the secret>`. Sliding: past half its life it is extended. */
export function openSessions(ports: { database: Database; clock: Clock; readKey: ReadKey }): Sessions {
  const { database, clock } = ports;
  const lucia = new Lucia(sessionAdapter(database), {
    sessionExpiresIn: new TimeSpan(sessionMs / 1000, 's'),
    getSessionAttributes: (attributes) => attributes as never,
  });

  const listOf: Sessions['listOf'] = async (person) => {
    if (person.isOperator)
      return (await database.platform((tx) => listOperatorSessions(tx, person.id, clock.now()))).map((each) => ({ ...each, businessName: null }));
    const found = [];
    for (const { businessId, membershipId, businessName } of await database.platform((tx) => listMemberships(tx, person.id))) {
      const sessions = await database.transaction(businessId, (tx) => listSessionsOf(tx, businessId, membershipId, clock.now()));
      found.push(...sessions.map((each) => ({ ...each, businessName })));
    }
    return found;
  };

  return {
    async begin(owner, member, attributes) {
      const secret = randomBytes(32).toString('base64url');
      const session = await lucia.createSession(`${owner}.${member}`, attributes as never, { sessionId: stored(`${owner}.${secret}`) });
      return { token: `${owner}.${secret}`, expiresAt: session.expiresAt };
    },
    async read(token) {
      if (token.startsWith('key.')) return ports.readKey(token);
      if (!shape.test(token)) throw new AppError('not_signed_in');
      const { session, user } = await lucia.validateSession(stored(token));
      if (!session || !user) throw new AppError('not_signed_in');
      const { verifiedAt, lastSeenAt } = session as unknown as { verifiedAt: Date | null; lastSeenAt: Date | null };
      const now = clock.now();
      if (!lastSeenAt || now.getTime() - lastSeenAt.getTime() > seenEveryMs) await markSession(database, session.id, 'last_seen_at', now);
      const [owner, member] = split(user.id);
      const common = (person: StoredPerson) => ({
        id: session.id,
        person: { id: person.id, username: person.username, name: person.name, email: person.email },
        isOperator: person.isOperator && owner === operator,
        expiresAt: session.expiresAt,
        verifiedAt,
        hasSecondFactor: person.totpConfirmedAt !== null,
        apiKey: null,
      });
      if (owner === operator) {
        const person = await database.platform((tx) => findPersonById(tx, member));
        if (!person?.isOperator) throw new AppError('not_signed_in');
        return { ...common(person), business: null };
      }
      const membership = await database.transaction(owner, (tx) => findMembership(tx, member));
      if (!membership) throw new AppError('not_signed_in');
      const { person, entry } = await database.platform(async (tx) => ({
        person: await findPersonById(tx, membership.personId),
        entry: (await listMemberships(tx, membership.personId)).find((each) => each.businessId === owner),
      }));
      if (!person || !entry) throw new AppError('not_signed_in');
      const { businessName, taxpayerId, organizationId, status } = entry;
      return { ...common(person), business: { membership, name: businessName, taxpayerId, organizationId, status } };
    },
    async end(token) {
      if (shape.test(token)) await lucia.invalidateSession(stored(token));
    },
    verified: (session) => markSession(database, session.id, 'verified_at', clock.now()),
    listOf,
    endById: (id) => lucia.invalidateSession(id),
    async endOthers(person, exceptId) {
      for (const each of await listOf(person)) if (each.id !== exceptId) await lucia.invalidateSession(each.id);
    },
  };
}

function stored(token: string): string {
  const [owner, secret] = split(token);
  return `${owner}.${createHash('sha256').update(secret).digest('hex')}`;
}
