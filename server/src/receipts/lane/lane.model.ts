import type { BusinessSettings } from '../../businesses/business.model.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';

export type LaneDevice = {
  id: string;
  state: 'new' | 'active' | 'paused' | 'retired';
  environment: 'sandbox' | 'production';
  sdcId: string | null;
  nextInvoiceNumber: string;
  freeNumbers: string[];
  lastTotal: string | null;
  /**
   * Up to this total every receipt of the device is accounted for; null until it has signed for us.
   */
  totalBase: string | null;
  laneHolder: string | null;
  laneUntil: Date | null;
  /** The send on its way, if any. */
  openAttempt: string | null;
  tries: number;
  hasDoubt: boolean;
  /** It tells another taxpayer than the business says it is: nothing new is sent. */
  isOtherTaxpayer: boolean;
  /** Whether a receipt with the signature asked about exists already. */
  isSignatureKnown: boolean;
};

export type LaneDoubt = {
  id: string;
  documentNumber: string;
  invoiceNumber: string;
  nextTryAt: Date | null;
  since: Date;
  lastEndedAt: Date | null;
  hasOpenSocket: boolean;
  /** A late signature of the document waits for a person: nothing of it is sent, not even again. */
  isContested: boolean;
  /** By this lane; otherwise by nobody, because it may be signed under another number. */
  isAsked: boolean;
  /**
   * Another number under which a send of its document may have made a receipt, here or at a device
   * that it was moved from; null: there is none.
   */
  otherNumber: string | null;
  tries: number;
};

export type LaneHead = {
  id: string;
  kind: 'sale' | 'refund';
  module: 'invoices' | 'creditnotes';
  documentId: string;
  documentHash: string;
  invoiceNumber: string | null;
  filed: SigningInput;
  readAt: Date | null;
  nextTryAt: Date | null;
  hasUnregisteredItems: boolean;
  /**
   * A send of it, there or at a device that it was moved from, may have made a receipt, and it
   * waits all the same: nothing of it goes.
   */
  isDoubted: boolean;
  /** Bytes the device has seen and not served under the number it holds: they are fixed. */
  fixedRequest: string | null;
  /**
   * What its business lets be sealed by itself, where nobody is known to have asked for this
   * document and no two persons have had it sold anew.
   */
  byItself: Pick<BusinessSettings, 'auto_seal' | 'exempt'> | null;
};
