import type { BooksDocument } from '@muhuri/server/model/books-document.model';
import { document, line } from '@muhuri/server/receipts/sale/make-sale.samples';

/**
 * One line at the standard rate; the item's name is its own, so that it has to be registered once.
 */
export function invoice(id: string, net: number, item: number, createdAt: Date): BooksDocument {
  const tax = (net * 18) / 100;
  return document({
    id,
    createdAt,
    number: `INV-${id}`,
    lines: [line(String(net), { itemId: `i${item}`, name: `Item ${item}` })],
    subTotal: String(net),
    taxTotal: String(tax),
    total: String(net + tax),
    balance: '0',
    paymentModes: ['Cash'],
  });
}

/** The credit note over the whole of an invoice. */
export const creditNote = (id: string, of: BooksDocument, createdAt: Date): BooksDocument => ({
  ...of,
  createdAt,
  module: 'creditnotes',
  id,
  number: `CN-${id}`,
  kind: 'credit_note',
  status: 'open',
  corrects: { invoiceIds: [of.id], reference: of.number },
});
