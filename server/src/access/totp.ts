import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import { lockPerson, type StoredPerson, setTotp, usedTotp } from './person.store.ts';

const periodSeconds = 30;
// Loaded with the first code: a start needs none.
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

export type Totp = {
  /**
   * A new secret, not yet in force, written by `within` with the person's locked row; it leaves the
   * server once.
   */
  begin(
    within: (
      work: (tx: Tx, person: StoredPerson) => Promise<StoredPerson>,
    ) => Promise<StoredPerson>,
  ): Promise<{ secret: string; uri: string }>;
  /**
   * Whether the code is right now, by the person's locked row; each holds once, unless it is only
   * looked at. `first` puts the secret in force where there is none yet. Nothing is counted here:
   * `second-factor.ts` does before it asks.
   */
  check(tx: Tx, personId: string, code: string, as: 'use' | 'look' | 'first'): Promise<boolean>;
};

/** Time-based codes (RFC 6238), the secret sealed under the person's own data key. */
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
    async check(tx, personId, code, as) {
      const person = await lockPerson(tx, personId);
      if (!person?.totpSecret || !person.dataKey || (!person.totpConfirmedAt && as !== 'first'))
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
      if (as !== 'look') await usedTotp(tx, personId, step, now);
      return true;
    },
  };
}
