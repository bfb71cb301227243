import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Vault } from '../../platform/vault.ts';
import { lockPerson, type StoredPerson, setTotp, consumeTotpStep } from '../person.store.ts';

const periodSeconds = 30;
// Loaded with the first code, because a start needs none.
const made = async (secret: string, username = '') => {
  const { Secret, TOTP } = await import('otpauth');
  return new TOTP({
    issuer: 'Muhuri',
    label: username,
    secret: Secret.fromBase32(secret),
    digits: 6,
    period: periodSeconds,
  });
};

/** `check` leaves a right code unused; `first` puts the secret in force if there is none yet. */
export type CodeMode = 'use' | 'check' | 'first';

export type Totp = {
  /**
   * Makes a new secret, not yet in force, and writes it by `within` to the person's locked row. The
   * secret leaves the server once.
   */
  begin(
    within: (
      work: (tx: Tx, person: StoredPerson) => Promise<StoredPerson>,
    ) => Promise<StoredPerson>,
  ): Promise<{ secret: string; uri: string }>;
  /**
   * Says whether a code is right now, by the person's locked row. Each holds once, unless it is only
   * checked. Tries are not counted here: `pass-factor.ts` counts before it asks.
   */
  check(tx: Tx, personId: string, code: string, mode: CodeMode): Promise<boolean>;
};

/** Time-based codes (RFC 6238); the secret is encrypted under the person's own data key. */
export function openTotp(ports: { vault: Vault; clock: Clock }): Totp {
  const { vault, clock } = ports;
  return {
    async begin(within) {
      const { Secret } = await import('otpauth');
      const secret = new Secret({ size: 20 }).base32;
      const { username } = await within(async (tx, person) => {
        if (person.totpConfirmedAt) throw new AppError('wrong_state', { state: 'set_up' });
        const dataKey = person.dataKey ?? vault.newDataKey(person.id);
        await setTotp(tx, person.id, {
          dataKey,
          secret: vault.encrypt(dataKey, person.id, 'totp_secret', secret),
        });
        return person;
      });
      return { secret, uri: (await made(secret, username)).toString() };
    },
    async check(tx, personId, code, mode) {
      const person = await lockPerson(tx, personId);
      if (!person?.totpSecret || !person.dataKey || (!person.totpConfirmedAt && mode !== 'first'))
        return false;
      const now = clock.now();
      const delta = (
        await made(vault.decrypt(person.dataKey, personId, 'totp_secret', person.totpSecret))
      ).validate({
        token: code,
        timestamp: now.getTime(),
        window: 1,
      });
      if (delta === null) return false;
      const step = Math.floor(now.getTime() / 1000 / periodSeconds) + delta;
      if (person.totpLastStep !== null && step <= Number(person.totpLastStep)) return false;
      if (mode !== 'check') await consumeTotpStep(tx, personId, step, now);
      return true;
    },
  };
}
