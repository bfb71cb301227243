import { decodeText } from '../../platform/decode-text.ts';
import type { Dialect } from '../../ports/dialect/index.ts';
import { bytesOf } from '../receipt/stored-answer.ts';
import type { StoredAttempt } from '../receipt/attempt.store.ts';
import type { Signature } from '../../model/sale.model.ts';

/**
 * Finds a signature that stands whole in an answer of the device that is kept and could not be
 * taken as one: under another status, under a code nobody wrote down, or with counters that could
 * not be the next. Returns it only if all sends under its number say the same one: of two that
 * differ there is nothing to choose.
 */
export function findKeptSignature(
  dialect: Dialect,
  attempts: StoredAttempt[],
  invoiceNumber: string | null,
): { attemptId: string; signature: Signature } | null {
  const found = attempts.flatMap((attempt) => {
    if (attempt.invoiceNumber !== invoiceNumber || !attempt.response) return [];
    const signature = dialect.sales.find({
      status: 200,
      body: decodeText(bytesOf(attempt.response)),
    });
    return signature ? [{ attemptId: attempt.id, signature }] : [];
  });
  const [first] = found;
  return first &&
    found.every((each) => each.signature.receiptSignature === first.signature.receiptSignature)
    ? first
    : null;
}
