import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import { checkNewPassword } from './check-new-password.ts';
import { hashPassword } from './password.ts';
import { hasOperator, insertPerson } from './person.store.ts';
import type { SecondFactor } from './second-factor.ts';
import { hashOf, newSecret } from './secret-text.ts';
import type { Sessions } from './sessions.ts';
import { dropTokens, putToken, useToken } from './sign-in.store.ts';
import { enter, type From, type SignedIn } from './sign-in.ts';

type Ports = { database: Database; clock: Clock; newId: NewId; sessions: Sessions; factor: SecondFactor; publicUrl: string };
type NewOperator = { token: string; username: string; name: string; email: string; password: string };

const firstOperatorMs = 24 * 3_600_000;

/** Those who look after the platform. The first comes by a link on the console. */
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
        await putToken(tx, { kind: 'first_operator', personId: null, email: null, nonce: null, hash: hashOf(secret), expiresAt }, at);
        return true;
      });
      return isOpen ? `${ports.publicUrl}/console#/first-operator/${secret}` : null;
    },
    async become(given: NewOperator, from: From): Promise<SignedIn> {
      await checkNewPassword(given.password, [given.username, given.name, given.email]);
      const at = clock.now();
      const id = ports.newId('person');
      const passwordHash = await hashPassword(given.password);
      await database
        .platform(async (tx) => {
          if (!(await useToken(tx, hashOf(given.token), 'first_operator', at)) || (await hasOperator(tx))) throw new AppError('link_over');
          const { username, name, email } = given;
          await insertPerson(tx, { id, username, name, email, passwordHash, isOperator: true, isEmailVerified: false }, at);
        })
        .catch((error: unknown) => {
          if ((error as { code?: string }).code === '23505') throw new AppError('username_taken', { field: 'username' });
          throw error;
        });
      return enter(ports, { id, passwordHash }, null, from, null, {});
    },
  };
};
