import { type Branding, getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { PaperSize } from '../receipt/original.model.ts';
import { layOutTraining } from './receipt-layout.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import type { Ports } from './make-print.ts';

export type DrawTraining = (
  ctx: Context,
  branding: Partial<Branding>,
  paper: PaperSize,
) => Promise<Buffer>;

/**
 * A training receipt with an invented sale and the business's branding: to look at, never stored,
 * nothing asked of a device.
 */
export const drawTraining =
  (ports: Ports): DrawTraining =>
  async (ctx, branding, size) => {
    const business = await ctx.transaction((tx) => getBusiness(tx));
    const dialect = ports.dialects.in(business.country);
    if (!dialect) throw new AppError('device_missing');
    const at = ports.clock.now();
    const sale = trainingSale(dialect.identity.currency, dialect.sales.nonVatClass, at);
    const rates = Object.fromEntries(
      dialect.sales.taxClasses.map((each) => [each.code, each.percent]),
    );
    const paper = layOutTraining({
      at,
      sale,
      totals: dialect.sales.totals(sale.lines, rates, 'lines'),
      label: 'TS',
      isCopy: false,
      isTest: false,
      invoiceNumber: '0',
      branding: { ...business.branding, ...branding },
      branchAddress: '',
      taxpayerId: business.taxpayerId,
      branchCode: '00',
      originalReceipt: null,
      reversedInvoiceNumber: null,
      paymentName: 'Cash',
      reasonName: null,
      localTime: (moment) => ports.localTime(moment, dialect.identity.timeZone),
      grouped: dialect.print.grouped,
      version: ports.version,
    });
    return ports.draw(ctx.businessId, [paper], size, at);
  };

function trainingSale(currency: string, taxClass: string, at: Date): Sale {
  const content = {
    name: 'Training item',
    itemClass: '',
    itemType: '2',
    packageUnit: 'NT',
    quantityUnit: 'U',
    origin: 'RW',
    taxClass,
  };
  const line = {
    source: 'training',
    itemCode: '',
    name: 'Training item',
    content,
    unitPrice: '1180.00',
    discountRate: '0',
    discount: '0',
    taxClass,
  };
  return {
    kind: 'sale',
    documentNumber: 'TRAINING',
    documentDate: at.toISOString().slice(0, 10),
    customerId: '',
    buyer: { name: 'Training buyer', taxpayerId: null, purchaseCode: null, mobile: null },
    paymentMethod: '01',
    reasonCode: null,
    currency,
    foreign: null,
    lines: [{ ...line, quantity: '2', gross: '2360.00', total: '2360.00' }],
    total: '2360.00',
  };
}
