import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Session } from '../context.ts';
import { checkNewPassword } from './check-new-password.ts';
import { checkPassword, hashPassword } from './password.ts';
import { findPerson, findPersonById, hasOperator, insertPerson, type StoredPerson, setPassword, setProfile } from './person.store.ts';
import { hashOf, newSecret } from './secret-text.ts';
import { operator } from './session.store.ts';
import type { Sessions } from './sessions.ts';
import { dropTokens, insertToken, listTries, useToken } from './sign-in.store.ts';
import type { From, SignedIn } from './sign-in.ts';
import type { Totp } from './totp.ts';

type Ports = { database: Database; clock: Clock; newId: NewId; sessions: Sessions; totp: Totp; sendMail: SendMail; publicUrl: string; log: Log };

const resetMs = 3_600_000;
const firstOperatorMs = 24 * 3_600_000;
const historyMs = 90 * 86_400_000;

/** What people do with their own account, whatever their role. */
export const ownAccount = (ports: Ports) => {
  const { database, clock, sessions } = ports;

  const self = async (session: Session): Promise<StoredPerson> => {
    const person = await database.platform((tx) => findPersonById(tx, session.person.id));
    if (!person) throw new AppError('not_signed_in');
    return person;
  };
  /** Every living session; of somebody who came by Zoho those of that business only. */
  const listOwn = async (session: Session) =>
    (await sessions.listOf({ id: session.person.id, isOperator: session.isOperator })).filter(
      (each) => !session.zohoUserId || each.id.startsWith(`${session.business?.membership.businessId}.`),
    );
  const withPassword = async (session: Session, password: string, field: string): Promise<StoredPerson> => {
    const person = await self(session);
    if (!(await checkPassword(password, person.passwordHash))) throw new AppError('wrong_own_password', { field });
    return person;
  };
  const store = async (person: StoredPerson, password: string, field: string) => {
    await checkNewPassword(password, [person.username, person.name, person.email], field);
    const hash = await hashPassword(password);
    await database.platform((tx) => setPassword(tx, person.id, hash, clock.now()));
  };

  return {
    async updateProfile(session: Session, is: { name: string; email: string }) {
      // Whoever sets the address gets the links for a new password: that takes one's own password, not Zoho's word.
      if (session.zohoUserId) throw new AppError('not_allowed');
      await database.platform((tx) => setProfile(tx, session.person.id, is));
      return { ...session.person, ...is };
    },
    async changePassword(session: Session, current: string, next: string) {
      const person = await withPassword(session, current, 'current_password');
      await store(person, next, 'new_password');
      await sessions.endOthers({ id: person.id, isOperator: session.isOperator }, session.id);
    },
    /** Does its work behind the answer, so that neither answer nor time says whether the person exists. */
    forgotPassword(username: string): Promise<void> {
      const work = async () => {
        const person = await database.platform((tx) => findPerson(tx, username));
        if (!person) return;
        const secret = newSecret();
        const at = clock.now();
        await database.platform(async (tx) => {
          await dropTokens(tx, 'password_reset', person.id);
          await insertToken(tx, { kind: 'password_reset', personId: person.id, hash: hashOf(secret), expiresAt: new Date(at.getTime() + resetMs) }, at);
        });
        await ports.sendMail({
          to: person.email,
          subject: 'Set a new password for Muhuri',
          text: `Somebody asked for a new password for ${person.username}. Open this link within an hour to set one:\n\n${ports.publicUrl}/settings#/reset/${secret}\n\nIf it was not you, do nothing: your password stays.\n`,
        });
      };
      void work().catch((error: Error) => ports.log.warn({ error: error.message }, 'a link for a new password could not be sent'));
      return Promise.resolve();
    },
    async resetPassword(token: string, next: string) {
      const at = clock.now();
      // Looked at before it is used up: a password that is too weak must not cost the link.
      const person = await database.platform(async (tx) => {
        const used = await useToken(tx, hashOf(token), 'password_reset', at);
        const found = used?.personId ? await findPersonById(tx, used.personId) : null;
        if (!found) throw new AppError('link_over');
        await checkNewPassword(next, [found.username, found.name, found.email], 'new_password');
        await setPassword(tx, found.id, await hashPassword(next), at);
        return found;
      });
      await sessions.endOthers({ id: person.id, isOperator: person.isOperator }, null);
    },
    async beginTotp(session: Session, password: string) {
      return ports.totp.begin(await withPassword(session, password, 'password'));
    },
    async passSecondFactor(session: Session, code: string, mayBeNew: boolean) {
      if (!(await ports.totp.check(session.person.id, code, mayBeNew))) throw new AppError('wrong_code', { field: 'code' });
      await sessions.verified(session);
      return { ...session, verifiedAt: clock.now(), hasSecondFactor: true };
    },
    async removeTotp(session: Session, password: string) {
      await withPassword(session, password, 'password');
      await ports.totp.remove(session.person.id);
    },
    listSessions: (session: Session) => listOwn(session),
    async endSession(session: Session, publicId: string) {
      const found = (await listOwn(session)).find((each) => publicIdOf(each.id) === publicId);
      if (!found) throw new AppError('not_found');
      await sessions.endById(found.id);
    },
    listSignIns: (session: Session) => database.platform((tx) => listTries(tx, session.person.id, new Date(clock.now().getTime() - historyMs))),

    /** A link for the console, while there is no operator; null once there is one. */
    firstOperatorLink: async (): Promise<string | null> => {
      const secret = newSecret();
      const at = clock.now();
      const isOpen = await database.platform(async (tx) => {
        if (await hasOperator(tx)) return false;
        await dropTokens(tx, 'first_operator', null);
        await insertToken(tx, { kind: 'first_operator', personId: null, hash: hashOf(secret), expiresAt: new Date(at.getTime() + firstOperatorMs) }, at);
        return true;
      });
      return isOpen ? `${ports.publicUrl}/console#/first-operator/${secret}` : null;
    },
    async becomeOperator(given: { token: string; username: string; name: string; email: string; password: string }, from: From): Promise<SignedIn> {
      await checkNewPassword(given.password, [given.username, given.name, given.email]);
      const at = clock.now();
      const id = ports.newId('person');
      const passwordHash = await hashPassword(given.password);
      await database
        .platform(async (tx) => {
          if (!(await useToken(tx, hashOf(given.token), 'first_operator', at)) || (await hasOperator(tx))) throw new AppError('link_over');
          await insertPerson(tx, { id, username: given.username, name: given.name, email: given.email, passwordHash, isOperator: true }, at);
        })
        .catch((error: unknown) => {
          if ((error as { code?: string }).code === '23505') throw new AppError('username_taken', { field: 'username' });
          throw error;
        });
      const begun = await sessions.begin(operator, id, { address: from.address, userAgent: from.userAgent, verifiedAt: null });
      return { token: begun.token, session: await sessions.read(begun.token) };
    },
  };
};

export type OwnAccount = ReturnType<typeof ownAccount>;

/** What stands of a session's id where people see it: enough to name it, not what is stored. */
export const publicIdOf = (id: string): string => `ses_${hashOf(id).slice(0, 22)}`;
