import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import { networkOf } from '../platform/http/network-of.ts';
import { limitConcurrencyByKey } from '../platform/limit-concurrency-by-key.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Session } from '../context.ts';
import { checkPassword } from './password.ts';
import { findPerson, signedIn, type StoredPerson } from './person.store.ts';
import { listMemberships, type MembershipEntry } from './membership.store.ts';
import type { Given, SecondFactor } from './second-factor.ts';
import { operator } from './session.store.ts';
import type { Sessions } from './sessions.ts';
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
 * Whether name and password belong together. Guessing is slowed down per name and address, and per
 * address over many names; nobody is refused because of what others tried from elsewhere, so that
 * guessing cannot be used to lock somebody out. A try is written down as a failure before the
 * password is looked at, so that tries sent all at once find each other.
 */
export const verifyCredentials = (ports: {
  database: Database;
  clock: Clock;
  newId: NewId;
}): VerifyCredentials => {
  const { database, clock } = ports;
  // Right passwords given all at once must not be taken for guesses: one of a name from an address
  // is looked at at a time, and few of an address.
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
    // Who has an address of IPv6 has as many as they like: tries are counted, and kept, by the
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
 * `choose_membership` with the list. Whoever has set up a second factor gives it first.
 */
export const signIn =
  (ports: Ports): SignIn =>
  async (input, from) => {
    const person = await ports.checkWho(input.username, input.password, from);
    const memberships = await ports.database.platform((tx) => listMemberships(tx, person.id));
    const isOperator = person.isOperator && memberships.length === 0;
    const [entry, choice] = isOperator ? [null, null] : choose(memberships, input);
    // Who has yet to choose is let through to the choice, and uses the code up with it.
    const verifiedAt = await passFactor(ports, person, isOperator, input, choice ? 'look' : 'use');
    if (choice) throw choice;
    return enter(ports, person, entry, from, verifiedAt, input);
  };

/**
 * The second factor at the door: null where none was given because none is needed on this device.
 */
export async function passFactor(
  ports: Pick<Ports, 'clock' | 'factor'>,
  person: StoredPerson,
  isOperator: boolean,
  proof: Proof,
  as: 'look' | 'use' = 'use',
): Promise<Date | null> {
  if (person.totpConfirmedAt === null) return null;
  if (proof.code !== undefined || proof.recovery_code !== undefined) {
    await ports.factor.passAtSignIn(person, proof, as);
    return ports.clock.now();
  }
  // Whoever stands above every business shows each time that it is they.
  if (!isOperator && (await ports.factor.knows(person.id, proof.device_token))) return null;
  throw new AppError('code_needed', { field: 'code' });
}

/** Begins the session of somebody who has shown who they are. */
export async function enter(
  ports: Pick<Ports, 'database' | 'sessions' | 'clock' | 'factor'>,
  person: Pick<StoredPerson, 'id' | 'passwordHash'>,
  entry: { businessId: string; membershipId: string } | null,
  from: From,
  verifiedAt: Date | null,
  proof: Proof,
): Promise<SignedIn> {
  const { database, sessions } = ports;
  const begun = await sessions.begin(
    entry?.businessId ?? operator,
    entry?.membershipId ?? person.id,
    { ...from, verifiedAt },
  );
  // A password that was changed while it was looked at has ended every session but this one, which
  // did not exist yet.
  const now = await database.platform((tx) => signedIn(tx, person.id, ports.clock.now()));
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
 * A new session for another membership of the same person; the old one ends, its second factor goes
 * along.
 */
export const switchMembership =
  (ports: Pick<Ports, 'database' | 'sessions'>): SwitchMembership =>
  async (token, businessId, from) => {
    const session = await ports.sessions.read(token);
    // Zoho vouched for a user of one organization; what this person may do elsewhere is not Zoho's
    // to open.
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
