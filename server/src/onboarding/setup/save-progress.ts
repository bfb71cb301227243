import { compareTaxpayer } from '../../branches/index.ts';
import {
  type Business,
  getBusiness,
  keepLaterGoLive,
  updateBusinessRow,
} from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import type { SetupPorts } from './setup-ports.ts';

/** Saves what a step changes about the business, with its line in the audit log. */
export const saveProgress = (
  ports: Pick<SetupPorts, 'clock' | 'record'>,
  ctx: Context,
  action: string,
  change: (before: Business) => Partial<Business>,
): Promise<void> =>
  ctx.transaction(async (tx) => {
    const before = await getBusiness(tx, true);
    const after = { ...before, ...change(before) };
    const now = ports.clock.now();
    await updateBusinessRow(tx, after, now);
    await keepLaterGoLive(tx, { before: before.goLiveDate, after: after.goLiveDate, now });
    await compareTaxpayer(tx, after);
    await ports.record(tx, ctx, { action, subject: ctx.businessId, after: after.setup });
  });
