export const receiptStates = ['queued', 'signed', 'refused', 'in_doubt', 'withdrawn'] as const;
export type ReceiptState = (typeof receiptStates)[number];
export type AttemptOutcome =
  | 'signed'
  | 'refused'
  | 'number_taken'
  | 'not_served'
  | 'unreachable'
  | 'in_doubt';

/** One send, as the states need to know it. `outcome` null: begun and not ended. */
export type AttemptFact = {
  outcome: AttemptOutcome | null;
  /**
   * Ends a doubt for this attempt, by rule or by a person; `doubtful` begins one: the number it
   * gave back turned out to be taken; `reversed`: it was signed, its data are lost, and a refund
   * under its number has undone it.
   */
  settled: 'signed' | 'not_signed' | 'not_ours' | 'doubtful' | 'reversed' | null;
  isWorkerGone: boolean;
};

export type ReceiptFacts = { isSigned: boolean; isWithdrawn: boolean; attempts: AttemptFact[] };

/** An attempt that may have made a receipt nobody knows of. */
export const isDoubtful = (attempt: AttemptFact): boolean =>
  attempt.settled === 'doubtful' ||
  (attempt.settled === null &&
    (attempt.outcome === 'in_doubt' ||
      attempt.outcome === 'number_taken' ||
      (attempt.outcome === null && attempt.isWorkerGone)));

/** Of those, one whose number the device says to be used, by whomever. */
export const isFoundTaken = (attempt: AttemptFact): boolean =>
  isDoubtful(attempt) && (attempt.settled === 'doubtful' || attempt.outcome === 'number_taken');

/**
 * The state of a receipt from all its attempts, never from the last one alone: a signature wins;
 * then any doubt, whatever came after it; then withdrawal; then the last outcome. The column
 * `state` says the same, written in the transaction that changes a fact, so that the lane can find
 * its work by an index; scenarios compare the two.
 */
export function stateOf(facts: ReceiptFacts): ReceiptState {
  if (facts.isSigned) return 'signed';
  if (facts.attempts.some(isDoubtful)) return 'in_doubt';
  if (facts.isWithdrawn) return 'withdrawn';
  const last = facts.attempts.at(-1);
  return last?.outcome === 'refused' || last?.settled === 'not_signed' ? 'refused' : 'queued';
}

/**
 * Whether the bytes may still change: under the number held now, every attempt since the last
 * definite refusal provably did not leave. (A refused document gave its number back and may have
 * got the same one again, with other bytes.)
 */
export const provablyNotLeft = (
  attempts: { outcome: AttemptOutcome | null; settled: string | null }[],
): boolean => {
  const last = attempts.findLastIndex(
    (attempt) => attempt.outcome === 'refused' || attempt.settled === 'not_signed',
  );
  return attempts
    .slice(last + 1)
    .every((attempt) => attempt.outcome === 'unreachable' || attempt.settled === 'not_ours');
};

/**
 * The send whose bytes a doubt under a number is about: the last one that may have made a receipt.
 * One that was refused before, or settled as not signed, may have had the same number and other
 * bytes, and what was in it has been corrected since.
 */
export const sendInDoubt = <A extends AttemptFact & { invoiceNumber: string }>(
  attempts: A[],
  invoiceNumber: string | null,
): A | undefined =>
  attempts.findLast((attempt) => attempt.invoiceNumber === invoiceNumber && isDoubtful(attempt));

/** The last send under the number of a doubt: what was said of another one says nothing of it. */
export const lastUnder = <A extends { invoiceNumber: string }>(
  attempts: A[],
  invoiceNumber: string | null,
): A | undefined => attempts.findLast((attempt) => attempt.invoiceNumber === invoiceNumber);

/** Delay before the next try of a document the device did not take, growing to a bound. */
export const retryDelayMs = (tries: number, firstMs: number, maxMs: number): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(tries, 20));
