import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Database } from '../../platform/db/database.ts';
import { findMembership, listMemberships } from '../membership.store.ts';
import { findPersonById, type StoredPerson } from '../person.store.ts';
import { isToken, operator, split, storedId } from './session-id.ts';
import { seenEveryMs } from './session.model.ts';
import type { SessionPorts } from './session-ports.ts';
import { sessionSeen } from './session.store.ts';

/** A living session as the library returns it, with the attributes our adapter adds. */
type LivingSession = {
  id: string;
  expiresAt: Date;
  verifiedAt: Date | null;
  lastSeenAt: Date | null;
  longestAt: Date;
  lineage: string;
  awaitsSecondFactor: boolean;
  endsAt?: Date | null;
  zohoUserId?: string | null;
};

/**
 * Returns whom a token speaks for, a session's or an API key's. Throws `not_signed_in` for anything
 * that is not alive.
 */
export const readSession =
  ({ database, clock, lucia, readKey }: Pick<SessionPorts, ReadNeeds>) =>
  async (token: string): Promise<Session> => {
    if (token.startsWith('key.')) return readKey(token);
    if (!isToken(token)) throw new AppError('not_signed_in');
    const { session, user } = await lucia.validateSession(storedId(token));
    if (!session || !user) throw new AppError('not_signed_in');
    const living = session as unknown as LivingSession;
    const now = clock.now();
    if (!living.lastSeenAt || now.getTime() - living.lastSeenAt.getTime() > seenEveryMs)
      await sessionSeen(database, session.id, now);
    const [owner, member] = split(user.id);
    return owner === operator
      ? readOperatorSession(database, living, member)
      : readMemberSession(database, living, owner, member);
  };

type ReadNeeds = 'database' | 'clock' | 'lucia' | 'readKey';

async function readOperatorSession(
  database: Database,
  living: LivingSession,
  personId: string,
): Promise<Session> {
  const person = await database.platform((tx) => findPersonById(tx, personId));
  if (!person?.isOperator) throw new AppError('not_signed_in');
  return { ...toSession(living, person), isOperator: true, business: null };
}

async function readMemberSession(
  database: Database,
  living: LivingSession,
  businessId: string,
  membershipId: string,
): Promise<Session> {
  const membership = await database.transaction(businessId, (tx) =>
    findMembership(tx, membershipId),
  );
  if (!membership) throw new AppError('not_signed_in');
  const { person, entry } = await database.platform(async (tx) => ({
    person: await findPersonById(tx, membership.personId),
    entry: (await listMemberships(tx, membership.personId)).find(
      (each) => each.businessId === businessId,
    ),
  }));
  if (!person || !entry) throw new AppError('not_signed_in');
  const { businessName, taxpayerId, organizationId, status } = entry;
  return {
    ...toSession(living, person),
    isOperator: false,
    business: { membership, name: businessName, taxpayerId, organizationId, status },
  };
}

const toSession = (living: LivingSession, person: StoredPerson) => ({
  id: living.id,
  person: { id: person.id, username: person.username, name: person.name, email: person.email },
  expiresAt:
    living.endsAt ?? new Date(Math.min(living.expiresAt.getTime(), living.longestAt.getTime())),
  verifiedAt: living.verifiedAt,
  hasSecondFactor: person.totpConfirmedAt !== null,
  // A person who has removed the authenticator since then has no second factor to give.
  awaitsSecondFactor: living.awaitsSecondFactor && person.totpConfirmedAt !== null,
  lineage: living.lineage,
  zohoUserId: living.zohoUserId ?? null,
  apiKey: null,
});
