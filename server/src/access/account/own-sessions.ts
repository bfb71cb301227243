import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { hashOf } from '../credential.ts';
import { listTries } from '../sign-in-failure.store.ts';
import type { AccountPorts } from './account-ports.ts';

const historyMs = 90 * 86_400_000;

/** Returns how a session is named to people: enough to tell it apart, not what is stored. */
export const publicIdOf = (id: string): string => `ses_${hashOf(id).slice(0, 22)}`;

/** Limits a person who came by Zoho to the sessions of that business. */
const isOwn = (session: Session) => (id: string) =>
  !session.zohoUserId || id.startsWith(`${session.business?.membership.businessId}.`);

/** What people see and end of their own sessions. */
export const ownSessions = ({ database, clock, sessions }: AccountPorts) => ({
  /** Lists the newest living sessions. */
  async listSessions(session: Session) {
    const mine = isOwn(session);
    const listed = await sessions.listOf({
      id: session.person.id,
      isOperator: session.isOperator,
    });
    return listed.filter((each) => mine(each.id));
  },
  async endSession(session: Session, publicId: string) {
    const found = (await sessions.listIds(session.person.id))
      .filter(isOwn(session))
      .find((each) => publicIdOf(each) === publicId);
    if (!found) throw new AppError('not_found');
    await sessions.endById(found);
  },
  /** Ends every session but this one; a person who came by Zoho ends those of that business. */
  async endOtherSessions(session: Session): Promise<void> {
    if (!session.zohoUserId) return sessions.endOthers(session.person.id, session);
    for (const id of (await sessions.listIds(session.person.id)).filter(isOwn(session)))
      if (id !== session.id) await sessions.endById(id);
  },
  listSignIns: (session: Session) =>
    database.platform((tx) =>
      listTries(tx, session.person.id, new Date(clock.now().getTime() - historyMs)),
    ),
});
