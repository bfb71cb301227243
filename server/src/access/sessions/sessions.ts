import { beginRenewable, beginSession } from './begin-session.ts';
import { endOtherSessions, whileSessionLives } from './hold-sessions.ts';
import { listSessionIds, listSessions } from './list-sessions.ts';
import { openLucia } from './lucia-adapter.ts';
import { passSessionOn } from './pass-session.ts';
import { readSession } from './read-session.ts';
import { renewSession } from './renew-session.ts';
import { isToken, storedId } from './session-id.ts';
import type { SessionPorts } from './session-ports.ts';
import { sessionAdmitted, sessionVerified } from './session.store.ts';
import type { Session } from '../../context.ts';

/**
 * The sessions of people. A token is `<owner>.<secret>`; only its hash is stored. A session slides:
 * when half its life is over, its use extends it.
 */
export const openSessions = (needs: Omit<SessionPorts, 'lucia'>) => {
  const { database, clock } = needs;
  const ports: SessionPorts = { ...needs, lucia: openLucia(database, clock) };
  return {
    begin: beginSession(ports),
    beginRenewable: beginRenewable(ports),
    renew: renewSession(ports),
    passOn: passSessionOn(ports),
    read: readSession(ports),
    /** Ends the session of a token, if it is one. */
    async end(token: string): Promise<void> {
      if (isToken(token)) await ports.lucia.invalidateSession(storedId(token));
    },
    endById: (id: string): Promise<void> => ports.lucia.invalidateSession(id),
    endOthers: endOtherSessions(ports),
    /** Notes that the second factor was given in a session. */
    verified: (session: Session): Promise<void> =>
      sessionVerified(database, session.id, clock.now()),
    /** Admits a session without the second factor: its device is remembered. */
    async admit(session: Session): Promise<Session> {
      await sessionAdmitted(database, session.id);
      return { ...session, awaitsSecondFactor: false };
    },
    listOf: listSessions(ports),
    listIds: listSessionIds(ports),
    during: whileSessionLives(ports),
  };
};

export type Sessions = ReturnType<typeof openSessions>;
