import type { Amount } from '@muhuri/shared/money';
import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import type { SaleTerms } from '../../model/sale-terms.model.ts';
import type { Sale, SaleLine, Signature, Totals } from '../../model/sale.model.ts';
import type { DeviceAnswer, DeviceRequest, DialectDevice, Said } from './device.ts';

export type SaleReply =
  | { is: 'signed'; signature: Signature }
  | ({ is: 'refused'; problem: ProblemCode } & Said)
  | ({ is: 'number_taken' } & Said)
  /**
   * The envelope blames the device or its link, not the document. `pauses`: a person must act
   * before anything is sent again.
   */
  | ({ is: 'not_served'; problem: ProblemCode; pauses: boolean } & Said)
  | ({ is: 'in_doubt' } & Said);

/** What goes into one sale request besides the sale: its terms, its number and the moment. */
export type NumberedTerms = SaleTerms & { invoiceNumber: string; at: Date };

/** A class of tax as the authority's law has it. `source` says where that is written. */
type TaxClass = { code: string; since: string; percent: Amount; source: string };

/** How a sale or a refund is checked, totalled, sent and read. */
export type Sales = {
  linesMax: number;
  /** The largest amount and quantity that a system of this authority stores and prints whole. */
  amountMax: Amount;
  quantityMax: Amount;
  creditMethod: string;
  nonVatClass: string;
  /** In the authority's order, with the rate in force where the device's lists say nothing. */
  taxClasses: TaxClass[];
  /**
   * Whether a lane may go past one open doubt: not where the authority demands a strict sequence.
   */
  passesDoubt: boolean;
  /**
   * What a device does with a number that it has signed. `refused_by_device`: it says that the
   * number is taken, so that after a doubt the same bytes may be sent again. `may_sign_again`: they
   * might become a second receipt, so that after a doubt nothing is ever sent again.
   */
  resend: 'refused_by_device' | 'may_sign_again';
  checkBuyer(buyer: Sale['buyer']): StoredProblem[];
  totals(
    lines: Pick<SaleLine, 'total' | 'taxClass'>[],
    rates: Record<string, Amount>,
    headerTax: SaleTerms['headerTax'],
  ): Totals;
  path: string;
  toBody(sale: Sale, terms: NumberedTerms): string;
  /** The code of an answer that signs, as it is kept with a send. */
  signedCode: string;
  read(answer: DeviceAnswer, isResend: boolean): SaleReply;
  /**
   * Finds the whole signature that stands in an answer, whatever else is wrong with it; null where
   * none does. It proves nothing by itself: a person is shown it instead of a form to fill in.
   */
  find(answer: DeviceAnswer): Signature | null;
  /** Asks a device for what it has signed under a number; absent where no device can be asked. */
  readBack?: {
    toRequest(device: DialectDevice, invoiceNumber: string): DeviceRequest;
    read(answer: DeviceAnswer): SaleReply;
  };
  /** Whether data a person brings can be what the authority holds: shapes only. */
  checkEvidence(signature: Signature): boolean;
};
