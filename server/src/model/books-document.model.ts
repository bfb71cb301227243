import type { Amount } from '@muhuri/shared/money';

/**
 * A document as the accounting system holds it, in our words. Amounts are in the document's
 * currency, exactly as given there; ids are strings. Nothing here is decided yet.
 */
export type BooksDocument = {
  module: 'invoices' | 'creditnotes';
  id: string;
  number: string;
  kind: 'invoice' | 'credit_note' | 'debit_note' | 'other';
  /** What the books call a document that is none of these. */
  kindInBooks?: string;
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
  /** Decimals the books keep their own currency in; two where they do not say. */
  basePlaces?: number;
  isTaxInclusive: boolean;
  /** Whether its tax is left to the buyer to pay. */
  isReverseCharge?: boolean;
  lines: BooksLine[];
  /** Entity-level discount in money; zero where discounts stand on the lines. */
  discount: { amount: Amount; isBeforeTax: boolean };
  shipping: {
    net: Amount;
    tax: Amount;
    taxId: string | null;
    taxPercent: Amount | null;
    taxName?: string;
    taxKind?: LineTax['kind'];
    taxKindUnknown?: string;
  };
  adjustment: Amount;
  roundOff: Amount;
  subTotal: Amount;
  taxTotal: Amount;
  /**
   * What the document levies in all, tax by tax; ids are not always given, and a group stands there
   * by its parts.
   */
  taxes?: TaxAmount[];
  total: Amount;
  /** The accounting system's own conversion of the total, where it gives one. */
  baseTotal: Amount | null;
  /**
   * What the buyer withholds as tax, as the books say it in one place or more; left out where
   * nothing is.
   */
  withheld?: Amount[];
  /**
   * Where the books' total was what is left of it: what was taken off it, and what it was. `total`
   * is the full one then.
   */
  takenOff?: { amount: Amount; total: Amount };
  balance: Amount;
  /** Payment modes recorded against the document, as the accounting system names them. */
  paymentModes: string[];
  /**
   * What the books failed to give beside the document itself; left out where they gave everything.
   */
  unread?: Unread[];
  /**
   * For a credit note: what it says of the invoice it corrects, in the order of trust.
   * `isUseOfCredit`: it names none, and these are what its credit is used for.
   */
  corrects: { invoiceIds: string[]; isUseOfCredit?: boolean; reference: string | null };
};

/**
 * The contact, where a buyer's number stands; the payments; and what a credit note's credit is used
 * for.
 */
export type Unread = 'contact' | 'payments' | 'applied';

/** An amount under the name of a tax, and under its id where that is given. */
export type TaxAmount = { id: string | null; name: string; amount: Amount };

export type BooksLine = {
  id: string;
  /** Null for a free-text line. */
  itemId: string | null;
  name: string;
  quantity: Amount;
  rate: Amount;
  /**
   * Net of tax and of the line's own discount, also on a tax-inclusive document (zoho-books-api:
   * item_total).
   */
  net: Amount;
  /** The line's own discount in money, in the basis of `rate`. */
  discount: Amount;
  /** What of the whole document's discount is this line's, where the books say it. */
  share?: Amount;
  tax: LineTax | null;
  /** Whether the tax of this line is left to the buyer to pay. */
  isReverseCharge?: true;
  /** What the books call the reason that it bears no tax; nothing of an authority's classes. */
  exemption?: string;
};

export type LineTax = {
  id: string;
  name: string;
  percent: Amount;
  kind: 'tax' | 'tax_group' | 'compound_tax';
  /**
   * What the books call its kind, where that is none of these: what such a tax does to an amount is
   * not known.
   */
  kindUnknown?: string;
  /** Null where the line does not say what its tax comes to. */
  amount: Amount | null;
  /** The taxes it is made of, as the line names them. */
  parts?: TaxAmount[];
};
