import type { StoredProblem } from '@muhuri/shared/problems';
import type { RegisterItems } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import type { Clock } from '../../platform/clock.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import { withItemCodes } from './assign-item-codes.ts';
import type { PrepareSale } from './prepare-sale.ts';

export type RegisterItemsOfDocument = (
  ctx: Context,
  documentId: string,
) => Promise<StoredProblem | null>;

/**
 * Registers the items of an invoice with its device and signs nothing: the part of a sale that a
 * rehearsal in production may do.
 */
export const registerItemsOfDocument =
  (ports: {
    prepareSale: PrepareSale;
    registerItems: RegisterItems;
    dialects: Dialects;
    newId: NewId;
    clock: Clock;
    worker: string;
  }): RegisterItemsOfDocument =>
  async (ctx, documentId) => {
    const { filed, device, findings } = await ports.prepareSale(
      ctx,
      'invoices',
      documentId,
      { confirm: ['before_production', 'was_exempt'] },
      null,
    );
    if (!filed || !device) return findings[0] ?? { code: 'device_missing' };
    const coded = await ctx.transaction((tx) =>
      withItemCodes(tx, ctx.businessId, filed, ports, device.dialect),
    );
    const prices = Object.fromEntries(
      coded.sale.lines.map((line) => [line.itemCode, line.unitPrice]),
    );
    const about = { taxpayerId: filed.terms.device.taxpayerId, user: filed.terms.user, prices };
    const done = await ports.registerItems(ctx, device, about, ports.worker);
    return done.is === 'done' || done.is === 'busy' ? null : done.problem;
  };
