import { type AttemptFact, isDoubtful, provablyNotLeft } from '../receipt/receipt.model.ts';

type Send = AttemptFact & { invoiceNumber: string };

/**
 * Says why a late signature cannot be its document's receipt: something else of the document may be
 * signed, or has left, under another number. Null: it may be the receipt.
 */
export function whyNotItsReceipt(
  ownNumber: string | null,
  lateNumber: string,
  attempts: Send[],
): string | null {
  if (attempts.some((each) => each.invoiceNumber !== lateNumber && isDoubtful(each)))
    return 'it may be signed under another number as well';
  if (ownNumber === null || ownNumber === lateNumber) return null;
  return provablyNotLeft(attempts.filter((each) => each.invoiceNumber === ownNumber))
    ? null
    : 'something of it has left under another number';
}
