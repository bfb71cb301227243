import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';
import type { Setup } from './sale-setup.model.ts';

/** A business with the usual decisions. */
export const setup: Setup = {
  currency: 'RWF',
  today: '2026-11-20',
  goLiveDate: '2026-01-01',
  production: null,
  sealsApproved: false,
  documentAgeDaysMax: 400,
  isVatRegistered: true,
  nonVatClass: 'D',
  rates: { A: '0', B: '18', C: '0', D: '0' },
  linesMax: 999,
  // Arithmetic is asked of far more than a device takes.
  amountMax: '999999999999999999.99',
  quantityMax: '99999999999.99',
  taxes: { vat: 'B', exempt: 'A', zero: 'C' },
  items: {
    default: {
      itemClass: '5020170600',
      itemType: '2',
      packageUnit: 'NT',
      quantityUnit: 'U',
      origin: 'RW',
    },
  },
  charges: {
    shipping: {
      itemClass: '7812150000',
      itemType: '3',
      packageUnit: 'NT',
      quantityUnit: 'U',
      origin: 'RW',
    },
    adjustment: {
      itemClass: '8412150000',
      itemType: '3',
      packageUnit: 'NT',
      quantityUnit: 'U',
      origin: 'RW',
      taxClass: 'B',
    },
  },
  paymentModes: { Cash: '01' },
  creditMethod: '02',
  hasCode: () => true,
  readPhone: (text) => text,
  checkBuyer: () => [],
};

/** One line of that net amount, at the standard rate. */
export const line = (net: string, more: Partial<BooksLine> = {}): BooksLine => ({
  id: '1',
  itemId: 'i1',
  name: 'Item',
  quantity: '1',
  rate: net,
  net,
  discount: '0',
  tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax', amount: null },
  ...more,
});
/** An invoice of one line that can be sealed as it is; each test says what is different. */
export const document = (more: Partial<BooksDocument> = {}): BooksDocument => ({
  module: 'invoices',
  id: '1',
  number: 'INV-1',
  kind: 'invoice',
  createdAt: new Date('2026-11-20T07:30:00Z'),
  modifiedAt: null,
  status: 'sent',
  date: '2026-11-20',
  customer: { id: 'c1', name: 'Buyer' },
  buyer: { taxpayerId: null, purchaseCode: null, mobile: '0788000000' },
  locationId: null,
  currency: 'RWF',
  baseCurrency: 'RWF',
  exchangeRate: '1',
  places: 2,
  isTaxInclusive: false,
  lines: [line('1000')],
  discount: { amount: '0', isBeforeTax: true },
  shipping: { net: '0', tax: '0', taxId: null, taxPercent: null },
  adjustment: '0',
  roundOff: '0',
  subTotal: '1000',
  taxTotal: '180',
  total: '1180',
  baseTotal: null,
  balance: '1180',
  paymentModes: [],
  corrects: { invoiceIds: [], reference: null },
  ...more,
});
