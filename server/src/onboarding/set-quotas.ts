import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { json, query } from '../platform/db/query.ts';
import { changeInBoth, type ManagePorts } from './update-business-and-directory.ts';

type Quotas = { requests_per_minute: number | null; requests_per_day: number | null };

/**
 * Sets what a business may ask for in a minute and a day. A day's quota never holds up the signing
 * of a document.
 */
export const setQuotas =
  (ports: ManagePorts) =>
  (ctx: Context, quotas: Quotas): Promise<void> =>
    changeInBoth(ports, ctx, {
      action: 'business.quotas_set',
      after: quotas,
      inDirectory: async () => {},
      async inBusiness(tx) {
        const before = (await getBusiness(tx, true)).quotas;
        await query(tx, 'update business set quotas = $1', [json(quotas)]);
        await ports.record(tx, ctx, {
          action: 'business.quotas_set',
          subject: ctx.businessId,
          before,
          after: quotas,
        });
      },
    });
