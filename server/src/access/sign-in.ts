import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import { networkOf } from '../platform/http/client-network.ts';
import { limitConcurrencyByKey } from '../platform/limit-concurrency-by-key.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Session } from '../context.ts';
import { checkPassword } from './password.ts';
import { findPerson, noteSignIn, type StoredPerson } from './person.store.ts';
import { listMemberships, type MembershipEntry } from './membership.store.ts';
import type { Given } from './second-factor/pass-factor.ts';
import type { SecondFactor } from './second-factor/second-factor.ts';
import { operator } from './sessions/session-id.ts';
import type { Sessions } from './sessions/sessions.ts';
import { countFailures, insertTry, trySucceeded } from './sign-in-failure.store.ts';
import { counting } from './tries.ts';

/** Where a call comes from, as the edge saw it. */
export type From = { address: string; userAgent: string | null };

/** `deviceToken` only where this device was asked to be remembered. */
export type SignedIn = { token: string; session: Session; deviceToken?: string };
export type Proof = Given & {
  /**
   * What an earlier sign-in answered for a device to be remembered, and whether this one shall be.
   */
  device_token?: string | undefined;
  remember_device?: boolean | undefined;
};
export type SignIn = (
  input: {
    username: string;
    password: string;
    organization_id?: string | undefined;
    business_id?: string | undefined;
  } & Proof,
  from: From,
) => Promise<SignedIn>;

export type VerifyCredentials = (
  username: string,
  password: string,
  from: From,
) => Promise<StoredPerson>;

const windowMs = 15 * 60_000;
const pairMax = 8;
const namesMax = 20;

/**
 * Checks that name and password belong together. Guessing is slowed down per name and address, and
 * per address over many names. What others try from elsewhere refuses nobody, so guessing cannot
 * lock somebody out. A try is stored as a failure before the password is checked, so that tries sent
 * all at once see each other.
 */
export const verifyCredentials = (ports: {
  database: Database;
  clock: Clock;
  newId: NewId;
}): VerifyCredentials => {
  const { database, clock } = ports;
  // Right passwords sent all at once must not count as guesses, so one of a name from an address is
  // checked at a time, and few of an address.
  const [ofPair, ofAddress] = [limitConcurrencyByKey(1), limitConcurrencyByKey(namesMax - 4)];
  const check: VerifyCredentials = async (username, password, from) => {
    const id = ports.newId('sign_in');
    const person = await counting(database, `sign_in:${from.address}`, async (tx) => {
      const now = clock.now();
      const found = await findPerson(tx, username);
      const failures = await countFailures(
        tx,
        username,
        from.address,
        new Date(now.getTime() - windowMs),
      );
      if (failures.pair >= pairMax || failures.address >= namesMax)
        throw new AppError('too_many_attempts');
      await insertTry(tx, {
        id,
        at: now,
        username,
        personId: found?.id ?? null,
        address: from.address,
        succeeded: false,
        userAgent: from.userAgent,
      });
      return found;
    });
    const isRight = await checkPassword(password, person?.passwordHash ?? null);
    if (!person || !isRight) throw new AppError('wrong_password');
    await database.platform((tx) => trySucceeded(tx, id));
    return person;
  };
  return (username, password, { address, userAgent }) => {
    // The owner of an IPv6 address has as many as they like, so tries are counted and kept by the
    // network that one customer has.
    const from = { address: networkOf(address), userAgent };
    return ofAddress(from.address, () =>
      ofPair(`${from.address} ${username.toLowerCase()}`, () => check(username, password, from)),
    );
  };
};

type Ports = {
  database: Database;
  sessions: Sessions;
  clock: Clock;
  factor: SecondFactor;
  checkWho: VerifyCredentials;
};

/**
 * Signs a person in for one membership: the one named, else the one of the Zoho organization the
 * panel stands in, else the only one. With several and none matched the answer is
 * `choose_membership` with the list. A person who has set up a second factor gives it first.
 */
export const signIn =
  (ports: Ports): SignIn =>
  async (input, from) => {
    const person = await ports.checkWho(input.username, input.password, from);
    const memberships = await ports.database.platform((tx) => listMemberships(tx, person.id));
    const isOperator = person.isOperator && memberships.length === 0;
    const [entry, choice] = isOperator ? [null, null] : choose(memberships, input);
    // A person who has yet to choose is let through to the choice, and consumes the code with it.
    const mode = choice ? 'check' : 'use';
    const verifiedAt = await passFactor(ports, person, isOperator, input, mode);
    if (choice) throw choice;
    return enter(ports, { person, membership: entry, from, verifiedAt, proof: input });
  };

/**
 * Checks the second factor at the door. Returns null if none was given because none is needed on
 * this device.
 */
export async function passFactor(
  ports: Pick<Ports, 'clock' | 'factor'>,
  person: StoredPerson,
  isOperator: boolean,
  proof: Proof,
  mode: 'check' | 'use' = 'use',
): Promise<Date | null> {
  if (person.totpConfirmedAt === null) return null;
  if (proof.code !== undefined || proof.recovery_code !== undefined) {
    await ports.factor.passAtSignIn(person, proof, mode);
    return ports.clock.now();
  }
  // An operator stands above every business, and gives the factor each time.
  if (!isOperator && (await ports.factor.knows(person.id, proof.device_token))) return null;
  throw new AppError('code_needed', { field: 'code' });
}

/** A person who has shown who they are; `membership` is null for an operator. */
type Entry = {
  person: Pick<StoredPerson, 'id' | 'passwordHash'>;
  membership: { businessId: string; membershipId: string } | null;
  from: From;
  verifiedAt: Date | null;
  proof: Proof;
};

/** Begins the session of a person who has shown who they are. */
export async function enter(
  ports: Pick<Ports, 'database' | 'sessions' | 'clock' | 'factor'>,
  { person, membership, from, verifiedAt, proof }: Entry,
): Promise<SignedIn> {
  const { database, sessions } = ports;
  const begun = await sessions.begin(
    membership?.businessId ?? operator,
    membership?.membershipId ?? person.id,
    { ...from, verifiedAt },
  );
  // A password changed while it was being checked has ended every session but this one, which did
  // not exist yet.
  const now = await database.platform((tx) => noteSignIn(tx, person.id, ports.clock.now()));
  if (now?.passwordHash !== person.passwordHash) {
    await sessions.end(begun.token);
    throw new AppError('wrong_password');
  }
  const session = await sessions.read(begun.token);
  const isRemembered = proof.remember_device === true && verifiedAt !== null && !session.isOperator;
  return {
    token: begun.token,
    session,
    ...(isRemembered
      ? { deviceToken: await ports.factor.remember(sessions.during, session, from) }
      : {}),
  };
}

export type SwitchMembership = (token: string, businessId: string, from: From) => Promise<SignedIn>;

/**
 * Begins a session for another membership of the same person; the old one ends, and its second
 * factor goes along.
 */
export const switchMembership =
  (ports: Pick<Ports, 'database' | 'sessions'>): SwitchMembership =>
  async (token, businessId, from) => {
    const session = await ports.sessions.read(token);
    // Zoho vouched for a user of one organization. What this person may do elsewhere is not for Zoho
    // to decide.
    if (session.zohoUserId) throw new AppError('not_allowed');
    const memberships = await ports.database.platform((tx) =>
      listMemberships(tx, session.person.id),
    );
    const entry = memberships.find((each) => each.businessId === businessId);
    if (!entry) throw new AppError('not_found');
    const passed = await ports.sessions.passOn(session, entry, from);
    return { token: passed.token, session: await ports.sessions.read(passed.token) };
  };

type Choice = [chosen: MembershipEntry | null, toChoose: AppError | null];

function choose(
  memberships: MembershipEntry[],
  input: { organization_id?: string | undefined; business_id?: string | undefined },
): Choice {
  const named = input.business_id
    ? memberships.filter((each) => each.businessId === input.business_id)
    : memberships;
  const inOrganization = named.filter(
    (each) => input.organization_id && each.organizationId === input.organization_id,
  );
  const [only] = inOrganization.length === 1 ? inOrganization : named.length === 1 ? named : [];
  if (only) return [only, null];
  if (named.length === 0) throw new AppError('wrong_password');
  const list = memberships.map((each) => ({
    business_id: each.businessId,
    business_name: each.businessName,
  }));
  return [null, new AppError('choose_membership', { memberships: list })];
}
