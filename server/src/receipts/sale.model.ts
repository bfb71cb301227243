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
};

/**
 * Our neutral document, made from an invoice or a credit note: decimal, tax class per line, buyer, currency and rate. Amounts are in
 * the device's currency, positive also for a refund.
 */
export type Sale = {
  kind: 'sale' | 'refund';
  documentNumber: string;
  documentDate: string;
  customerId: string;
  buyer: { name: string; taxpayerId: string | null; purchaseCode: string | null; mobile: string | null };
  paymentMethod: string;
  reasonCode: string | null;
  currency: string;
  foreign: { currency: string; exchangeRate: Amount; total: Amount } | null;
  lines: SaleLine[];
  total: Amount;
};

/** Totals as a dialect computes them; `byClass` holds every class of the authority in its order, used or not. */
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
