import type { Amount } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { SealedRate } from './exchange-rate.model.ts';
import type { ItemContent, Sale } from '../../model/sale.model.ts';

export type ItemMapping = Omit<ItemContent, 'name' | 'taxClass'> & {
  taxClass?: string | undefined;
  name?: string | undefined;
};

/** That another system has sealed a document: who said so, when and why. */
export type Elsewhere = { reason: string; by: string; by_id: string; at: string };

/** What a business has decided, and what its authority knows. */
export type Setup = {
  currency: string;
  /** The device's day today, for documents of the future. */
  today: string;
  goLiveDate: string;
  /**
   * Where the device seals for real: since when its branch and its place in the books do, and
   * whether the document was signed at the rehearsal.
   */
  production: { since: Date | null; isRehearsed: boolean } | null;
  /** Where a person has said that another system sealed the document. */
  elsewhere?: Elsewhere | null;
  /**
   * Where the business had exempted the document and has taken that back: another system may have
   * sealed it meanwhile.
   */
  wasExempt?: boolean;
  /** Whether an approved document that was not sent yet may be sealed. */
  sealsApproved: boolean;
  documentAgeDaysMax: number;
  isVatRegistered: boolean;
  /** The class a seller not registered for VAT uses throughout. */
  nonVatClass: string;
  /** Rate in percent by tax class, in force; for a refund, as its sale was sealed. */
  rates: Record<string, Amount>;
  /** The latest sealed rate of the document's currency. */
  sealedRate?: SealedRate | null;
  linesMax: number;
  amountMax: Amount;
  quantityMax: Amount;
  taxes: Record<string, string>;
  items: Record<string, ItemMapping>;
  charges: Record<string, ItemMapping>;
  paymentModes: Record<string, string>;
  /** The authority's code for a sale on credit. */
  creditMethod: string;
  hasCode(
    list: 'item_class' | 'package_unit' | 'quantity_unit' | 'origin' | 'payment_method' | 'reason',
    code: string,
  ): boolean;
  /** A telephone number in its one form; null where there are too few digits to be one. */
  readPhone(text: string): string | null;
  checkBuyer(buyer: Sale['buyer']): StoredProblem[];
};

/** What a person added where the document could not know. */
export type Answers = {
  buyer_tin?: string | undefined;
  purchase_code?: string | undefined;
  buyer_mobile?: string | undefined;
  reason_code?: string | undefined;
  payment_method?: string | undefined;
  sale_receipt_id?: string | undefined;
  confirm?:
    | (
        | 'before_go_live'
        | 'document_old'
        | 'before_production'
        | 'sealed_elsewhere'
        | 'exchange_rate_unlikely'
        | 'buyer_name_damaged'
        | 'number_sealed_before'
        | 'was_exempt'
      )[]
    | undefined;
  /** The exchange rate that was confirmed: another one is asked about anew. */
  confirmed_rate?: string | undefined;
};
