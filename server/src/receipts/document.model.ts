import type { Amount } from '@muhuri/shared/money';

/**
 * A document as the accounting system holds it, in our words. Amounts are in the document's currency, exactly as given there; ids
 * are strings. Nothing here is decided yet.
 */
export type BooksDocument = {
  module: 'invoices' | 'creditnotes';
  id: string;
  number: string;
  kind: 'invoice' | 'credit_note' | 'debit_note';
  /** Lower-case status of the accounting system: `draft`, `sent`, `void` … */
  status: string;
  /** When it was made there; null where it does not say. */
  createdAt: Date | null;
  /** When it was last changed there, by anybody and anything; null where it does not say. */
  modifiedAt: Date | null;
  /** The document's own date, without a zone: `2026-11-20`. */
  date: string;
  customer: { id: string; name: string };
  buyer: { taxpayerId: string | null; purchaseCode: string | null; mobile: string | null };
  locationId: string | null;
  currency: string;
  baseCurrency: string;
  /** Base-currency units for one unit of the document's currency. */
  exchangeRate: Amount;
  /** Decimals the document's currency is kept in. */
  places: number;
  isTaxInclusive: boolean;
  lines: BooksLine[];
  /** Entity-level discount in money; zero where discounts stand on the lines. */
  discount: { amount: Amount; isBeforeTax: boolean };
  shipping: { net: Amount; tax: Amount; taxId: string | null; taxPercent: Amount | null };
  adjustment: Amount;
  roundOff: Amount;
  subTotal: Amount;
  taxTotal: Amount;
  total: Amount;
  /** The accounting system's own conversion of the total, where it gives one. */
  baseTotal: Amount | null;
  balance: Amount;
  /** Payment modes recorded against the document, as the accounting system names them. */
  paymentModes: string[];
  /** For a credit note: what it says of the invoice it corrects, in the order of trust. */
  corrects: { invoiceIds: string[]; reference: string | null };
};

export type BooksLine = {
  id: string;
  /** Null for a free-text line. */
  itemId: string | null;
  name: string;
  quantity: Amount;
  rate: Amount;
  /** Net of tax and of the line's own discount, also on a tax-inclusive document (zoho-books-api: item_total). */
  net: Amount;
  /** The line's own discount in money, in the basis of `rate`. */
  discount: Amount;
  tax: { id: string; name: string; percent: Amount; kind: 'tax' | 'tax_group' | 'compound_tax'; amount: Amount | null } | null;
};
