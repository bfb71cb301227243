import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Session } from '../context.ts';
import { checkPassword } from './password.ts';
import { findPerson, listMemberships, type MembershipEntry, type StoredPerson } from './person.store.ts';
import { operator } from './session.store.ts';
import type { Sessions } from './sessions.ts';
import { countFailures, insertTry } from './sign-in.store.ts';
import type { Totp } from './totp.ts';

/** Where a call comes from, as the edge saw it. */
export type From = { address: string; userAgent: string | null };

export type SignedIn = { token: string; session: Session };
export type SignIn = (
  input: { username: string; password: string; organization_id?: string | undefined; business_id?: string | undefined; code?: string | undefined },
  from: From,
) => Promise<SignedIn>;

export type CheckWho = (username: string, password: string, from: From) => Promise<StoredPerson>;

const windowMs = 15 * 60_000;
const pairMax = 8;
const namesMax = 20;

/**
 * Whether name and password belong together. Guessing is slowed down per name and address, and per address over many names; nobody is
 * refused because of what others tried from elsewhere, so that guessing cannot be used to lock somebody out.
 */
export const checkWho =
  (ports: { database: Database; clock: Clock; newId: NewId }): CheckWho =>
  async (username, password, from) => {
    const { database, clock } = ports;
    const now = clock.now();
    const { person, failures } = await database.platform(async (tx) => ({
      person: await findPerson(tx, username),
      failures: await countFailures(tx, username, from.address, new Date(now.getTime() - windowMs)),
    }));
    if (failures.pair >= pairMax || failures.address >= namesMax) throw new AppError('too_many_attempts');
    const isRight = await checkPassword(password, person?.passwordHash ?? null);
    const succeeded = person !== null && isRight;
    await database.platform((tx) =>
      insertTry(tx, {
        id: ports.newId('sign_in'),
        at: now,
        username,
        personId: person?.id ?? null,
        address: from.address,
        succeeded,
        userAgent: from.userAgent,
      }),
    );
    if (!person || !isRight) throw new AppError('wrong_password');
    return person;
  };

type Ports = { database: Database; sessions: Sessions; clock: Clock; totp: Totp; checkWho: CheckWho };

/**
 * Signs a person in for one membership: the one named, else the one of the Zoho organization the panel stands in, else the only one.
 * With several and none matched the answer is `choose_membership` with the list. The operator needs the second factor at once.
 */
export const signIn =
  (ports: Ports): SignIn =>
  async (input, from) => {
    const person = await ports.checkWho(input.username, input.password, from);
    const hasSecondFactor = person.totpConfirmedAt !== null;
    let verifiedAt: Date | null = null;
    if (input.code !== undefined && hasSecondFactor) {
      if (!(await ports.totp.check(person.id, input.code, false))) throw new AppError('wrong_code', { field: 'code' });
      verifiedAt = ports.clock.now();
    }
    const memberships = await ports.database.platform((tx) => listMemberships(tx, person.id));
    const isOperator = person.isOperator && memberships.length === 0;
    if (isOperator && hasSecondFactor && !verifiedAt) throw new AppError('code_needed', { field: 'code' });
    const entry = isOperator ? null : choose(memberships, input);
    const begun = await ports.sessions.begin(entry?.businessId ?? operator, entry?.membershipId ?? person.id, {
      address: from.address,
      userAgent: from.userAgent,
      verifiedAt,
    });
    return { token: begun.token, session: await ports.sessions.read(begun.token) };
  };

export type SwitchMembership = (token: string, businessId: string, from: From) => Promise<SignedIn>;

/** A new session for another membership of the same person; the old one ends, its second factor goes along. */
export const switchMembership =
  (ports: Pick<Ports, 'database' | 'sessions'>): SwitchMembership =>
  async (token, businessId, from) => {
    const { person, verifiedAt, zohoUserId } = await ports.sessions.read(token);
    // Zoho vouched for a user of one organization; what this person may do elsewhere is not Zoho's to open.
    if (zohoUserId) throw new AppError('not_allowed');
    const memberships = await ports.database.platform((tx) => listMemberships(tx, person.id));
    const entry = memberships.find((each) => each.businessId === businessId);
    if (!entry) throw new AppError('not_found');
    const begun = await ports.sessions.begin(entry.businessId, entry.membershipId, { address: from.address, userAgent: from.userAgent, verifiedAt });
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
