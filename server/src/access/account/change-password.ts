import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { networkOf } from '../../platform/http/client-network.ts';
import { randomHex } from '../../platform/random-hex.ts';
import { hashOf } from '../credential.ts';
import {
  findPerson,
  findPersonById,
  holdPerson,
  type StoredPerson,
  verifyEmail,
} from '../person.store.ts';
import { findPendingToken, putToken, consumeToken } from '../person-token.store.ts';
import type { From } from '../sign-in.ts';
import { counting } from '../tries.ts';
import { type AccountPorts, mailsFromAddress, mailsToPerson } from './account-ports.ts';
import { findLinkOwner } from './links.ts';
import {
  checkOwnPassword,
  countAccountChange,
  hashNewPassword,
  replacePassword,
  requireOwnFactor,
} from './own-password.ts';

const resetMs = 3_600_000;
/**
 * A younger link is mailed again: asking again and again must not take it from under its owner's
 * hands.
 */
const sameLinkMs = 10 * 60_000;

/** Changes a person's own password and ends every other session. */
export const changePassword =
  (ports: AccountPorts) =>
  async (session: Session, current: string, next: string): Promise<void> => {
    requireOwnFactor(ports, session);
    const person = await checkOwnPassword(ports, session, current, 'current_password');
    const hash = await hashNewPassword(person, next, 'new_password');
    await countAccountChange(ports, session);
    await ports.sessions.endOthers(person.id, session, (tx) =>
      replacePassword(tx, person.id, hash, ports.clock.now()),
    );
    ports.notify(person.id, 'password_changed');
  };

/**
 * Mails a link for a new password. It works behind the response, so that neither the answer nor its
 * time reveals whether there is such a person.
 */
export const forgotPassword =
  (ports: AccountPorts) =>
  (username: string, from: From): Promise<void> => {
    ports.background(
      sendReset(ports, username, from).catch((error: Error) =>
        ports.log.warn({ error: error.message }, 'a link for a new password could not be sent'),
      ),
    );
    return Promise.resolve();
  };

async function sendReset(ports: AccountPorts, username: string, from: From): Promise<void> {
  const { tries } = ports;
  const person = await ports.database.platform((tx) => findPerson(tx, username));
  if (!(await tries.allow(`reset_from:${networkOf(from.address)}`, mailsFromAddress)) || !person)
    return;
  if (
    !(await tries.allow(`reset_of:${person.id}`, mailsToPerson)) ||
    !(await tries.allow(`reset_to:${person.email}`, mailsFromAddress))
  )
    return;
  const secret = await makeResetSecret(ports, person);
  if (secret === null) return;
  await ports.sendMail({
    to: person.email,
    subject: 'Set a new password for Muhuri',
    text: `Somebody asked for a new password for ${person.username}. Open this link within an hour to set one:\n\n${ports.publicUrl}/settings#/reset/${secret}\n\nIf it was not you, do nothing: your password stays.\n`,
  });
}

/**
 * Makes the secret of a reset link, or repeats a young one. Returns null if the person was blocked
 * meanwhile: nobody would look for that link.
 */
const makeResetSecret = (
  { database, clock, derive }: AccountPorts,
  person: StoredPerson,
): Promise<string | null> =>
  counting(database, `reset_link:${person.id}`, async (tx) => {
    if (!(await holdPerson(tx, person.id))) return null;
    const secretOf = (nonce: string) => derive('password_reset', person.id, nonce);
    const at = clock.now();
    const link = await findPendingToken(tx, 'password_reset', person.id, at);
    const repeated =
      link?.nonce && at.getTime() - link.createdAt.getTime() < sameLinkMs
        ? secretOf(link.nonce)
        : null;
    if (repeated && hashOf(repeated) === link?.hash) return repeated;
    const nonce = randomHex(16);
    const made = secretOf(nonce);
    const expiresAt = new Date(at.getTime() + resetMs);
    await putToken(
      tx,
      {
        kind: 'password_reset',
        personId: person.id,
        email: person.email,
        nonce,
        hash: hashOf(made),
        expiresAt,
      },
      at,
    );
    return made;
  });

/** Sets a new password by a mailed link and ends every session. */
export const resetPassword =
  (ports: AccountPorts) =>
  async (token: string, next: string): Promise<void> => {
    const at = ports.clock.now();
    const person = await findLinkOwner(ports, token, 'password_reset', at);
    // The link is consumed only with a password that is strong enough.
    const hash = await hashNewPassword(person, next, 'new_password');
    await ports.sessions.endOthers(person.id, null, async (tx) => {
      const used = await consumeToken(tx, hashOf(token), 'password_reset', at);
      const now = used && (await findPersonById(tx, person.id));
      // A link mailed to a former address may be in somebody else's hands.
      if (!now || (used.email !== null && used.email !== now.email))
        throw new AppError('link_expired');
      await replacePassword(tx, now.id, hash, ports.clock.now());
      // The link was opened where it was mailed to.
      if (used.email) await verifyEmail(tx, now.id, used.email, at);
    });
    ports.notify(person.id, 'password_reset');
  };
