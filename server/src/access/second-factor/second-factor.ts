import type { Session } from '../../context.ts';
import type { StoredPerson } from '../person.store.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { type Given, passFactor, type PassPorts } from './pass-factor.ts';
import { makeRecoveryCodes, setUpAuthenticator } from './recovery-codes.ts';
import { forgetDevice, knowsDevice, readFactor, rememberDevice } from './remembered-devices.ts';
import { type RememberedDevice, removeSecondFactor } from './second-factor.store.ts';
import type { NewId } from '../../platform/new-id.ts';

type Ports = PassPorts & { newId: NewId };
type During = Sessions['during'];

/**
 * The second factor: an authenticator, recovery codes beside it, and devices that are remembered
 * for a while. Wrong ones are counted by person. At sign-in they have a count of their own, because
 * the password was right; for sessions see `countedIn`.
 */
export const openSecondFactor = (ports: Ports) => ({
  begin: (during: During, session: Session) => ports.totp.begin((work) => during(session, work)),
  /**
   * Checks the factor at sign-in, once the password was right. `check` leaves a right one unused,
   * for a sign-in that cannot be finished yet.
   */
  passAtSignIn: (person: Pick<StoredPerson, 'id'>, given: Given, mode: 'use' | 'check') =>
    passFactor(ports, { personId: person.id, given, countedBy: person.id, mode }),
  passInSession: (session: Session, given: Given) =>
    passFactor(ports, {
      personId: session.person.id,
      given,
      countedBy: countedIn(session),
      mode: 'use',
    }),
  confirm: (during: During, session: Session, code: string) =>
    setUpAuthenticator(ports, { during, session, code, countedBy: countedIn(session) }),
  async renewCodes(during: During, session: Session): Promise<string[]> {
    const codes = await during(session, (tx, person) =>
      makeRecoveryCodes(tx, person.id, ports.clock.now()),
    );
    ports.notify(session.person.id, 'recovery_codes_made');
    return codes;
  },
  async remove(during: During, session: Session): Promise<void> {
    await during(session, (tx, person) => removeSecondFactor(tx, person.id));
    ports.notify(session.person.id, 'authenticator_removed');
  },
  read: readFactor(ports),
  knows: knowsDevice(ports),
  remember: rememberDevice(ports),
  forgetDevice: forgetDevice(ports),
});

/**
 * Names the count of wrong factors in a session. A session that was never given one (by Zoho, on a
 * remembered device, or with a found token) proves nothing, and as many more are to be had: all of
 * these of a person share one count. A session that was given one has its own, with those it was
 * switched to. So a person who has less cannot lock out one who has more.
 */
const countedIn = (session: Session): string =>
  session.verifiedAt === null ? `in_sessions:${session.person.id}` : session.lineage;

export type { RememberedDevice };
export type SecondFactor = ReturnType<typeof openSecondFactor>;
