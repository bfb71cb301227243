import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Session } from '../context.ts';
import { checkPassword } from './password.ts';
import { findPerson, listMemberships, type MembershipEntry } from './person.store.ts';
import { operator } from './session.store.ts';
import type { Sessions } from './sessions.ts';

export type SignIn = (input: {
  username: string;
  password: string;
  organization_id?: string | undefined;
  business_id?: string | undefined;
}) => Promise<{ token: string; session: Session }>;

/**
 * Signs a person in for one membership: the one named, else the one of the Zoho organization the panel stands in, else the only one.
 * With several and none matched the answer is `choose_membership` with the list.
 */
export const signIn = (ports: { database: Database; sessions: Sessions; clock: Clock }): SignIn => {
  const throttle = attempts(ports.clock);
  return async (input) => {
    throttle.check(input.username);
    const { person, memberships } = await ports.database.platform(async (tx) => {
      const found = await findPerson(tx, input.username);
      return { person: found, memberships: found ? await listMemberships(tx, found.id) : [] };
    });
    const isRight = await checkPassword(input.password, person?.password_hash ?? null);
    if (!person || !isRight) {
      throttle.failed(input.username);
      throw new AppError('wrong_password');
    }
    throttle.succeeded(input.username);
    const begun = person.is_operator && memberships.length === 0 ? await ports.sessions.begin(operator, person.id) : await begin(choose(memberships, input));
    return { token: begun.token, session: await ports.sessions.read(begun.token) };
  };

  function begin(entry: MembershipEntry) {
    return ports.sessions.begin(entry.businessId, entry.membershipId);
  }
};

export type SwitchMembership = (token: string, businessId: string) => Promise<{ token: string; session: Session }>;

/** A new session for another membership of the same person; the old one ends. */
export const switchMembership =
  (ports: { database: Database; sessions: Sessions }): SwitchMembership =>
  async (token, businessId) => {
    const { person } = await ports.sessions.read(token);
    const memberships = await ports.database.platform((tx) => listMemberships(tx, person.id));
    const entry = memberships.find((each) => each.businessId === businessId);
    if (!entry) throw new AppError('not_found');
    const begun = await ports.sessions.begin(entry.businessId, entry.membershipId);
    await ports.sessions.end(token);
    return { token: begun.token, session: await ports.sessions.read(begun.token) };
  };

function choose(memberships: MembershipEntry[], input: { organization_id?: string | undefined; business_id?: string | undefined }): MembershipEntry {
  const named = input.business_id ? memberships.filter((each) => each.businessId === input.business_id) : memberships;
  const inOrganization = named.filter((each) => input.organization_id && each.organizationId === input.organization_id);
  const [only] = inOrganization.length === 1 ? inOrganization : named.length === 1 ? named : [];
  if (only) return only;
  if (named.length === 0) throw new AppError('wrong_password');
  throw new AppError('choose_membership', { memberships: memberships.map((each) => ({ business_id: each.businessId, business_name: each.businessName })) });
}

/** Slows guessing down per name, in this process; bounded, so that names cannot fill the memory. */
function attempts(clock: Clock) {
  const failures = new Map<string, { count: number; since: number }>();
  const windowMs = 60_000;
  const freeTries = 8;
  const of = (name: string) => {
    const entry = failures.get(name.toLowerCase());
    return entry && clock.now().getTime() - entry.since < windowMs ? entry : null;
  };
  return {
    check(name: string) {
      if ((of(name)?.count ?? 0) >= freeTries) throw new AppError('too_many_attempts');
    },
    failed(name: string) {
      if (failures.size > 10_000) failures.clear();
      const entry = of(name) ?? { count: 0, since: clock.now().getTime() };
      failures.set(name.toLowerCase(), { ...entry, count: entry.count + 1 });
    },
    succeeded(name: string) {
      failures.delete(name.toLowerCase());
    },
  };
}
