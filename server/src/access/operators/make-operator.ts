import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { checkNewPassword } from '../check-new-password.ts';
import { hashOf } from '../credential.ts';
import { hashPassword } from '../password.ts';
import { consumeToken } from '../person-token.store.ts';
import { hasOperator, insertPerson } from '../person.store.ts';
import { enter, type From, type SignedIn } from '../sign-in.ts';
import type { OperatorPorts } from './operator-ports.ts';

type LinkKind = 'first_operator' | 'operator_invitation';
export type NewOperator = { token: string; username: string; name: string; password: string };

/** Makes an operator by a link and signs them in. */
export async function makeOperator(
  ports: OperatorPorts,
  kind: LinkKind,
  given: NewOperator & { email?: string },
  from: From,
): Promise<SignedIn> {
  const { username, name, password } = given;
  await checkNewPassword(password, [username, name, given.email ?? '']);
  const at = ports.clock.now();
  const id = ports.newId('person');
  const passwordHash = await hashPassword(password);
  await ports.database
    .platform(async (tx) => {
      const address = await consumeLink(tx, kind, given.token, at);
      await insertPerson(
        tx,
        {
          id,
          username,
          name,
          email: address ?? given.email ?? '',
          passwordHash,
          isOperator: true,
          isEmailVerified: address !== null,
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
  const person = { id, passwordHash };
  return enter(ports, { person, membership: null, from, verifiedAt: null, proof: {} });
}

/** Consumes a link and returns the address it was mailed to, if it was mailed. */
async function consumeLink(
  tx: Tx,
  kind: LinkKind,
  token: string,
  at: Date,
): Promise<string | null> {
  const used = await consumeToken(tx, hashOf(token), kind, at);
  if (!used || (kind === 'first_operator' && (await hasOperator(tx))))
    throw new AppError('link_expired');
  return used.email;
}
