import type { LaneWork } from './lane-ports.ts';
import { listOpenDoubts } from '../receipt/doubt.store.ts';
import type { LaneDevice } from './lane.store.ts';
import { listAttempts, wasSentBefore } from '../receipt/attempt.store.ts';
import { lastUnder } from '../receipt/receipt.model.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { settleNotSigned } from './end-doubt.ts';

/**
 * Whether this can be the signature of what was just sent: our SDC, a total above the last one
 * known, a signature nobody has.
 */
export function canBeNext(device: LaneDevice, signature: Signature): boolean {
  if (device.sdcId !== null && signature.sdcId !== device.sdcId) return false;
  if (device.lastTotal !== null && BigInt(signature.totalReceiptNumber) <= BigInt(device.lastTotal))
    return false;
  return !device.isSignatureKnown;
}

/**
 * What the counters of a new receipt say about an open doubt: with a single doubt on the device and
 * the same SDC id, a jump of one, after its last resend was definitely refused, shows that it was
 * not signed: nobody has signed anything in between. A wider jump proves nothing: copies and other
 * programs count too, and the resend is told by the device itself whether its number is taken.
 */
export async function weighEvidence(
  work: LaneWork,
  device: LaneDevice,
  signature: Signature,
  attemptId: string,
): Promise<void> {
  const { tx } = work;
  // A receipt whose answer was lost has used up a total nobody knows: with one of those open the
  // counters prove nothing about another.
  const doubts = await listOpenDoubts(tx, device.id);
  const [doubt] = doubts;
  if (
    !doubt ||
    doubts.length > 1 ||
    doubt.code !== 'maybe_signed' ||
    doubt.totalBefore === null ||
    doubt.totalBefore !== device.lastTotal
  )
    return;
  const jump = BigInt(signature.totalReceiptNumber) - BigInt(doubt.totalBefore);
  if (jump === 1n) await endIfNotSigned(work, doubt, attemptId);
}

async function endIfNotSigned(
  work: LaneWork,
  doubt: { id: string; invoiceNumber: string },
  nextSent: string,
): Promise<void> {
  const { ports, tx, at } = work;
  const attempts = await listAttempts(tx, doubt.id, at, ports.underWay);
  const last = lastUnder(attempts, doubt.invoiceNumber);
  const isOver = attempts.every((attempt) => attempt.isSocketClosed);
  if (!isOver || last?.outcome !== 'refused' || !(await wasSentBefore(tx, last.id, nextSent)))
    return;
  await settleNotSigned(
    work,
    (await lockReceipt(tx, doubt.id)) as Receipt,
    {
      code: 'device_refused',
      device_code: last.deviceCode ?? '',
      device_text: last.deviceText ?? '',
    },
    'counters',
  );
}
