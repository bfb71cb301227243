import type { StoredAttempt } from '../receipt/attempt.store.ts';
import { sendInDoubt } from '../receipt/receipt.model.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

/**
 * Whether the signature that a send brought is of the very bytes that its document is in doubt
 * about.
 */
export function isOfDoubt(
  receipt: Receipt,
  attempts: StoredAttempt[],
  sent: { attemptId: string; invoiceNumber: string },
): boolean {
  const inDoubt =
    receipt.state === 'in_doubt' ? sendInDoubt(attempts, receipt.invoiceNumber) : undefined;
  return (
    inDoubt?.invoiceNumber === sent.invoiceNumber &&
    inDoubt.request === attempts.find((attempt) => attempt.id === sent.attemptId)?.request
  );
}
