import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { newSecret } from '../credential.ts';
import { split, storedId } from './session-id.ts';
import type { SessionPorts } from './session-ports.ts';
import {
  consumeSession,
  holdSessionsOf,
  passSession,
  type SessionAttributes,
} from './session.store.ts';

/**
 * Passes a session on to another membership of its person. The old session ends with it; if it has
 * ended already, there is no new one. The new session lives no longer than the old one could have,
 * so passing it on again and again never extends it.
 */
export const passSessionOn =
  ({ database, clock }: Pick<SessionPorts, 'database' | 'clock'>) =>
  async (
    session: Session,
    target: { businessId: string; membershipId: string },
    from: Pick<SessionAttributes, 'address' | 'userAgent'>,
  ): Promise<{ token: string }> => {
    const { businessId, membershipId } = target;
    const { person, verifiedAt, lineage } = session;
    const [owner, old] = split(session.id);
    const token = `${businessId}.${newSecret()}`;
    await database.registration(async (tx, enter, leave) => {
      if (!(await holdSessionsOf(tx, person.id))) throw new AppError('not_signed_in');
      await enter(owner);
      const begun = await consumeSession(tx, old);
      if (!begun) throw new AppError('not_signed_in');
      await leave();
      await enter(businessId);
      await passSession(
        tx,
        { businessId, id: split(storedId(token))[1], membershipId, ...from, verifiedAt, lineage },
        begun,
        clock.now(),
      );
    });
    return { token };
  };
