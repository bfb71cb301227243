import type { Amount } from '@muhuri/shared/money';

/** What an item is to the authority. Codes are the authority's. */
export type ItemContent = {
  name: string;
  itemClass: string;
  itemType: string;
  packageUnit: string;
  quantityUnit: string;
  origin: string;
  taxClass: string;
};

export type SaleLine = {
  /** Which item of ours: `item:<Zoho id>`, `free_text`, `charge:shipping`, `charge:adjustment`. */
  source: string;
  itemCode: string;
  name: string;
  content: ItemContent;
  quantity: Amount;
  /** Tax inside, two decimals: for print, and what the device is told. */
  unitPrice: Amount;
  /** Money before the discount, tax inside. */
  gross: Amount;
  discountRate: Amount;
  discount: Amount;
  /** What the buyer pays for the line, tax inside: gross − discount. */
  total: Amount;
  taxClass: string;
  /** The line as the books have it; not known of receipts that were filed before this was kept. */
  books?: LineInBooks;
};

export type LineInBooks = {
  /** With all its decimals; `quantity` of the line is cut to what the device can be told. */
  quantity: Amount;
  /** Unit price in the document's currency. */
  rate: Amount;
  /** Whether `rate` and `worth` have the tax inside. */
  isTaxInclusive: boolean;
  /** Quantity × rate less the line's discounts, not rounded, in the document's currency. */
  worth: Amount;
  /** How far rounding its discounts may have moved `worth`. */
  slack: Amount;
  /** The smallest amount of the document's currency. */
  unit: Amount;
  /**
   * How far rounding the line and each of its taxes may have moved `paid`; a unit where it is not
   * kept.
   */
  moved?: Amount;
  /** The same of the books' own currency, as far as the device is told it. */
  baseUnit: Amount;
  /** What the buyer pays for the line in the document's currency, tax inside. */
  paid: Amount;
};

/** What a document in another currency was converted by. */
export type Foreign = {
  currency: string;
  exchangeRate: Amount;
  /** The document's total in its own currency. */
  total: Amount;
  /**
   * The day the rate belongs to, and who says it: the document itself, or the sale that a refund
   * undoes. Not kept at first.
   */
  rateDate?: string;
  rateSource?: 'document' | 'sale';
};

/**
 * Our neutral document, made from an invoice or a credit note: decimal, tax class per line, buyer,
 * currency and rate. Amounts are in the device's currency, positive also for a refund.
 */
export type Sale = {
  kind: 'sale' | 'refund';
  documentNumber: string;
  documentDate: string;
  customerId: string;
  /** Where in the books it was made; null where they say none. Not kept at first. */
  locationId?: string | null;
  buyer: {
    name: string;
    taxpayerId: string | null;
    purchaseCode: string | null;
    mobile: string | null;
  };
  paymentMethod: string;
  reasonCode: string | null;
  currency: string;
  foreign: Foreign | null;
  lines: SaleLine[];
  total: Amount;
  /**
   * What the document comes to, where rounding the parts of a sale has it sealed at another total.
   */
  documentTotal?: Amount;
  /**
   * Where the books take withheld tax off their total: how much, and what they have as the total,
   * in the document's currency.
   */
  takenOff?: { amount: Amount; total: Amount };
};

/**
 * Totals as a dialect computes them; `byClass` holds every class of the authority in its order,
 * used or not.
 */
export type Totals = {
  lines: { taxable: Amount; tax: Amount }[];
  byClass: { taxClass: string; rate: Amount; taxable: Amount; tax: Amount }[];
  taxable: Amount;
  tax: Amount;
  total: Amount;
};

/** The signature of a receipt in our words; money nowhere, `signedAt` in UTC. */
export type Signature = {
  receiptNumber: string;
  totalReceiptNumber: string;
  internalData: string;
  receiptSignature: string;
  sdcId: string;
  mrcNumber: string;
  signedAt: Date;
};
