import type { Context } from '../../context.ts';
import { otherAdmins } from '../other-admins.ts';
import { listPersons } from '../person.store.ts';
import type { WayBackPorts } from './way-back-ports.ts';
import { operatorFrom } from './way-back.model.ts';
import { listPendingWaysBack, type WayBack } from './way-back.store.ts';

export type PendingWayBack = WayBack & {
  name: string;
  username: string;
  operatorFrom: Date;
  hasOtherAdmin: boolean;
};

/** Lists the requests of a business that are pending. */
export const listWaysBack =
  (ports: Pick<WayBackPorts, 'database' | 'clock'>) =>
  async (ctx: Context): Promise<PendingWayBack[]> => {
    const pending = await ctx.transaction((tx) => listPendingWaysBack(tx, ports.clock.now()));
    const ids = pending.map((each) => each.personId);
    const persons = await ports.database.platform((tx) => listPersons(tx, ids));
    const found: PendingWayBack[] = [];
    for (const each of pending) {
      const person = persons.find((one) => one.id === each.personId);
      const { others } = await otherAdmins(ports, ctx, each);
      found.push({
        ...each,
        name: person?.name ?? '',
        username: person?.username ?? '',
        operatorFrom: operatorFrom(each),
        hasOtherAdmin: others.length > 0,
      });
    }
    return found;
  };
