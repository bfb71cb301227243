import type { Amount } from '@muhuri/shared/money';
import type { Sale, Signature, Totals } from './sale.model.ts';

/** A name and what stands behind it. */
export type LayoutRow = [label: string, value: string];

/**
 * A receipt as it stands on paper, before anything is drawn: the authority's blocks in the
 * authority's order and words.
 */
export type ReceiptLayout = {
  /** What stands across the sheet of a copy or a training receipt; null on an original. */
  mark: string | null;
  /** The sentence that goes with a mark. */
  notOfficial: string;
  /** What a sandbox device signs is no fiscal receipt, and every sheet says so. */
  isTest: boolean;
  header: { logo: string | null; name: string; lines: string[]; taxpayer: string };
  accentColor: string;
  title: string;
  refund: { reference: string; note: string[] } | null;
  topMessage: string;
  buyer: LayoutRow[];
  document: LayoutRow[];
  columns: { item: string; price: string; amount: string };
  lines: {
    name: string;
    detail: string;
    amount: string;
    discount: { label: string; amount: string } | null;
  }[];
  totals: { label: string; amount: string; isStrong: boolean }[];
  tender: LayoutRow[];
  /** What the device has said, and the code that leads to it; nothing where none was asked. */
  signature: { title: string; rows: LayoutRow[] };
  code: string;
  /** What the system says that has asked the device. */
  system: LayoutRow[];
  footer: string[];
  /** What every page of several carries, so that loose sheets find each other. */
  pageNames: string[];
};

/** What a receipt is laid out from. */
export type LayoutInput = {
  /** A training receipt has a sale that was invented, and no signature. */
  mode: 'original' | 'copy' | 'training';
  isTest: boolean;
  sale: Sale;
  totals: Totals;
  /** Quantity and unit price of each line, as whoever multiplies comes to its amount. */
  prices: { quantity: Amount; unitPrice: Amount }[];
  /** Null in training. */
  signature: Signature | null;
  /** What the code leads to; nothing in training. */
  verification: string;
  invoiceNumber: string;
  branding: {
    trade_name: string;
    address_lines: string[];
    email: string | null;
    phone: string | null;
    accent_color: string;
    logo: string | null;
    legal_lines: string[];
    top_message: string;
    bottom_message: string;
  };
  branchAddress: string;
  taxpayerId: string;
  /** Of a refund: what the receipt of its sale says. */
  originalReceipt: { receiptNumber: string; totalReceiptNumber: string; label: string } | null;
  /**
   * Of a refund: who signed its sale, where that was another device than the one that signs the
   * refund.
   */
  originalSdcId: string | null;
  /** Of a refund that undoes a sale whose data were lost: the number that sale was signed under. */
  reversedInvoiceNumber: string | null;
  paymentName: string;
  reasonName: string | null;
  frozenAt: Date;
  version: string;
};
