import { createHash, randomBytes } from 'node:crypto';
import { Lucia, TimeSpan } from 'lucia';
import { AppError } from '../platform/app-error.ts';
import type { Database } from '../platform/db/database.ts';
import type { Session } from '../context.ts';
import { findMembership, findPersonById, listMemberships } from './person.store.ts';
import { operator, sessionAdapter, sessionMs, split } from './session.store.ts';

const shape = /^(biz_[0-9a-f]{32}|operator)\.[A-Za-z0-9_-]{43}$/;

export type Sessions = {
  /** Begins a session; `owner` is a business id or `operator`, `member` the membership or person. Answers the bearer token. */
  begin(owner: string, member: string): Promise<{ token: string; expiresAt: Date }>;
  /** Who a token speaks for; throws `not_signed_in` for anything that is not a living session. */
  read(token: string): Promise<Session>;
  end(token: string): Promise<void>;
};

/** The token is `<owner>.<secret>`; what is stored is `<owner>.<sha256 of the secret>`. Sliding: past half its life it is extended. */
export function openSessions(database: Database): Sessions {
  const lucia = new Lucia(sessionAdapter(database), { sessionExpiresIn: new TimeSpan(sessionMs / 1000, 's') });
  return {
    async begin(owner, member) {
      const secret = randomBytes(32).toString('base64url');
      const session = await lucia.createSession(`${owner}.${member}`, {}, { sessionId: stored(`${owner}.${secret}`) });
      return { token: `${owner}.${secret}`, expiresAt: session.expiresAt };
    },
    async read(token) {
      if (!shape.test(token)) throw new AppError('not_signed_in');
      const { session, user } = await lucia.validateSession(stored(token));
      if (!session || !user) throw new AppError('not_signed_in');
      const [owner, member] = split(user.id);
      if (owner === operator) {
        const person = await database.platform((tx) => findPersonById(tx, member));
        if (!person?.is_operator) throw new AppError('not_signed_in');
        return { person: { id: person.id, username: person.username, name: person.name }, expiresAt: session.expiresAt, business: null };
      }
      const membership = await database.transaction(owner, (tx) => findMembership(tx, member));
      if (!membership) throw new AppError('not_signed_in');
      const { person, entry } = await database.platform(async (tx) => ({
        person: await findPersonById(tx, membership.personId),
        entry: (await listMemberships(tx, membership.personId)).find((each) => each.businessId === owner),
      }));
      if (!person || !entry) throw new AppError('not_signed_in');
      return {
        person: { id: person.id, username: person.username, name: person.name },
        expiresAt: session.expiresAt,
        business: { membership, name: entry.businessName, taxpayerId: entry.taxpayerId, organizationId: entry.organizationId },
      };
    },
    async end(token) {
      if (shape.test(token)) await lucia.invalidateSession(stored(token));
    },
  };
}

function stored(token: string): string {
  const [owner, secret] = split(token);
  return `${owner}.${createHash('sha256').update(secret).digest('hex')}`;
}
