import type { OperatorLogActor } from '../../audit/index.ts';
import { AppError } from '../../platform/app-error.ts';
import { hashOf, newSecret } from '../credential.ts';
import { dropTokens, dropTokensTo, putToken } from '../person-token.store.ts';
import { hasOperator, holdPerson } from '../person.store.ts';
import type { OperatorPorts } from './operator-ports.ts';

const linkMs = 24 * 3_600_000;

/** Makes a link for the console while there is no operator; null once there is one. */
export const firstOperatorLink =
  ({ database, clock, publicUrl }: Pick<OperatorPorts, 'database' | 'clock' | 'publicUrl'>) =>
  async (): Promise<string | null> => {
    const secret = newSecret();
    const at = clock.now();
    const isPending = await database.platform(async (tx) => {
      if (await hasOperator(tx)) return false;
      await dropTokens(tx, 'first_operator', null);
      await putToken(tx, tokenFor('first_operator', null, secret, at), at);
      return true;
    });
    return isPending ? `${publicUrl}/console#/first-operator/${secret}` : null;
  };

/** Makes a link that holds for a day, once; a new one to the same address ends the one before. */
export async function makeOperatorLink(
  ports: OperatorPorts,
  actor: OperatorLogActor,
  email: string,
): Promise<{ link: string; expiresAt: Date }> {
  const secret = newSecret();
  const at = ports.clock.now();
  const token = tokenFor('operator_invitation', email, secret, at);
  await ports.database.platform(async (tx) => {
    // An operator who is being ended leaves no link behind that was not looked for.
    if (actor.type === 'operator' && !(await holdPerson(tx, actor.id)))
      throw new AppError('not_signed_in');
    await dropTokensTo(tx, 'operator_invitation', email);
    await putToken(tx, token, at);
    await ports.recordPlatform(tx, actor, { action: 'operator.invited', subject: email });
  });
  const { expiresAt } = token;
  return { link: `${ports.publicUrl}/console#/operator/${secret}`, expiresAt };
}

const tokenFor = (
  kind: 'first_operator' | 'operator_invitation',
  email: string | null,
  secret: string,
  at: Date,
) => ({
  kind,
  personId: null,
  email,
  nonce: null,
  hash: hashOf(secret),
  expiresAt: new Date(at.getTime() + linkMs),
});
