import { randomInt } from 'node:crypto';
import type { Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Notify } from './notify-person.ts';
import type { StoredPerson } from './person.store.ts';
import {
  countRecoveryCodes,
  deleteDevice,
  holdsRecoveryCode,
  insertDevice,
  listDevices,
  type RememberedDevice,
  removeSecondFactor,
  replaceRecoveryCodes,
  useDevice,
  useRecoveryCode,
} from './second-factor.store.ts';
import { hashOf, newSecret } from './credential.ts';
import type { Sessions } from './sessions.ts';
import type { Totp } from './totp.ts';
import type { Tries } from './tries.ts';

/**
 * What somebody gives as their second factor: the authenticator's six digits, or one of the codes
 * kept for the day it is lost.
 */
export type Given = { code?: string | undefined; recovery_code?: string | undefined };

const wrong = { max: 10, withinMs: 15 * 60_000 };
const codesMade = 10;
const codeLetters = 16;
/**
 * No vowel that makes words and nothing that is taken for something else; sixteen of them are 77
 * bits.
 */
const alphabet = 'BCDFGHJKLMNPQRSTVWXYZ23456789';
const deviceMs = 30 * 86_400_000;
const deviceShape = /^rdv\.([A-Za-z0-9_-]{43})$/;

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  totp: Totp;
  tries: Tries;
  notify: Notify;
};

/**
 * The second factor: an authenticator, recovery codes beside it, and devices that are remembered
 * for a while. Wrong ones are counted by person, and apart by what was shown before: at sign-in the
 * password was right; in a session that was never given one (by Zoho, on a remembered device, or
 * with a found token) nothing was, and as many more are to be had, so all of those share one count.
 * A session that was given one has its own, with those it was switched to: no other comes by
 * without one. So whoever has less cannot keep out who has more.
 */
export function openSecondFactor(ports: Ports) {
  const { database, clock, totp, tries } = ports;

  const countedIn = (session: Session): string =>
    session.verifiedAt === null ? `in_sessions:${session.person.id}` : session.lineage;
  const plain = (code: string) => code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  const isRight = (
    tx: Tx,
    personId: string,
    given: Given,
    as: 'use' | 'look' | 'first',
  ): Promise<boolean> => {
    if (given.recovery_code === undefined) return totp.check(tx, personId, given.code ?? '', as);
    const hash = hashOf(plain(given.recovery_code));
    return as === 'look'
      ? holdsRecoveryCode(tx, personId, hash)
      : useRecoveryCode(tx, personId, hash, clock.now());
  };
  type Look = (isRightIn: (tx: Tx) => Promise<boolean>) => Promise<boolean>;
  const pass = async (
    personId: string,
    given: Given,
    countedBy: string,
    as: 'use' | 'look' | 'first',
    look: Look = database.platform,
  ): Promise<void> => {
    const subject = `second_factor:${countedBy}`;
    if (!(await tries.allow(subject, wrong))) throw new AppError('too_many_attempts');
    if (!(await look((tx) => isRight(tx, personId, given, as))))
      throw new AppError('wrong_code', {
        field: given.recovery_code === undefined ? 'code' : 'recovery_code',
      });
    await tries.forget(subject);
    if (given.recovery_code !== undefined && as !== 'look')
      ports.notify(personId, 'recovery_code_used');
  };
  const makeCodes = async (tx: Tx, personId: string): Promise<string[]> => {
    const letters = () =>
      Array.from({ length: codeLetters }, () => alphabet[randomInt(alphabet.length)]).join('');
    const codes = Array.from({ length: codesMade }, letters);
    await replaceRecoveryCodes(tx, personId, codes.map(hashOf), clock.now());
    return codes.map((code) => code.match(/.{4}/g)?.join('-') ?? code);
  };

  return {
    begin: (during: Sessions['during'], session: Session) =>
      totp.begin((work) => during(session, work)),
    /**
     * At sign-in, once the password was right. `look` leaves a right one unused, for a sign-in that
     * cannot be finished yet.
     */
    passAtSignIn: (person: Pick<StoredPerson, 'id'>, given: Given, as: 'use' | 'look') =>
      pass(person.id, given, person.id, as),
    passInSession: (session: Session, given: Given) =>
      pass(session.person.id, given, countedIn(session), 'use'),
    /**
     * The authenticator's first code puts it in force; answers the recovery codes, which leave the
     * server here only. It stands on the session: whoever has just set another password must not
     * find an authenticator in front of it that is not theirs.
     */
    async confirm(during: Sessions['during'], session: Session, code: string): Promise<string[]> {
      if (session.hasSecondFactor) throw new AppError('wrong_state', { state: 'set_up' });
      let codes: string[] = [];
      await pass(session.person.id, { code }, countedIn(session), 'first', (isRightIn) =>
        during(session, async (tx, person) => {
          if (person.totpConfirmedAt) throw new AppError('wrong_state', { state: 'set_up' });
          if (!(await isRightIn(tx))) return false;
          codes = await makeCodes(tx, person.id);
          return true;
        }),
      );
      ports.notify(session.person.id, 'authenticator_set_up');
      return codes;
    },
    async renewCodes(during: Sessions['during'], session: Session): Promise<string[]> {
      const codes = await during(session, (tx, person) => makeCodes(tx, person.id));
      ports.notify(session.person.id, 'recovery_codes_made');
      return codes;
    },
    async remove(during: Sessions['during'], session: Session): Promise<void> {
      await during(session, (tx, person) => removeSecondFactor(tx, person.id));
      ports.notify(session.person.id, 'authenticator_removed');
    },
    /** What there is, as its owner sees it. */
    read: (personId: string): Promise<{ codesLeft: number; devices: RememberedDevice[] }> =>
      database.platform(async (tx) => ({
        codesLeft: await countRecoveryCodes(tx, personId),
        devices: await listDevices(tx, personId, clock.now()),
      })),
    /** Whether this device is remembered for that person. */
    knows(personId: string, device: string | undefined): Promise<boolean> {
      const secret = deviceShape.exec(device ?? '')?.[1];
      return secret === undefined
        ? Promise.resolve(false)
        : database.platform((tx) => useDevice(tx, personId, hashOf(secret), clock.now()));
    },
    /**
     * Remembers a device for thirty days; its secret leaves the server here only. It stands on the
     * password and the second factor of this session: where either has been taken away meanwhile,
     * what was remembered on it has been forgotten, and this one must not come after.
     */
    async remember(
      during: Sessions['during'],
      session: Session,
      from: { address: string | null; userAgent: string | null },
    ): Promise<string> {
      const secret = newSecret();
      const at = clock.now();
      await during(session, async (tx, person) => {
        if (person.totpConfirmedAt === null) throw new AppError('wrong_state', { state: 'none' });
        await insertDevice(tx, {
          id: ports.newId('remembered_device'),
          personId: person.id,
          secretHash: hashOf(secret),
          ...from,
          at,
          expiresAt: new Date(at.getTime() + deviceMs),
        });
      });
      return `rdv.${secret}`;
    },
    async forgetDevice(personId: string, id: string): Promise<void> {
      if (!(await database.platform((tx) => deleteDevice(tx, personId, id))))
        throw new AppError('not_found');
    },
  };
}

export type { RememberedDevice };
export type SecondFactor = ReturnType<typeof openSecondFactor>;
