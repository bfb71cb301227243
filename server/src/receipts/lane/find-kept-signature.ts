import { decodeText } from '../../platform/decode-text.ts';
import type { Dialect } from '../../ports/dialect/index.ts';
import { bytesOf } from '../receipt/kept-answer.ts';
import type { StoredAttempt } from '../receipt/attempt.store.ts';
import type { Signature } from '../../model/sale.model.ts';

/**
 * The signature that stands whole in an answer of the device that we keep and could not take as
 * one: under another status, a code nobody wrote down, with counters that could not be the next.
 * Only where the sends under its number say one and the same; two that differ are nothing to choose
 * from.
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
