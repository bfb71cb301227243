import type { Alerts } from '../alerts/index.ts';
import { compareTaxpayer, listBranches } from '../branches/index.ts';
import type { TestDevice } from '../devices/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import { deleteOldSlots, slotOf, takeSlot } from '../platform/time-slots.ts';
import { findLongestUnwritten, listOpenOf, listWatched } from './deadline.store.ts';
import { type Due, dueOf, dueOfUnbegun, type Unbegun, watchedCodes } from './deadlines.model.ts';

type Ports = {
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  testDevice: TestDevice;
  /** What waits in the list of documents although nothing has been begun with it. */
  longestDue(tx: Tx): Promise<Unbegun['documents']>;
  dialects: Dialects;
  clock: Clock;
  worker: string;
  minutes: number;
};

const dayMs = 86_400_000;
const probeMinutes = 60;

/**
 * Looks, once in every slot over all servers, whether a deadline draws near: what is, is raised;
 * what is over, is closed. Once an hour each device that is set up is asked whether it serves and
 * reaches its authority, so that how long it may still sign without that is known without a sale.
 */
export const watchDeadlines =
  (ports: Ports) =>
  async (ctx: Context): Promise<void> => {
    const at = ports.clock.now();
    let failure: unknown = null;
    const take = (tx: Tx, job: string, minutes: number) =>
      takeSlot(tx, ctx.businessId, job, slotOf({ everyMinutes: minutes }, at) as string, {
        at,
        worker: ports.worker,
      });
    if (await ctx.transaction((tx) => take(tx, 'probe', probeMinutes))) {
      const branches = await ctx.transaction((tx) => listBranches(tx));
      // One that cannot be asked keeps neither the others from being asked nor the deadlines from
      // being watched.
      for (const { id, device } of branches)
        if (device && device.state === 'active')
          await ports.testDevice(ctx, id).catch((error: unknown) => {
            failure ??= error;
          });
      await ctx.transaction((tx) => deleteOldSlots(tx, new Date(at.getTime() - 2 * dayMs)));
    }
    await ctx.transaction(async (tx) => {
      if (!(await take(tx, 'deadlines', ports.minutes))) return;
      const now = ports.clock.now();
      // Either side may have changed while the other was being written.
      await compareTaxpayer(tx, await getBusiness(tx));
      const due = (await listWatched(tx)).flatMap((each) =>
        dueOf(each, offlineHoursOf(ports.dialects, each.dialect), now),
      );
      due.push(
        ...dueOfUnbegun(
          ctx.businessId,
          { documents: await ports.longestDue(tx), writes: await findLongestUnwritten(tx) },
          now,
        ),
      );
      const open = await listOpenOf(tx, watchedCodes);
      const isSame = (a: Due, b: Due) =>
        a.subject === b.subject &&
        a.problem.code === b.problem.code &&
        a.problem.hours === b.problem.hours;
      for (const each of open)
        if (!due.some((one) => isSame(one, each)))
          await ports.alerts.resolve(tx, ctx, each.subject, [each.problem.code]);
      for (const each of due)
        if (!open.some((one) => isSame(one, each)))
          await ports.alerts.raise(tx, ctx, each.subject, each.problem);
    });
    if (failure !== null) throw failure;
  };

/**
 * For how many hours a device signs without its authority. A retired one may be of a dialect that
 * is not served any more, which must not end the watch of the others.
 */
const offlineHoursOf = (dialects: Dialects, key: string): number | null =>
  dialects.all().find(({ identity }) => identity.key === key)?.setUp.offlineHoursMax ?? null;
