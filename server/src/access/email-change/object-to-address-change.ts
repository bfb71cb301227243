import { AppError } from '../../platform/app-error.ts';
import { hashOf } from '../credential.ts';
import type { From } from '../sign-in.ts';
import { type AddressChangePorts, recordInBusinesses } from './address-change-ports.ts';
import { endAddressChange, lockByObjection } from './address-change.store.ts';

const tokenShape = /^adr\.([A-Za-z0-9_-]{43})$/;

/** Ends a change by the link that everybody was mailed; false if it is no such link. */
export const objectToAddressChange =
  (ports: AddressChangePorts) =>
  async (token: string, from: From): Promise<boolean> => {
    const secret = tokenShape.exec(token)?.[1];
    if (secret === undefined) return false;
    const change = await ports.database.platform(async (tx) => {
      const found = await lockByObjection(tx, hashOf(secret));
      if (found?.state !== 'open') throw new AppError('link_expired');
      const link = { id: 'link', type: 'link' };
      await endAddressChange(tx, found.id, 'objected', link, ports.clock.now());
      return found;
    });
    await recordInBusinesses(
      ports,
      change,
      'address_change.objected',
      { origin: from.address },
      { person_id: change.personId },
    );
    return true;
  };
