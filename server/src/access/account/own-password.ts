import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { refusalOf } from '../access.model.ts';
import { checkNewPassword } from '../check-new-password.ts';
import { checkPassword, hashPassword } from '../password.ts';
import { findPersonById, setPassword, type StoredPerson } from '../person.store.ts';
import { deleteDevicesOf } from '../second-factor/second-factor.store.ts';
import { dropTokens } from '../person-token.store.ts';
import type { Allowance } from '../tries.ts';
import type { AccountPorts } from './account-ports.ts';

const hourMs = 3_600_000;
const ownPasswords = { max: 8, withinMs: 15 * 60_000 };
/**
 * Changes of accounts that somebody is mailed about. Beyond that they are refused, because none may
 * happen without notice.
 */
const changesOfPerson = { max: 20, withinMs: hourMs };
export const changesOfBusiness = { max: 200, withinMs: hourMs };

/** Returns the person of a session as stored. */
export async function readSelf(
  { database }: Pick<AccountPorts, 'database'>,
  session: Session,
): Promise<StoredPerson> {
  const person = await database.platform((tx) => findPersonById(tx, session.person.id));
  if (!person) throw new AppError('not_signed_in');
  return person;
}

/**
 * Checks a person's own password within a session. Whoever has found the session could guess it
 * here, so it is counted like a password at the door.
 */
export async function checkOwnPassword(
  ports: Pick<AccountPorts, 'database' | 'tries'>,
  session: Session,
  password: string,
  field: string,
): Promise<StoredPerson> {
  const person = await readSelf(ports, session);
  const subject = `own_password:${person.id}`;
  if (!(await ports.tries.allow(subject, ownPasswords))) throw new AppError('too_many_attempts');
  if (!(await checkPassword(password, person.passwordHash)))
    throw new AppError('wrong_own_password', { field });
  await ports.tries.forget(subject);
  return person;
}

/**
 * Requires the second factor, from a person who has one, for whatever leads to their account: a
 * password alone may have been read over a shoulder.
 */
export function requireOwnFactor({ clock }: Pick<AccountPorts, 'clock'>, session: Session): void {
  const refusal = session.hasSecondFactor
    ? refusalOf(session, { guard: 'signed_in', secondFactor: true }, clock.now())
    : null;
  if (refusal) throw new AppError(refusal);
}

/** Counts a change that is mailed about, and refuses it if there were too many. */
export async function countAccountChange(
  { tries }: Pick<AccountPorts, 'tries'>,
  session: Session,
): Promise<void> {
  const counted: [string, Allowance][] = [[`account_change:${session.person.id}`, changesOfPerson]];
  if (session.business)
    counted.push([`account_changes:${session.business.membership.businessId}`, changesOfBusiness]);
  for (const [subject, allowance] of counted)
    if (!(await tries.allow(subject, allowance))) throw new AppError('too_many_attempts');
}

/** Returns the hash of a new password, once it is strong enough. */
export async function hashNewPassword(
  person: StoredPerson,
  password: string,
  field: string,
): Promise<string> {
  await checkNewPassword(password, [person.username, person.name, person.email], field);
  return hashPassword(password);
}

/**
 * Replaces a password. What stood on the old one ends with it: links to set another, an address
 * that waits to be confirmed, and remembered devices.
 */
export async function replacePassword(
  tx: Tx,
  personId: string,
  passwordHash: string,
  at: Date,
): Promise<void> {
  await setPassword(tx, personId, passwordHash, at);
  await dropTokens(tx, 'password_reset', personId);
  await dropTokens(tx, 'email_change', personId);
  await deleteDevicesOf(tx, personId);
}
