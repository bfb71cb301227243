import type { BooksDocument } from '@muhuri/server/receipts/document.model';

/** One line at the standard rate; the item's name is its own, so that it has to be registered once. */
export function invoice(id: string, net: number, item: number): BooksDocument {
  const tax = (net * 18) / 100;
  return {
    module: 'invoices',
    id,
    number: `INV-${id}`,
    kind: 'invoice',
    modifiedAt: null,
    status: 'sent',
    date: '2026-11-20',
    customer: { id: 'c1', name: 'Hotel Ikirezi' },
    buyer: { taxpayerId: null, purchaseCode: null, mobile: '0788000000' },
    locationId: null,
    currency: 'RWF',
    baseCurrency: 'RWF',
    exchangeRate: '1',
    places: 2,
    isTaxInclusive: false,
    lines: [
      {
        id: '1',
        itemId: `i${item}`,
        name: `Item ${item}`,
        quantity: '1',
        rate: String(net),
        net: String(net),
        discount: '0',
        tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax', amount: null },
      },
    ],
    discount: { amount: '0', isBeforeTax: true },
    shipping: { net: '0', tax: '0', taxId: null, taxPercent: null },
    adjustment: '0',
    roundOff: '0',
    subTotal: String(net),
    taxTotal: String(tax),
    total: String(net + tax),
    baseTotal: null,
    balance: '0',
    paymentModes: ['Cash'],
    corrects: { invoiceIds: [], reference: null },
  };
}

/** The credit note over the whole of an invoice. */
export const creditNote = (id: string, of: BooksDocument): BooksDocument => ({
  ...of,
  module: 'creditnotes',
  id,
  number: `CN-${id}`,
  kind: 'credit_note',
  status: 'open',
  corrects: { invoiceIds: [of.id], reference: of.number },
});
