import type { Session } from '../../context.ts';
import type { From, Proof } from '../sign-in.ts';
import type { AccountPorts } from './account-ports.ts';
import { checkOwnPassword, countAccountChange } from './own-password.ts';

/** What people do with their own authenticator, recovery codes and remembered devices. */
export const ownSecondFactor = (ports: AccountPorts) => {
  const { clock, factor, sessions } = ports;
  return {
    async beginTotp(session: Session, password: string) {
      await checkOwnPassword(ports, session, password, 'password');
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
    /** Checks the second factor in a session, and remembers the device if that is wished. */
    async passSecondFactor(
      session: Session,
      proof: Proof,
      from: From,
    ): Promise<{ session: Session; deviceToken: string | null }> {
      await factor.passInSession(session, proof);
      await sessions.verified(session);
      const isRemembered = proof.remember_device === true && !session.isOperator;
      const deviceToken = isRemembered
        ? await factor.remember(sessions.during, session, from)
        : null;
      return {
        session: { ...session, verifiedAt: clock.now(), awaitsSecondFactor: false },
        deviceToken,
      };
    },
    async removeTotp(session: Session, password: string) {
      await checkOwnPassword(ports, session, password, 'password');
      await countAccountChange(ports, session);
      await factor.remove(sessions.during, session);
    },
    readFactor: (session: Session) => factor.read(session.person.id),
    async renewRecoveryCodes(session: Session) {
      await countAccountChange(ports, session);
      return factor.renewCodes(sessions.during, session);
    },
    forgetDevice: (session: Session, id: string) => factor.forgetDevice(session.person.id, id),
  };
};
