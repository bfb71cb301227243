import type { Signature } from '../../model/sale.model.ts';
import { lastUnder } from '../receipt/receipt.model.ts';

/** What is known of a device's counters before a signature is recorded. */
export type Counters = {
  sdcId: string | null;
  lastTotal: string | null;
  /** Whether a receipt with the signature asked about exists already. */
  isSignatureKnown: boolean;
};

/**
 * Whether this can be the signature of what was just sent: our SDC, a total above the last one
 * known, a signature nobody has.
 */
export function canBeNext(
  { sdcId, lastTotal, isSignatureKnown }: Counters,
  signature: Pick<Signature, 'sdcId' | 'totalReceiptNumber'>,
): boolean {
  if (sdcId !== null && signature.sdcId !== sdcId) return false;
  if (lastTotal !== null && BigInt(signature.totalReceiptNumber) <= BigInt(lastTotal)) return false;
  return !isSignatureKnown;
}

/** An open doubt, with the total known before it began. */
export type Doubt = { code: string; totalBefore: string | null };

/**
 * Returns the doubt of which the counters of a new receipt show that nothing was signed, or null.
 * That takes a single doubt at the device, and a total that is the next one after the last known
 * before it: nobody has signed anything in between. A wider jump proves nothing: copies and other
 * programs count too, and the resend is told by the device itself whether its number is taken. A
 * receipt whose answer was lost has used up a total nobody knows: with one of those open the
 * counters prove nothing about another.
 */
export function doubtExcluded<D extends Doubt>(
  doubts: D[],
  { lastTotal }: Pick<Counters, 'lastTotal'>,
  { totalReceiptNumber }: Pick<Signature, 'totalReceiptNumber'>,
): D | null {
  const [doubt] = doubts;
  if (!doubt || doubts.length > 1 || doubt.code !== 'maybe_signed') return null;
  if (doubt.totalBefore === null || doubt.totalBefore !== lastTotal) return null;
  return BigInt(totalReceiptNumber) - BigInt(doubt.totalBefore) === 1n ? doubt : null;
}

/**
 * Returns the refusal that ended the sends of a doubt, once nothing of its document may come any
 * more; null if its last send ended otherwise, or a socket of it is still open.
 */
export function lastRefusal<
  A extends { invoiceNumber: string; outcome: string | null; isSocketClosed: boolean },
>(attempts: A[], invoiceNumber: string): A | null {
  const last = lastUnder(attempts, invoiceNumber);
  const isOver = attempts.every((attempt) => attempt.isSocketClosed);
  return isOver && last?.outcome === 'refused' ? last : null;
}
