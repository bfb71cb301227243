import type { Context } from '../../context.ts';
import { listPersons } from '../person.store.ts';
import type { AddressChangePorts } from './address-change-ports.ts';
import { appliesFrom, isExpired } from './address-change.model.ts';
import { type AddressChange, listPendingAddressChanges } from './address-change.store.ts';

export type PendingAddressChange = AddressChange & { name: string; from: Date };

/** Lists the changes of a business that are pending. */
export const listAddressChanges =
  ({ database, clock }: Pick<AddressChangePorts, 'database' | 'clock'>) =>
  async (ctx: Context): Promise<PendingAddressChange[]> => {
    const pending = (
      await database.platform((tx) => listPendingAddressChanges(tx, ctx.businessId))
    ).filter((each) => !isExpired(each, clock.now()));
    const ids = pending.map((each) => each.personId);
    const persons = await database.platform((tx) => listPersons(tx, ids));
    return pending.map((each) => ({
      ...each,
      name: persons.find((one) => one.id === each.personId)?.name ?? '',
      from: appliesFrom(each),
    }));
  };
