import type { Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { NewId } from '../../platform/new-id.ts';
import { hashOf, newSecret } from '../credential.ts';
import type { Sessions } from '../sessions/sessions.ts';
import {
  countRecoveryCodes,
  deleteDevice,
  insertDevice,
  listDevices,
  type RememberedDevice,
  useDevice,
} from './second-factor.store.ts';

type Ports = { database: Database; clock: Clock };

const deviceMs = 30 * 86_400_000;
const deviceShape = /^rdv\.([A-Za-z0-9_-]{43})$/;

/** Reads what its owner sees of a second factor. */
export const readFactor =
  ({ database, clock }: Ports) =>
  (personId: string): Promise<{ codesLeft: number; devices: RememberedDevice[] }> =>
    database.platform(async (tx) => ({
      codesLeft: await countRecoveryCodes(tx, personId),
      devices: await listDevices(tx, personId, clock.now()),
    }));

/** Says whether a device is remembered for that person. */
export const knowsDevice =
  ({ database, clock }: Ports) =>
  (personId: string, device: string | undefined): Promise<boolean> => {
    const secret = deviceShape.exec(device ?? '')?.[1];
    return secret === undefined
      ? Promise.resolve(false)
      : database.platform((tx) => useDevice(tx, personId, hashOf(secret), clock.now()));
  };

/**
 * Remembers a device for thirty days; its secret leaves the server here only. It stands on the
 * password and the second factor of this session. If either was changed meanwhile, what stood on it
 * is forgotten, and this device must not come after.
 */
export const rememberDevice =
  ({ clock, newId }: Pick<Ports, 'clock'> & { newId: NewId }) =>
  async (
    during: Sessions['during'],
    session: Session,
    from: { address: string | null; userAgent: string | null },
  ): Promise<string> => {
    const secret = newSecret();
    const at = clock.now();
    await during(session, async (tx, person) => {
      if (person.totpConfirmedAt === null) throw new AppError('wrong_state', { state: 'none' });
      await insertDevice(tx, {
        id: newId('remembered_device'),
        personId: person.id,
        secretHash: hashOf(secret),
        ...from,
        at,
        expiresAt: new Date(at.getTime() + deviceMs),
      });
    });
    return `rdv.${secret}`;
  };

export const forgetDevice =
  ({ database }: Pick<Ports, 'database'>) =>
  async (personId: string, id: string): Promise<void> => {
    if (!(await database.platform((tx) => deleteDevice(tx, personId, id))))
      throw new AppError('not_found');
  };
