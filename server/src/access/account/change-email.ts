import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { hashOf, newSecret } from '../credential.ts';
import {
  findPersonById,
  lockPerson,
  setEmail,
  setName,
  type StoredPerson,
} from '../person.store.ts';
import { dropTokens, findPendingToken, putToken, consumeToken } from '../person-token.store.ts';
import { type AccountPorts, mailsFromAddress, mailsToPerson } from './account-ports.ts';
import { findLinkOwner } from './links.ts';
import {
  checkOwnPassword,
  countAccountChange,
  readSelf,
  requireOwnFactor,
} from './own-password.ts';

const confirmMs = 24 * 3_600_000;

type Profile = { name: string; email: string; current_password?: string | undefined };
type EmailState = { isVerified: boolean; pending: string | null };

/** Reads whether the address is confirmed, and which other one waits to be. */
export const readEmail =
  ({ database, clock }: Pick<AccountPorts, 'database' | 'clock'>) =>
  (session: Session): Promise<EmailState> =>
    database.platform(async (tx) => {
      const person = await findPersonById(tx, session.person.id);
      const link = await findPendingToken(tx, 'email_change', session.person.id, clock.now());
      return {
        isVerified: person?.emailVerifiedAt !== null,
        pending: link && link.email !== person?.email ? link.email : null,
      };
    });

/** Changes the name at once, and the address once a link that is mailed there was opened. */
export const updateProfile =
  (ports: AccountPorts) => async (session: Session, profile: Profile) => {
    const { database, clock } = ports;
    // Links for a new password go to this address. Setting it takes the person's own password, not
    // Zoho's word.
    if (session.zohoUserId) throw new AppError('not_allowed');
    const person = await readSelf(ports, session);
    const isNew = profile.email !== person.email;
    if (isNew) await askForAddress(ports, session, person, profile);
    await database.platform(async (tx) => {
      await setName(tx, person.id, profile.name);
      // The address they have is the one they want, so another one that waits is not wanted.
      const waiting = isNew
        ? null
        : await findPendingToken(tx, 'email_change', person.id, clock.now());
      if (waiting && waiting.email !== person.email)
        await dropTokens(tx, 'email_change', person.id);
    });
    return {
      session: { ...session, person: { ...session.person, name: profile.name } },
      ...(await readEmail(ports)(session)),
    };
  };

async function askForAddress(
  ports: AccountPorts,
  session: Session,
  person: StoredPerson,
  { email, current_password: password }: Profile,
): Promise<void> {
  if (password === undefined)
    throw new AppError('own_password_needed', { field: 'current_password' });
  requireOwnFactor(ports, session);
  await checkOwnPassword(ports, session, password, 'current_password');
  await countAccountChange(ports, session);
  await sendConfirmation(ports, session, person, email);
  ports.notify(person.id, 'email_change_asked');
}

/**
 * Mails the link again: to the address that waits, or to the present one if it was never confirmed.
 */
export const sendEmailLink =
  (ports: AccountPorts) =>
  async (session: Session): Promise<void> => {
    if (session.zohoUserId) throw new AppError('not_allowed');
    const person = await readSelf(ports, session);
    const { isVerified, pending } = await readEmail(ports)(session);
    if (!pending && isVerified) throw new AppError('wrong_state', { state: 'confirmed' });
    await sendConfirmation(ports, session, person, pending ?? person.email);
  };

/**
 * Mails a link that confirms an address; a person has at most one. The link ends with the password
 * it stands on, so it is made while the session lives.
 */
async function sendConfirmation(
  ports: AccountPorts,
  session: Session,
  person: StoredPerson,
  email: string,
): Promise<void> {
  if (
    !(await ports.tries.allow(`confirm_of:${person.id}`, mailsToPerson)) ||
    !(await ports.tries.allow(`confirm_to:${email}`, mailsFromAddress))
  )
    throw new AppError('too_many_attempts');
  const secret = newSecret();
  const at = ports.clock.now();
  const link = {
    kind: 'email_change' as const,
    personId: person.id,
    email,
    nonce: null,
    hash: hashOf(secret),
    expiresAt: new Date(at.getTime() + confirmMs),
  };
  await ports.sessions.during(session, (tx) => putToken(tx, link, at));
  await ports.sendMail({
    to: email,
    subject: 'Confirm your e-mail address for Muhuri',
    text: `Open this link within a day to make this the e-mail address of ${person.username} in Muhuri:\n\n${ports.publicUrl}/settings#/email/${secret}\n\nIf you do not know of it, do nothing.\n`,
  });
}

/** Makes the address of a link the person's own. */
export const confirmEmail =
  (ports: AccountPorts) =>
  async (token: string): Promise<{ email: string }> => {
    const at = ports.clock.now();
    const owner = await findLinkOwner(ports, token, 'email_change', at);
    const { person, email } = await ports.database.platform(async (tx) => {
      const found = await lockPerson(tx, owner.id);
      const used = await consumeToken(tx, hashOf(token), 'email_change', at);
      if (!found || !used?.email) throw new AppError('link_expired');
      await setEmail(tx, found.id, used.email, at);
      if (used.email !== found.email) await dropTokens(tx, 'password_reset', found.id);
      return { person: found, email: used.email };
    });
    if (email !== person.email) ports.notify(person.id, 'email_changed', person.email);
    return { email };
  };
