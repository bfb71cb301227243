import { randomInt } from 'node:crypto';
import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { hashOf } from '../credential.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { passFactor, type PassPorts } from './pass-factor.ts';
import { replaceRecoveryCodes } from './second-factor.store.ts';

const codesMade = 10;
const codeLetters = 16;
/**
 * No vowel that makes words, and nothing that is mistaken for another letter; sixteen of them are
 * 77 bits.
 */
const alphabet = 'BCDFGHJKLMNPQRSTVWXYZ23456789';

/** Replaces a person's recovery codes and returns the new ones, as people write them. */
export async function makeRecoveryCodes(tx: Tx, personId: string, at: Date): Promise<string[]> {
  const letters = () =>
    Array.from({ length: codeLetters }, () => alphabet[randomInt(alphabet.length)]).join('');
  const codes = Array.from({ length: codesMade }, letters);
  await replaceRecoveryCodes(tx, personId, codes.map(hashOf), at);
  return codes.map((code) => code.match(/.{4}/g)?.join('-') ?? code);
}

type SetUp = { during: Sessions['during']; session: Session; code: string; countedBy: string };

/**
 * Puts an authenticator in force by its first code, and returns the recovery codes, which leave the
 * server here only. It stands on the session: a person who has just set another password must not
 * find an authenticator in front of it that is not theirs.
 */
export async function setUpAuthenticator(
  ports: PassPorts,
  { during, session, code, countedBy }: SetUp,
): Promise<string[]> {
  if (session.hasSecondFactor) throw new AppError('wrong_state', { state: 'set_up' });
  let codes: string[] = [];
  await passFactor(ports, {
    personId: session.person.id,
    given: { code },
    countedBy,
    mode: 'first',
    within: (isRight) =>
      during(session, async (tx, person) => {
        if (person.totpConfirmedAt) throw new AppError('wrong_state', { state: 'set_up' });
        if (!(await isRight(tx))) return false;
        codes = await makeRecoveryCodes(tx, person.id, ports.clock.now());
        return true;
      }),
  });
  ports.notify(session.person.id, 'authenticator_set_up');
  return codes;
}
