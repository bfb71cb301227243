import type { OperatorLogActor, OperatorLogRecorder } from '../audit/index.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import { checkNewPassword } from './check-new-password.ts';
import { hashPassword } from './password.ts';
import {
  endPerson,
  hasOperator,
  holdPerson,
  insertPerson,
  listOperators,
  lockOperators,
} from './person.store.ts';
import type { SecondFactor } from './second-factor.ts';
import { hashOf, newSecret } from './credential.ts';
import { deleteOperatorSessionsOf } from './session.store.ts';
import type { Sessions } from './sessions.ts';
import { dropTokens, dropTokensTo, putToken, useToken } from './sign-in-failure.store.ts';
import { enter, type From, type SignedIn } from './sign-in.ts';
import type { Tries } from './tries.ts';

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  recordPlatform: OperatorLogRecorder;
  sessions: Sessions;
  factor: SecondFactor;
  tries: Tries;
  sendMail: SendMail;
  publicUrl: string;
  endWith: EndWithOperator;
};
/** What ends together with an operator in the businesses, in the same transaction. */
export type EndWithOperator = (
  tx: Tx,
  enter: (businessId: string) => Promise<void>,
  leave: () => Promise<void>,
  operatorId: string,
) => Promise<void>;
export type Operator = {
  id: string;
  username: string;
  name: string;
  email: string;
  hasSecondFactor: boolean;
  lastSignInAt: Date | null;
  createdAt: Date;
};
type NewOperator = { token: string; username: string; name: string; password: string };

const firstOperatorMs = 24 * 3_600_000;
const invitationMs = 24 * 3_600_000;
const invitations = { max: 10, withinMs: 3_600_000 };

/**
 * Those who look after the platform. The first comes by a link on the console, the others by each
 * other's invitation.
 */
export const operators = (ports: Ports) => {
  const { database, clock } = ports;
  return {
    /** A link for the console, while there is no operator; null once there is one. */
    firstLink: async (): Promise<string | null> => {
      const secret = newSecret();
      const at = clock.now();
      const isOpen = await database.platform(async (tx) => {
        if (await hasOperator(tx)) return false;
        await dropTokens(tx, 'first_operator', null);
        const expiresAt = new Date(at.getTime() + firstOperatorMs);
        await putToken(
          tx,
          {
            kind: 'first_operator',
            personId: null,
            email: null,
            nonce: null,
            hash: hashOf(secret),
            expiresAt,
          },
          at,
        );
        return true;
      });
      return isOpen ? `${ports.publicUrl}/console#/first-operator/${secret}` : null;
    },
    become: (given: NewOperator & { email: string }, from: From): Promise<SignedIn> =>
      make('first_operator', given, from),
    accept: (given: NewOperator, from: From): Promise<SignedIn> =>
      make('operator_invitation', given, from),

    list: (): Promise<Operator[]> => database.platform(listOperators),
    /** Mails a link for another operator. */
    async invite(by: OperatorLogActor, email: string): Promise<{ email: string; expiresAt: Date }> {
      if (!(await ports.tries.allow(`operator_invitations:${by.id}`, invitations)))
        throw new AppError('too_many_attempts');
      const { link, expiresAt } = await makeLink(by, email);
      await ports.sendMail({
        to: email,
        subject: 'You are invited to operate Muhuri',
        text: `Open this link within a day to become an operator of this platform:\n\n${link}\n\nIf you did not expect this, do nothing.\n`,
      });
      return { email, expiresAt };
    },
    /** For whoever runs the server, where every operator has lost their way in. */
    linkByCommand: async (email: string): Promise<string> =>
      (
        await makeLink(
          { type: 'command_line', id: 'operator:invite', origin: null, requestId: null },
          email,
        )
      ).link,
    /**
     * Ends an operator with their sessions and with what they opened. The last one stays, or nobody
     * could make another.
     */
    async end(by: OperatorLogActor, id: string): Promise<void> {
      await database.registration(async (tx, enter, leave) => {
        const all = await lockOperators(tx);
        if (!all.includes(id)) throw new AppError('not_found');
        if (all.length === 1) throw new AppError('last_operator');
        await endPerson(tx, id);
        await deleteOperatorSessionsOf(tx, id, null);
        // They may have invited somebody who is to let them in again; whoever was invited rightly
        // is invited once more.
        await dropTokens(tx, 'operator_invitation', null);
        await ports.recordPlatform(tx, by, { action: 'operator.ended', subject: id });
        await ports.endWith(tx, enter, leave, id);
      });
    },
  };

  /** Holds for a day, once; a new one to the same address ends the one before. */
  async function makeLink(
    by: OperatorLogActor,
    email: string,
  ): Promise<{ link: string; expiresAt: Date }> {
    const secret = newSecret();
    const at = clock.now();
    const expiresAt = new Date(at.getTime() + invitationMs);
    await database.platform(async (tx) => {
      // Whoever is being ended leaves no link behind that was not looked for.
      if (by.type === 'operator' && !(await holdPerson(tx, by.id)))
        throw new AppError('not_signed_in');
      await dropTokensTo(tx, 'operator_invitation', email);
      await putToken(
        tx,
        {
          kind: 'operator_invitation',
          personId: null,
          email,
          nonce: null,
          hash: hashOf(secret),
          expiresAt,
        },
        at,
      );
      await ports.recordPlatform(tx, by, { action: 'operator.invited', subject: email });
    });
    return { link: `${ports.publicUrl}/console#/operator/${secret}`, expiresAt };
  }

  async function make(
    kind: 'first_operator' | 'operator_invitation',
    given: NewOperator & { email?: string },
    from: From,
  ): Promise<SignedIn> {
    const { username, name, password } = given;
    await checkNewPassword(password, [username, name, given.email ?? '']);
    const at = clock.now();
    const id = ports.newId('person');
    const passwordHash = await hashPassword(password);
    await database
      .platform(async (tx) => {
        const used = await useToken(tx, hashOf(given.token), kind, at);
        if (!used || (kind === 'first_operator' && (await hasOperator(tx))))
          throw new AppError('link_over');
        const email = used.email ?? given.email ?? '';
        await insertPerson(
          tx,
          {
            id,
            username,
            name,
            email,
            passwordHash,
            isOperator: true,
            isEmailVerified: used.email !== null,
          },
          at,
        );
        await ports.recordPlatform(
          tx,
          { type: 'operator', id, origin: from.address, requestId: null },
          { action: 'operator.made', subject: id, after: { username } },
        );
      })
      .catch((error: unknown) => {
        if ((error as { code?: string }).code === '23505')
          throw new AppError('username_taken', { field: 'username' });
        throw error;
      });
    return enter(ports, { id, passwordHash }, null, from, null, {});
  }
};
