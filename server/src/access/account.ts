import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { DeriveSecret } from '../platform/derived-secret.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import { networkOf } from '../platform/http/network-of.ts';
import type { NewId } from '../platform/new-id.ts';
import { randomHex } from '../platform/random-hex.ts';
import type { Session } from '../context.ts';
import { refusalOf } from './access.model.ts';
import { checkNewPassword } from './check-new-password.ts';
import type { Notify } from './notify-person.ts';
import { checkPassword, hashPassword } from './password.ts';
import {
  findPerson,
  findPersonById,
  holdPerson,
  lockPerson,
  setEmail,
  setName,
  setPassword,
  type StoredPerson,
  verifyEmail,
} from './person.store.ts';
import type { SecondFactor } from './second-factor.ts';
import { deleteDevicesOf } from './second-factor.store.ts';
import { hashOf, newSecret } from './credential.ts';
import type { Sessions } from './sessions.ts';
import {
  dropTokens,
  findOpenToken,
  findTokenOf,
  listTries,
  putToken,
  type TokenKind,
  useToken,
} from './sign-in-failure.store.ts';
import type { From, Proof } from './sign-in.ts';
import { type Allowance, counting, type Tries } from './tries.ts';

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  sessions: Sessions;
  factor: SecondFactor;
  tries: Tries;
  notify: Notify;
  derive: DeriveSecret;
  sendMail: SendMail;
  background(work: Promise<unknown>): void;
  publicUrl: string;
  log: Log;
};

const resetMs = 3_600_000;
const confirmMs = 24 * 3_600_000;
/**
 * An open link that is younger is mailed again: whoever asks over and over must not take it from
 * under its owner's hands.
 */
const sameLinkMs = 10 * 60_000;
const historyMs = 90 * 86_400_000;
const hourMs = 3_600_000;
const mailsToPerson = { max: 3, withinMs: hourMs };
const mailsFromAddress = { max: 10, withinMs: hourMs };
const ownPasswords = { max: 8, withinMs: 15 * 60_000 };
/**
 * Changes of accounts that somebody is mailed about: refused beyond that, since none may happen
 * that nobody is told of.
 */
const changesOfPerson = { max: 20, withinMs: hourMs };
export const changesOfBusiness = { max: 200, withinMs: hourMs };

/** What people do with their own account, whatever their role. */
export const accountOf = (ports: Ports) => {
  const { database, clock, sessions, factor, tries, notify } = ports;

  const self = async (session: Session): Promise<StoredPerson> => {
    const person = await database.platform((tx) => findPersonById(tx, session.person.id));
    if (!person) throw new AppError('not_signed_in');
    return person;
  };
  /** The newest living sessions; of somebody who came by Zoho those of that business only. */
  const isOwn = (session: Session) => (id: string) =>
    !session.zohoUserId || id.startsWith(`${session.business?.membership.businessId}.`);
  const listOwn = async (session: Session) => {
    const mine = isOwn(session);
    return (
      await sessions.listOf({ id: session.person.id, isOperator: session.isOperator })
    ).filter((each) => mine(each.id));
  };
  /**
   * One's own password asked for within a session is guessed by whoever has found the session: it
   * is counted like one at the door.
   */
  const withPassword = async (
    session: Session,
    password: string,
    field: string,
  ): Promise<StoredPerson> => {
    const person = await self(session);
    const subject = `own_password:${person.id}`;
    if (!(await tries.allow(subject, ownPasswords))) throw new AppError('too_many_attempts');
    if (!(await checkPassword(password, person.passwordHash)))
      throw new AppError('wrong_own_password', { field });
    await tries.forget(subject);
    return person;
  };
  /**
   * Whoever has set a second factor up gives it for whatever leads to their account: a password
   * alone may have been read over a shoulder.
   */
  const withFactor = (session: Session): void => {
    const refusal = session.hasSecondFactor
      ? refusalOf(session, { guard: 'signed_in', secondFactor: true }, clock.now())
      : null;
    if (refusal) throw new AppError(refusal);
  };
  const mayBeTold = async (session: Session): Promise<void> => {
    const counted: [string, Allowance][] = [
      [`account_change:${session.person.id}`, changesOfPerson],
    ];
    if (session.business)
      counted.push([
        `account_changes:${session.business.membership.businessId}`,
        changesOfBusiness,
      ]);
    for (const [subject, allowance] of counted)
      if (!(await tries.allow(subject, allowance))) throw new AppError('too_many_attempts');
  };
  const newHash = async (
    person: StoredPerson,
    password: string,
    field: string,
  ): Promise<string> => {
    await checkNewPassword(password, [person.username, person.name, person.email], field);
    return hashPassword(password);
  };
  /**
   * What stood on the old password ends with it: links to set another, an address that waits to be
   * confirmed, and remembered devices.
   */
  const renewed = async (
    tx: Parameters<typeof setPassword>[0],
    person: StoredPerson,
    hash: string,
  ) => {
    await setPassword(tx, person.id, hash, clock.now());
    await dropTokens(tx, 'password_reset', person.id);
    await dropTokens(tx, 'email_change', person.id);
    await deleteDevicesOf(tx, person.id);
  };
  /** Whom a link is about that is open; it is used under their lock. */
  const ownerOf = async (token: string, kind: TokenKind, at: Date): Promise<StoredPerson> => {
    const person = await database.platform(async (tx) => {
      const open = await findTokenOf(tx, hashOf(token), kind, at);
      return open?.personId ? findPersonById(tx, open.personId) : null;
    });
    if (!person) throw new AppError('link_over');
    return person;
  };
  /** Works behind the answer, so that neither answer nor time says what was done. */
  const behind = (work: Promise<unknown>, what: string) =>
    ports.background(
      work.catch((error: Error) =>
        ports.log.warn({ error: error.message }, `a link ${what} could not be sent`),
      ),
    );

  const sendReset = async (username: string, from: From): Promise<void> => {
    const person = await database.platform((tx) => findPerson(tx, username));
    if (!(await tries.allow(`reset_from:${networkOf(from.address)}`, mailsFromAddress)) || !person)
      return;
    if (
      !(await tries.allow(`reset_of:${person.id}`, mailsToPerson)) ||
      !(await tries.allow(`reset_to:${person.email}`, mailsFromAddress))
    )
      return;
    const secretOf = (nonce: string) => ports.derive('password_reset', person.id, nonce);
    const secret = await counting(database, `reset_link:${person.id}`, async (tx) => {
      // Kept out at this moment, they are left no link that was not looked for.
      if (!(await holdPerson(tx, person.id))) return null;
      const at = clock.now();
      const open = await findOpenToken(tx, 'password_reset', person.id, at);
      const again =
        open?.nonce && at.getTime() - open.createdAt.getTime() < sameLinkMs
          ? secretOf(open.nonce)
          : null;
      if (again && hashOf(again) === open?.hash) return again;
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
    if (secret === null) return;
    await ports.sendMail({
      to: person.email,
      subject: 'Set a new password for Muhuri',
      text: `Somebody asked for a new password for ${person.username}. Open this link within an hour to set one:\n\n${ports.publicUrl}/settings#/reset/${secret}\n\nIf it was not you, do nothing: your password stays.\n`,
    });
  };
  /**
   * A link that confirms an address; one of a person is open at a time. It ends with the password
   * it stands on, so it is made while the session lives.
   */
  const sendConfirmation = async (
    session: Session,
    person: StoredPerson,
    email: string,
  ): Promise<void> => {
    if (
      !(await tries.allow(`confirm_of:${person.id}`, mailsToPerson)) ||
      !(await tries.allow(`confirm_to:${email}`, mailsFromAddress))
    )
      throw new AppError('too_many_attempts');
    const secret = newSecret();
    const at = clock.now();
    const expiresAt = new Date(at.getTime() + confirmMs);
    await sessions.during(session, (tx) =>
      putToken(
        tx,
        {
          kind: 'email_change',
          personId: person.id,
          email,
          nonce: null,
          hash: hashOf(secret),
          expiresAt,
        },
        at,
      ),
    );
    await ports.sendMail({
      to: email,
      subject: 'Confirm your e-mail address for Muhuri',
      text: `Open this link within a day to make this the e-mail address of ${person.username} in Muhuri:\n\n${ports.publicUrl}/settings#/email/${secret}\n\nIf you do not know of it, do nothing.\n`,
    });
  };

  /** Whether the address is confirmed, and which one waits to be. */
  const readEmail = (session: Session): Promise<{ isVerified: boolean; pending: string | null }> =>
    database.platform(async (tx) => {
      const person = await findPersonById(tx, session.person.id);
      const open = await findOpenToken(tx, 'email_change', session.person.id, clock.now());
      return {
        isVerified: person?.emailVerifiedAt !== null,
        pending: open && open.email !== person?.email ? open.email : null,
      };
    });

  return {
    /** The name at once; another address once a link that is mailed there was opened. */
    async updateProfile(
      session: Session,
      to: { name: string; email: string; current_password?: string | undefined },
    ) {
      // Whoever sets the address gets the links for a new password: that takes one's own password,
      // not Zoho's word.
      if (session.zohoUserId) throw new AppError('not_allowed');
      const person = await self(session);
      const isNew = to.email !== person.email;
      if (isNew) {
        if (to.current_password === undefined)
          throw new AppError('own_password_needed', { field: 'current_password' });
        withFactor(session);
        await withPassword(session, to.current_password, 'current_password');
        await mayBeTold(session);
        await sendConfirmation(session, person, to.email);
        notify(person.id, 'email_change_asked');
      }
      await database.platform(async (tx) => {
        await setName(tx, person.id, to.name);
        // The address they have is the one they want: another that waits to be confirmed is wanted
        // no more.
        const waiting = isNew
          ? null
          : await findOpenToken(tx, 'email_change', person.id, clock.now());
        if (waiting && waiting.email !== person.email)
          await dropTokens(tx, 'email_change', person.id);
      });
      return {
        session: { ...session, person: { ...session.person, name: to.name } },
        ...(await readEmail(session)),
      };
    },
    readEmail,
    /**
     * Mails the link once more: to the address that waits, else to the present one where it was
     * never confirmed.
     */
    async sendEmailLink(session: Session): Promise<void> {
      if (session.zohoUserId) throw new AppError('not_allowed');
      const person = await self(session);
      const { isVerified, pending } = await readEmail(session);
      if (!pending && isVerified) throw new AppError('wrong_state', { state: 'confirmed' });
      await sendConfirmation(session, person, pending ?? person.email);
    },
    async confirmEmail(token: string): Promise<{ email: string }> {
      const at = clock.now();
      const owner = await ownerOf(token, 'email_change', at);
      const { person, email } = await database.platform(async (tx) => {
        const found = await lockPerson(tx, owner.id);
        const used = await useToken(tx, hashOf(token), 'email_change', at);
        if (!found || !used?.email) throw new AppError('link_over');
        await setEmail(tx, found.id, used.email, at);
        if (used.email !== found.email) await dropTokens(tx, 'password_reset', found.id);
        return { person: found, email: used.email };
      });
      if (email !== person.email) notify(person.id, 'email_changed', person.email);
      return { email };
    },
    async changePassword(session: Session, current: string, next: string) {
      withFactor(session);
      const person = await withPassword(session, current, 'current_password');
      const hash = await newHash(person, next, 'new_password');
      await mayBeTold(session);
      await sessions.endOthers(person.id, session, (tx) => renewed(tx, person, hash));
      notify(person.id, 'password_changed');
    },
    forgotPassword(username: string, from: From): Promise<void> {
      behind(sendReset(username, from), 'for a new password');
      return Promise.resolve();
    },
    async resetPassword(token: string, next: string) {
      const at = clock.now();
      const person = await ownerOf(token, 'password_reset', at);
      // Used up only with a password that is strong enough.
      const hash = await newHash(person, next, 'new_password');
      await sessions.endOthers(person.id, null, async (tx) => {
        const used = await useToken(tx, hashOf(token), 'password_reset', at);
        const now = used && (await findPersonById(tx, person.id));
        // Mailed to an address that is theirs no more, it is in somebody else's hands.
        if (!now || (used.email !== null && used.email !== now.email))
          throw new AppError('link_over');
        await renewed(tx, now, hash);
        // The link was opened where it was mailed to.
        if (used.email) await verifyEmail(tx, now.id, used.email, at);
      });
      notify(person.id, 'password_reset');
    },
    async beginTotp(session: Session, password: string) {
      await withPassword(session, password, 'password');
      return factor.begin(sessions.during, session);
    },
    async confirmTotp(
      session: Session,
      code: string,
    ): Promise<{ session: Session; recoveryCodes: string[] }> {
      const recoveryCodes = await factor.confirm(sessions.during, session, code);
      await sessions.verified(session);
      return {
        session: { ...session, verifiedAt: clock.now(), hasSecondFactor: true },
        recoveryCodes,
      };
    },
    async passSecondFactor(
      session: Session,
      given: Proof,
      from: From,
    ): Promise<{ session: Session; deviceToken: string | null }> {
      await factor.passInSession(session, given);
      await sessions.verified(session);
      const isRemembered = given.remember_device === true && !session.isOperator;
      const deviceToken = isRemembered
        ? await factor.remember(sessions.during, session, from)
        : null;
      return {
        session: { ...session, verifiedAt: clock.now(), awaitsSecondFactor: false },
        deviceToken,
      };
    },
    async removeTotp(session: Session, password: string) {
      await withPassword(session, password, 'password');
      await mayBeTold(session);
      await factor.remove(sessions.during, session);
    },
    readFactor: (session: Session) => factor.read(session.person.id),
    async renewRecoveryCodes(session: Session) {
      await mayBeTold(session);
      return factor.renewCodes(sessions.during, session);
    },
    forgetDevice: (session: Session, id: string) => factor.forgetDevice(session.person.id, id),
    listSessions: (session: Session) => listOwn(session),
    async endSession(session: Session, publicId: string) {
      const found = (await sessions.listIds(session.person.id))
        .filter(isOwn(session))
        .find((each) => publicIdOf(each) === publicId);
      if (!found) throw new AppError('not_found');
      await sessions.endById(found);
    },
    /**
     * Every session of one's own but this one. Whoever came by Zoho ends those of that business
     * only.
     */
    async endOtherSessions(session: Session): Promise<void> {
      if (!session.zohoUserId) return sessions.endOthers(session.person.id, session);
      for (const id of (await sessions.listIds(session.person.id)).filter(isOwn(session)))
        if (id !== session.id) await sessions.endById(id);
    },
    listSignIns: (session: Session) =>
      database.platform((tx) =>
        listTries(tx, session.person.id, new Date(clock.now().getTime() - historyMs)),
      ),
  };
};

export type Account = ReturnType<typeof accountOf>;

/** What stands of a session's id where people see it: enough to name it, not what is stored. */
export const publicIdOf = (id: string): string => `ses_${hashOf(id).slice(0, 22)}`;
