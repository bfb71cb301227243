import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { hashOf } from '../credential.ts';
import type { Notify } from '../notify-person.ts';
import type { Tries } from '../tries.ts';
import { holdsRecoveryCode, consumeRecoveryCode } from './second-factor.store.ts';
import type { CodeMode, Totp } from './totp.ts';

export type PassPorts = {
  database: Database;
  clock: Clock;
  totp: Totp;
  tries: Tries;
  notify: Notify;
};

/**
 * What a person gives as the second factor: the authenticator's six digits, or one of the codes
 * kept for the day it is lost.
 */
export type Given = { code?: string | undefined; recovery_code?: string | undefined };

/** A second factor to be checked; `within` runs the check in a transaction of the caller's. */
type Pass = {
  personId: string;
  given: Given;
  countedBy: string;
  mode: CodeMode;
  within?: (isRight: (tx: Tx) => Promise<boolean>) => Promise<boolean>;
};

const wrongMost = { max: 10, withinMs: 15 * 60_000 };

/** Counts one try and throws if the factor is wrong; a right one clears the count. */
export async function passFactor(ports: PassPorts, pass: Pass): Promise<void> {
  const { personId, given, mode, within = ports.database.platform } = pass;
  const subject = `second_factor:${pass.countedBy}`;
  if (!(await ports.tries.allow(subject, wrongMost))) throw new AppError('too_many_attempts');
  if (!(await within((tx) => isRight(ports, tx, pass))))
    throw new AppError('wrong_code', {
      field: given.recovery_code === undefined ? 'code' : 'recovery_code',
    });
  await ports.tries.forget(subject);
  if (given.recovery_code !== undefined && mode !== 'check')
    ports.notify(personId, 'recovery_code_used');
}

function isRight(
  { totp, clock }: PassPorts,
  tx: Tx,
  { personId, given, mode }: Pass,
): Promise<boolean> {
  if (given.recovery_code === undefined) return totp.check(tx, personId, given.code ?? '', mode);
  const hash = hashOf(plain(given.recovery_code));
  return mode === 'check'
    ? holdsRecoveryCode(tx, personId, hash)
    : consumeRecoveryCode(tx, personId, hash, clock.now());
}

const plain = (code: string) => code.toUpperCase().replace(/[^A-Z0-9]/g, '');
