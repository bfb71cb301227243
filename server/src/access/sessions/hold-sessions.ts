import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { listEveryMembership } from '../membership.store.ts';
import { lockPerson, type StoredPerson } from '../person.store.ts';
import { operator, split } from './session-id.ts';
import type { SessionPorts } from './session-ports.ts';
import {
  deleteOperatorSessionsOf,
  deleteSessionsOf,
  holdOperatorSession,
  holdSession,
  holdSessionsOf,
  isOperatorSession,
  isSession,
} from './session.store.ts';

type Ports = Pick<SessionPorts, 'database'>;
type BusinessDoor = {
  enter(businessId: string): Promise<void>;
  leave(): Promise<void>;
};
type LivenessCheck = { ofMember: typeof isSession; ofOperator: typeof isOperatorSession };

/**
 * Runs work at the platform's door that holds only while a session is alive. Whatever ends the
 * session, a changed password included, comes before this work or after it, never in between. The
 * person's row and the session are locked; the work may lock rows of this person only.
 */
export const whileSessionLives =
  ({ database }: Ports) =>
  <T>(session: Session, work: (tx: Tx, person: StoredPerson) => Promise<T>): Promise<T> =>
    database.registration(async (tx, enter, leave) => {
      const person = await lockPerson(tx, session.person.id);
      if (!person) throw new AppError('not_signed_in');
      await mustLive(
        tx,
        session,
        { enter, leave },
        {
          ofMember: holdSession,
          ofOperator: holdOperatorSession,
        },
      );
      return work(tx, person);
    });

/**
 * Ends every session of a person but one, in closed businesses too, together with what `change`
 * changes about the person: nobody finds one without the other. If the one that is to go on has
 * ended before, nothing is done. Whatever ends that one alone meanwhile comes after this.
 */
export const endOtherSessions =
  ({ database }: Ports) =>
  async (
    personId: string,
    except: Session | null,
    change?: (tx: Tx) => Promise<void>,
  ): Promise<void> => {
    const [owner, id] = split(except?.id ?? '');
    await database.registration(async (tx, enter, leave) => {
      await holdSessionsOf(tx, personId);
      // Not locked: the end of a membership deletes the sessions that are deleted here too, in
      // another order.
      if (except)
        await mustLive(
          tx,
          except,
          { enter, leave },
          {
            ofMember: isSession,
            ofOperator: isOperatorSession,
          },
        );
      await change?.(tx);
      await deleteOperatorSessionsOf(tx, personId, owner === operator ? id : null);
      for (const { businessId, membershipId } of await listEveryMembership(tx, personId)) {
        await enter(businessId);
        await deleteSessionsOf(tx, membershipId, owner === businessId ? id : null);
        await leave();
      }
    });
  };

/**
 * Refuses a session that has ended. Called under the lock on its person, which everything that ends
 * all of a person's sessions holds too.
 */
async function mustLive(
  tx: Tx,
  session: Session,
  { enter, leave }: BusinessDoor,
  check: LivenessCheck,
): Promise<void> {
  const [owner, id] = split(session.id);
  if (owner !== operator) await enter(owner);
  const lives =
    owner === operator
      ? await check.ofOperator(tx, id)
      : await check.ofMember(tx, id, session.lineage);
  if (owner !== operator) await leave();
  if (!lives) throw new AppError('not_signed_in');
}
