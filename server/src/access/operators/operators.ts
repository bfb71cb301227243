import type { OperatorLogActor } from '../../audit/index.ts';
import { AppError } from '../../platform/app-error.ts';
import { dropTokens } from '../person-token.store.ts';
import { endPerson, listOperators, lockOperators } from '../person.store.ts';
import { deleteOperatorSessionsOf } from '../sessions/session.store.ts';
import type { From, SignedIn } from '../sign-in.ts';
import { makeOperator, type NewOperator } from './make-operator.ts';
import { firstOperatorLink, makeOperatorLink } from './operator-links.ts';
import type { OperatorPorts } from './operator-ports.ts';

export type { EndWithOperator } from './operator-ports.ts';
export type Operator = {
  id: string;
  username: string;
  name: string;
  email: string;
  hasSecondFactor: boolean;
  lastSignInAt: Date | null;
  createdAt: Date;
};

const invitations = { max: 10, withinMs: 3_600_000 };

/**
 * The people who look after the platform. The first one comes by a link on the console, the others
 * by each other's invitation.
 */
export const operators = (ports: OperatorPorts) => ({
  firstLink: firstOperatorLink(ports),
  become: (given: NewOperator & { email: string }, from: From): Promise<SignedIn> =>
    makeOperator(ports, 'first_operator', given, from),
  accept: (given: NewOperator, from: From): Promise<SignedIn> =>
    makeOperator(ports, 'operator_invitation', given, from),
  list: (): Promise<Operator[]> => ports.database.platform(listOperators),
  invite: inviteOperator(ports),
  /** Makes a link for the person who runs the server, if no operator can sign in any more. */
  linkByCommand: async (email: string): Promise<string> =>
    (
      await makeOperatorLink(
        ports,
        { type: 'command_line', id: 'operator:invite', origin: null, requestId: null },
        email,
      )
    ).link,
  end: endOperator(ports),
});

/** Mails a link for another operator. */
const inviteOperator =
  (ports: OperatorPorts) =>
  async (actor: OperatorLogActor, email: string): Promise<{ email: string; expiresAt: Date }> => {
    if (!(await ports.tries.allow(`operator_invitations:${actor.id}`, invitations)))
      throw new AppError('too_many_attempts');
    const { link, expiresAt } = await makeOperatorLink(ports, actor, email);
    await ports.sendMail({
      to: email,
      subject: 'You are invited to operate Muhuri',
      text: `Open this link within a day to become an operator of this platform:\n\n${link}\n\nIf you did not expect this, do nothing.\n`,
    });
    return { email, expiresAt };
  };

/**
 * Ends an operator with their sessions and with what they opened. The last one stays, because
 * nobody could make another.
 */
const endOperator =
  (ports: OperatorPorts) =>
  async (actor: OperatorLogActor, id: string): Promise<void> => {
    await ports.database.registration(async (tx, enter, leave) => {
      const all = await lockOperators(tx);
      if (!all.includes(id)) throw new AppError('not_found');
      if (all.length === 1) throw new AppError('last_operator');
      await endPerson(tx, id);
      await deleteOperatorSessionsOf(tx, id, null);
      // They may have invited somebody who is to let them in again. A person who was invited
      // rightly is invited once more.
      await dropTokens(tx, 'operator_invitation', null);
      await ports.recordPlatform(tx, actor, { action: 'operator.ended', subject: id });
      await ports.endWith(tx, enter, leave, id);
    });
  };
