import type { StoredProblem } from '@muhuri/shared/problems';
import type { Signature } from '../../model/sale.model.ts';

/**
 * A signature that came when its document had another one, or had been settled as not signed.
 * `receipt`: it is the document's receipt after all; `undone`: refunded or cancelled at the
 * authority, as a person has shown; `reversed`: the refund that undid the lost sale has undone it.
 */
export type SecondSignature = Signature & {
  attemptId: string;
  deviceId: string;
  invoiceNumber: string;
  verificationUrl: string;
  label: string;
  heardAt: Date;
  settledAs: 'receipt' | 'undone' | 'reversed' | null;
  settledEvidence: unknown;
  settledAt: Date | null;
};

type Contested = { module: string; documentNumber: string; secondSignatures: SecondSignature[] };
type Undoable = { undoing: { receipt_id: string; invoice_number: string } | null };

/** Late signatures of a receipt that wait for a person. */
export const openSeconds = ({
  secondSignatures,
}: {
  secondSignatures: SecondSignature[];
}): SecondSignature[] => secondSignatures.filter((each) => each.settledAt === null);

/**
 * The refund that undoes it is on its way: what comes of a late signature under that number is
 * decided by that refund, and by nobody else.
 */
export const isUndoneSoon = ({ undoing }: Undoable, invoiceNumber: string): boolean =>
  undoing?.invoice_number === invoiceNumber;

/** Why nothing of a contested document is sealed. */
export const whyContested = (receipt: Contested & Undoable): StoredProblem =>
  openSeconds(receipt).every((each) => isUndoneSoon(receipt, each.invoiceNumber))
    ? { code: 'reversal_under_way' }
    : signedTwice(receipt);

/**
 * What is said of a document while a late signature of it waits for a person, with the numbers it
 * is found by at the authority.
 */
export function signedTwice(receipt: Contested): StoredProblem & { code: 'signed_twice' } {
  const late = openSeconds(receipt).at(-1);
  return {
    code: 'signed_twice',
    module: receipt.module,
    document_number: receipt.documentNumber,
    invoice_number: late?.invoiceNumber ?? '',
    receipt: late ? `${late.receiptNumber}/${late.totalReceiptNumber}` : '',
  };
}
