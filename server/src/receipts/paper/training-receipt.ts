import { type Branding, getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { PaperSize } from '../receipt/original-print.model.ts';
import { shownPrices } from '../sale/printed-price.model.ts';
import type { Ports } from './make-print.ts';

export type DrawTraining = (
  ctx: Context,
  branding: Partial<Branding>,
  paper: PaperSize,
) => Promise<Buffer>;

/**
 * Draws a training receipt with an invented sale and the business's branding: to look at, never
 * stored, and nothing is asked of a device.
 */
export const drawTraining =
  (ports: Ports): DrawTraining =>
  async (ctx, branding, size) => {
    const business = await ctx.transaction((tx) => getBusiness(tx));
    const dialect = ports.dialects.in(business.country);
    if (!dialect) throw new AppError('device_missing');
    const at = ports.clock.now();
    const { sales, print } = dialect;
    const sale = print.trainingSale(at);
    const rates = Object.fromEntries(sales.taxClasses.map((each) => [each.code, each.percent]));
    const totals = sales.totals(sale.lines, rates, 'lines');
    const paper = print.layOut({
      mode: 'training',
      isTest: false,
      sale,
      totals,
      prices: shownPrices(sale, totals),
      signature: null,
      verification: '',
      invoiceNumber: '0',
      branding: { ...business.branding, ...branding },
      branchAddress: '',
      taxpayerId: business.taxpayerId,
      originalReceipt: null,
      originalSdcId: null,
      reversedInvoiceNumber: null,
      paymentName: 'Cash',
      reasonName: null,
      frozenAt: at,
      version: ports.version,
    });
    return ports.draw(ctx.businessId, [paper], size, at);
  };
