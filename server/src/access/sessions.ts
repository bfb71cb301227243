import { createHash, randomBytes } from 'node:crypto';
import { Lucia, TimeSpan } from 'lucia';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { Session } from '../context.ts';
import type { ReadKey } from './api-keys.ts';
import type { DeriveSecret } from '../platform/derived-secret.ts';
import { findMembership, listEveryMembership, listMemberships } from './membership.store.ts';
import { findPersonById, lockPerson, type StoredPerson } from './person.store.ts';
import { hashOf, newSecret } from './credential.ts';
import {
  deleteFamily,
  deleteOperatorSessionsOf,
  deleteSessionsOf,
  deleteSessionsOfZohoUser,
  holdOperatorSession,
  holdSession,
  holdSessionsOf,
  isOperatorSession,
  isSession,
  listOperatorSessionIds,
  listOperatorSessions,
  listSessionIdsOf,
  listSessionsOf,
  lockFamily,
  longestMs,
  operator,
  passSession,
  type RenewableSession,
  renewFamily,
  type SessionAttributes,
  sessionAdmitted,
  sessionMs,
  sessionSeen,
  sessionVerified,
  split,
  type StoredSession,
  consumeSession,
} from './session.store.ts';
import { sessionAdapter } from './lucia-adapter.ts';

const shape = /^(biz_[0-9a-f]{32}|operator)\.[A-Za-z0-9_-]{43}$/;
const refreshShape = /^rnw\.(biz_[0-9a-f]{32})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/;
const seenEveryMs = 5 * 60_000;
/**
 * How long a token lives that is renewed, how long it may lie unused, and how long it may go on at
 * most.
 */
const shortMs = 15 * 60_000;
const idleMs = 12 * 3_600_000;
/**
 * How long the same refresh token is answered with the same successor: frames of one page ask at
 * once.
 */
const sameAnswerMs = 10_000;
/**
 * How often Zoho is asked whether its user is still there, and how long a session goes on where
 * Zoho does not say.
 */
const checkEveryMs = 5 * 60_000;
const uncheckedMaxMs = 3_600_000;

export type Sessions = {
  /**
   * Begins a session; `owner` is a business id or `operator`, `member` the membership or person.
   * Answers the bearer token.
   */
  begin(
    owner: string,
    member: string,
    attributes: SessionAttributes,
  ): Promise<{ token: string; expiresAt: Date }>;
  /**
   * Begins a session of a Zoho user: a token for a quarter of an hour, and another that renews
   * both, once each.
   */
  beginRenewable(
    owner: string,
    member: string,
    from: Pick<SessionAttributes, 'address' | 'userAgent' | 'awaitsSecondFactor'>,
    zohoUserId: string,
  ): Promise<{ token: string; refreshToken: string }>;
  /**
   * A new pair for a refresh token; the same pair again for the same token within ten seconds. One
   * that was used before ends the session: two hold it, and nobody can tell which is the thief.
   * Only the last one used is forgiven, as long as its successor never was: its answer may have
   * been lost. `stillThere` says whether the Zoho user may go on; null where that cannot be learned
   * now.
   */
  renew(
    refreshToken: string,
    stillThere: (businessId: string, zohoUserId: string) => Promise<boolean | null>,
  ): Promise<{ token: string; refreshToken: string }>;
  /**
   * Passes a session on to another membership of its person: the old one ends with it, and where it
   * has ended meanwhile there is none. The new one lives no longer than the old one could have:
   * however often it is passed on, a session is over after its longest time.
   */
  passOn(
    session: Session,
    to: { businessId: string; membershipId: string },
    from: Pick<SessionAttributes, 'address' | 'userAgent'>,
  ): Promise<{ token: string }>;
  /**
   * Who a token speaks for, a session's or an API key's; throws `not_signed_in` for anything that
   * is not alive.
   */
  read(token: string): Promise<Session>;
  end(token: string): Promise<void>;
  verified(session: Session): Promise<void>;
  /** Lets a session in without the second factor: its device is remembered. */
  admit(session: Session): Promise<Session>;
  /** The newest living sessions of a person in every business, to be shown. */
  listOf(person: {
    id: string;
    isOperator: boolean;
  }): Promise<(StoredSession & { businessName: string | null })[]>;
  /** The ids of all of them, however many there are. */
  listIds(personId: string): Promise<string[]>;
  endById(id: string): Promise<void>;
  /**
   * Ends every session of a person but one, in closed businesses too, together with what `why`
   * changes about the person: nobody finds one without the other. Where the one that is to go on
   * had ended before, nothing is done; what ends it alone while this is under way comes after it.
   */
  endOthers(
    personId: string,
    except: Session | null,
    why?: (tx: Tx) => Promise<void>,
  ): Promise<void>;
  /**
   * Work at the platform's door that holds only while a session is alive: whatever ends it, and the
   * password's change among that, comes before this work or after it, never in between. It takes
   * rows of this person only, whom it holds together with the session.
   */
  during<T>(session: Session, work: (tx: Tx, person: StoredPerson) => Promise<T>): Promise<T>;
};

/**
 * The token is `<owner>.<secret>`; what is stored is `<owner>.<sha256 of the secret>`. Sliding:
 * past half its life it is extended.
 */
export function openSessions(ports: {
  database: Database;
  clock: Clock;
  readKey: ReadKey;
  log: Log;
  derive: DeriveSecret;
}): Sessions {
  const { database, clock } = ports;
  const lucia = new Lucia(sessionAdapter(database, clock), {
    sessionExpiresIn: new TimeSpan(sessionMs / 1000, 's'),
    getSessionAttributes: (attributes) => attributes as never,
  });

  const listOf: Sessions['listOf'] = async (person) => {
    if (person.isOperator)
      return (
        await database.platform((tx) => listOperatorSessions(tx, person.id, clock.now()))
      ).map((each) => ({ ...each, businessName: null }));
    const found = [];
    for (const { businessId, membershipId, businessName } of await database.platform((tx) =>
      listMemberships(tx, person.id),
    )) {
      const sessions = await database.transaction(businessId, (tx) =>
        listSessionsOf(tx, businessId, membershipId, clock.now()),
      );
      found.push(...sessions.map((each) => ({ ...each, businessName })));
    }
    return found;
  };

  type Doors = [enter: (businessId: string) => Promise<void>, leave: () => Promise<void>];
  /** Under the lock on its person, which whatever ends all of a person's sessions takes too. */
  const mustLive = async (
    tx: Tx,
    session: Session,
    [enter, leave]: Doors,
    look: { ofMember: typeof isSession; ofOperator: typeof isOperatorSession },
  ) => {
    const [owner, id] = split(session.id);
    if (owner !== operator) await enter(owner);
    const lives =
      owner === operator
        ? await look.ofOperator(tx, id)
        : await look.ofMember(tx, id, session.lineage);
    if (owner !== operator) await leave();
    if (!lives) throw new AppError('not_signed_in');
  };

  return {
    async begin(owner, member, attributes) {
      const secret = randomBytes(32).toString('base64url');
      const session = await lucia.createSession(`${owner}.${member}`, attributes as never, {
        sessionId: stored(`${owner}.${secret}`),
      });
      return { token: `${owner}.${secret}`, expiresAt: session.expiresAt };
    },
    async passOn({ id, person, verifiedAt, lineage }, { businessId, membershipId }, from) {
      const [owner, old] = split(id);
      const token = `${businessId}.${newSecret()}`;
      await database.registration(async (tx, enter, leave) => {
        if (!(await holdSessionsOf(tx, person.id))) throw new AppError('not_signed_in');
        await enter(owner);
        const since = await consumeSession(tx, old);
        if (!since) throw new AppError('not_signed_in');
        await leave();
        await enter(businessId);
        await passSession(
          tx,
          { businessId, id: split(stored(token))[1], membershipId, ...from, verifiedAt, lineage },
          since,
          clock.now(),
        );
      });
      return { token };
    },
    async beginRenewable(owner, member, from, zohoUserId) {
      const [secret, refresh, family] = [
        newSecret(),
        newSecret(),
        randomBytes(12).toString('base64url'),
      ];
      const now = clock.now().getTime();
      const renewal = {
        family,
        refreshHash: hashOf(refresh),
        zohoUserId,
        expiresAt: new Date(now + shortMs),
        renewUntil: new Date(now + idleMs),
      };
      await lucia.createSession(
        `${owner}.${member}`,
        { ...from, verifiedAt: null, renewal } as never,
        { sessionId: stored(`${owner}.${secret}`) },
      );
      return { token: `${owner}.${secret}`, refreshToken: `rnw.${owner}.${family}.${refresh}` };
    },
    async renew(refreshToken, stillThere) {
      const [, owner, family, refresh] = refreshShape.exec(refreshToken) ?? [];
      if (!owner || !family || !refresh) throw new AppError('not_signed_in');
      const presented = hashOf(refresh);
      /** The session where this token may still renew it; one used before ends it. */
      const take = async (tx: Tx): Promise<RenewableSession | 'used_before' | null> => {
        const found = await lockFamily(tx, family);
        if (!found) return null;
        const now = clock.now().getTime();
        const isOver =
          found.renewUntil.getTime() <= now || found.createdAt.getTime() + longestMs <= now;
        const isKnown = presented === found.refreshHash || presented === found.previousHash;
        if (!isOver && isKnown) return found;
        await deleteFamily(tx, family);
        return isOver ? null : 'used_before';
      };
      // Made of the token that was shown and the moment, so that they can be said again and are
      // never stored.
      const successor = (at: Date) => {
        const part = (which: string) =>
          ports.derive(which, owner, family, refresh, at.toISOString());
        const [secret, next] = [part('token'), part('refresh')];
        return {
          secret,
          next,
          pair: { token: `${owner}.${secret}`, refreshToken: `rnw.${owner}.${family}.${next}` },
        };
      };
      /**
       * The pair that this token was answered with a moment ago, as long as it is still the
       * session's.
       */
      const again = ({ previousHash, refreshHash, renewedAt }: RenewableSession) => {
        if (
          presented !== previousHash ||
          !renewedAt ||
          clock.now().getTime() - renewedAt.getTime() > sameAnswerMs
        )
          return null;
        const same = successor(renewedAt);
        return hashOf(same.next) === refreshHash ? same.pair : null;
      };
      const found = await database.transaction(owner, take);
      if (found === 'used_before')
        ports.log.warn(
          { business_id: owner, family },
          'a refresh token came back after it was used: its session has ended',
        );
      if (!found || found === 'used_before') throw new AppError('not_signed_in');
      const answered = again(found);
      if (answered) return answered;
      let checkedAt = found.checkedAt;
      const age = clock.now().getTime() - checkedAt.getTime();
      if (age > checkEveryMs) {
        const isThere = await stillThere(owner, found.zohoUserId);
        if (isThere === false) {
          await database.transaction(owner, (tx) => deleteSessionsOfZohoUser(tx, found.zohoUserId));
          throw new AppError('zoho_user_ended');
        }
        // Zoho not answering must not throw everybody out, and must not let somebody stay for long
        // who was thrown out there.
        if (isThere === null && age > uncheckedMaxMs) throw new AppError('zoho_unavailable');
        if (isThere) checkedAt = clock.now();
      }
      const renewed = await database.transaction(owner, async (tx) => {
        // Zoho was asked meanwhile, or another frame was faster: it may have been answered.
        const now = await take(tx);
        if (!now || now === 'used_before') return null;
        const before = again(now);
        if (before) return before;
        const at = clock.now();
        const { secret, next, pair } = successor(at);
        await renewFamily(tx, family, {
          id: split(stored(`${owner}.${secret}`))[1],
          refreshHash: hashOf(next),
          previousHash: presented,
          expiresAt: new Date(at.getTime() + shortMs),
          renewUntil: new Date(at.getTime() + idleMs),
          checkedAt,
          at,
        });
        return pair;
      });
      if (!renewed) throw new AppError('not_signed_in');
      return renewed;
    },
    async read(token) {
      if (token.startsWith('key.')) return ports.readKey(token);
      if (!shape.test(token)) throw new AppError('not_signed_in');
      const { session, user } = await lucia.validateSession(stored(token));
      if (!session || !user) throw new AppError('not_signed_in');
      const { verifiedAt, lastSeenAt, endsAt, longestAt, zohoUserId, lineage, awaitsSecondFactor } =
        session as unknown as {
          verifiedAt: Date | null;
          lastSeenAt: Date | null;
          longestAt: Date;
          lineage: string;
          awaitsSecondFactor: boolean;
          endsAt?: Date | null;
          zohoUserId?: string | null;
        };
      const now = clock.now();
      if (!lastSeenAt || now.getTime() - lastSeenAt.getTime() > seenEveryMs)
        await sessionSeen(database, session.id, now);
      const [owner, member] = split(user.id);
      const common = (person: StoredPerson) => ({
        id: session.id,
        person: {
          id: person.id,
          username: person.username,
          name: person.name,
          email: person.email,
        },
        isOperator: person.isOperator && owner === operator,
        expiresAt: endsAt ?? new Date(Math.min(session.expiresAt.getTime(), longestAt.getTime())),
        verifiedAt,
        hasSecondFactor: person.totpConfirmedAt !== null,
        // Whoever has removed their authenticator meanwhile has none to give.
        awaitsSecondFactor: awaitsSecondFactor && person.totpConfirmedAt !== null,
        lineage,
        zohoUserId: zohoUserId ?? null,
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
        entry: (await listMemberships(tx, membership.personId)).find(
          (each) => each.businessId === owner,
        ),
      }));
      if (!person || !entry) throw new AppError('not_signed_in');
      const { businessName, taxpayerId, organizationId, status } = entry;
      return {
        ...common(person),
        business: { membership, name: businessName, taxpayerId, organizationId, status },
      };
    },
    async end(token) {
      if (shape.test(token)) await lucia.invalidateSession(stored(token));
    },
    verified: (session) => sessionVerified(database, session.id, clock.now()),
    async admit(session) {
      await sessionAdmitted(database, session.id);
      return { ...session, awaitsSecondFactor: false };
    },
    during: (session, work) =>
      database.registration(async (tx, enter, leave) => {
        const person = await lockPerson(tx, session.person.id);
        if (!person) throw new AppError('not_signed_in');
        await mustLive(tx, session, [enter, leave], {
          ofMember: holdSession,
          ofOperator: holdOperatorSession,
        });
        return work(tx, person);
      }),
    listOf,
    async listIds(personId) {
      const { memberships, ids } = await database.platform(async (tx) => ({
        memberships: await listEveryMembership(tx, personId),
        ids: await listOperatorSessionIds(tx, personId),
      }));
      for (const { businessId, membershipId } of memberships)
        ids.push(
          ...(await database.transaction(businessId, (tx) =>
            listSessionIdsOf(tx, businessId, membershipId),
          )),
        );
      return ids;
    },
    endById: (id) => lucia.invalidateSession(id),
    async endOthers(personId, except, why) {
      const [owner, id] = split(except?.id ?? '');
      await database.registration(async (tx, enter, leave) => {
        await holdSessionsOf(tx, personId);
        // Not held: whoever ends a member deletes the sessions that are deleted here too, in
        // whatever order.
        if (except)
          await mustLive(tx, except, [enter, leave], {
            ofMember: isSession,
            ofOperator: isOperatorSession,
          });
        await why?.(tx);
        await deleteOperatorSessionsOf(tx, personId, owner === operator ? id : null);
        for (const { businessId, membershipId } of await listEveryMembership(tx, personId)) {
          await enter(businessId);
          await deleteSessionsOf(tx, membershipId, owner === businessId ? id : null);
          await leave();
        }
      });
    },
  };
}

function stored(token: string): string {
  const [owner, secret] = split(token);
  return `${owner}.${createHash('sha256').update(secret).digest('hex')}`;
}
