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
  resolution: 'signed' | 'not_signed' | 'not_ours' | 'doubtful' | 'reversed' | null;
};

/**
 * What a receipt is that is neither signed nor in doubt. Its sends do not say which: it may be
 * refused before anything was sent, and queued again after a refusal.
 */
export type StateWithoutDoubt = 'queued' | 'refused' | 'withdrawn';

export type ReceiptFacts = {
  isSigned: boolean;
  /** Closed for the receipt that stands for its document at another device. */
  isMoved: boolean;
  attempts: (AttemptFact & { invoiceNumber: string })[];
  choice: StateWithoutDoubt;
  /**
   * The number that a receipt is let go from, or doubted about; null: it holds none. If given, only
   * sends under it count. Whatever else the receipt may be signed under is taken up after that, in
   * the same transaction or before its lane sends anything of it (`doubtAnother`).
   */
  about?: string | null;
};

/** An attempt that may have made a receipt nobody knows of. */
export const isDoubtful = (attempt: AttemptFact): boolean =>
  attempt.resolution === 'doubtful' ||
  (attempt.resolution === null &&
    (attempt.outcome === 'in_doubt' || attempt.outcome === 'number_taken'));

/** Of those, one whose number the device says to be used, by whomever. */
export const isFoundTaken = (attempt: AttemptFact): boolean =>
  isDoubtful(attempt) && (attempt.resolution === 'doubtful' || attempt.outcome === 'number_taken');

/**
 * Returns the state of a receipt from all its attempts, never from the last one alone. A signature
 * wins. A receipt that was closed for another one stays closed: that one takes up its doubts. Then
 * any doubt wins, whatever came after it; a send that is on its way is none yet. Only a receipt
 * without either is what was chosen for it. `record-state.ts` writes the column from this.
 */
export function stateOf({
  isSigned,
  isMoved,
  attempts,
  choice,
  about,
}: ReceiptFacts): ReceiptState {
  if (isSigned) return 'signed';
  if (isMoved) return 'withdrawn';
  const counted =
    about === undefined ? attempts : attempts.filter((each) => each.invoiceNumber === about);
  return counted.some(isDoubtful) ? 'in_doubt' : choice;
}

/** The state that a caller is about to write; a signature is never wished for. */
export type Wish = StateWithoutDoubt | 'in_doubt';

/**
 * Returns the state of a receipt, and fails if it is not the one that its caller wishes for. Such a
 * caller has a bug: written, its wish might let a document be sealed again that is signed already.
 */
export function requireState(
  receiptId: string,
  wish: Wish,
  facts: Omit<ReceiptFacts, 'choice'>,
): ReceiptState {
  const state = stateOf({ ...facts, choice: wish === 'in_doubt' ? 'queued' : wish });
  if (state !== wish)
    throw new Error(`receipt ${receiptId} was to be ${wish}, and by its facts it is ${state}`);
  return state;
}

/**
 * Whether the bytes may still change: under the number held now, every attempt since the last
 * definite refusal provably did not leave. (A refused document gave its number back and may have
 * got the same one again, with other bytes.)
 */
export const provablyNotLeft = (
  attempts: { outcome: AttemptOutcome | null; resolution: string | null }[],
): boolean => {
  const last = attempts.findLastIndex(
    (attempt) => attempt.outcome === 'refused' || attempt.resolution === 'not_signed',
  );
  return attempts
    .slice(last + 1)
    .every((attempt) => attempt.outcome === 'unreachable' || attempt.resolution === 'not_ours');
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
