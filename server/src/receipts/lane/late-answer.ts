import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { DeviceAnswer, Dialect } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import { asTakenOut } from './doubt-another.ts';
import { type KeptAnswer, keptAnswer } from '../receipt/kept-answer.ts';
import type { LanePorts } from './lane-ports.ts';
import { beginDoubt, holdTogether, makeDoubtful, nameSuspects } from '../receipt/doubt.store.ts';
import { keepNumber, type LaneDevice, lockLane } from './lane.store.ts';
import { canTotalBe, isSignatureKnown } from '../receipt/signature.store.ts';
import {
  closeSocket,
  endAttempt,
  findAttemptStatus,
  listAttempts,
  reopenSocket,
} from '../receipt/attempt.store.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { isUndoneSoon, signedTwice } from '../receipt/second-signature.model.ts';
import { keepSecond } from '../receipt/second-signature.store.ts';
import { ended, type Sending } from './outcome.ts';
import { isOfDoubt } from './is-of-doubt.ts';
import { isRefundOut } from './may-have-left.ts';
import { isToBeDoubted, startDoubt, takeBack } from './begin-doubt.ts';
import { freeSharers, takeLate } from './end-doubt.ts';
import { signedReceiptOf } from './record-signature.ts';

/**
 * An answer that came after we had given up on it. Only a signature or its absence is recorded; a
 * refusal settles nothing now.
 */
export async function recordLate(
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  answer: DeviceAnswer | null,
): Promise<void> {
  const reply = answer ? dialect.sales.read(answer, sending.isResend) : null;
  await ctx.transaction(async (tx) => {
    const at = ports.clock.now();
    const response = answer && keptAnswer(answer);
    await endUnrecorded(ports, tx, ctx, sending, response, true, at);
    await closeSocket(tx, sending.attemptId, at, response);
    if (reply?.is === 'signed')
      await hearLate(ports, tx, ctx, dialect, sending, reply.signature, response, at);
    await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: sending.deviceId });
  });
}

/**
 * What could not be recorded as what it is: the send is a doubt, and what was said stands beside
 * it, judged by nobody yet. Fails where the database does not know the send at all: it has gone
 * back to before it.
 */
export const recordUnread = (
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  sent: Sent,
): Promise<void> =>
  ctx.transaction(async (tx) => {
    const at = ports.clock.now();
    const response = sent.is === 'answered' ? keptAnswer(sent.answer) : null;
    await endUnrecorded(ports, tx, ctx, sending, response, sent.is !== 'in_doubt', at);
    // Another may have taken whoever sent it for gone, and ended it with its socket: it is listened
    // to still.
    if (sent.is === 'in_doubt') await reopenSocket(tx, sending.attemptId);
    const attempts = await listAttempts(tx, sending.receiptId, at);
    if (!attempts.some((attempt) => attempt.id === sending.attemptId))
      throw new Error(`the database does not know the send ${sending.attemptId}`);
    if (response) await closeSocket(tx, sending.attemptId, at, response);
    const signature = sent.is === 'answered' ? dialect.sales.find(sent.answer) : null;
    if (signature) await doubtUnread(ports, tx, ctx, sending, signature, at);
  });

/**
 * A signature that could not be recorded, of a document that was settled or closed meanwhile: it is
 * in doubt about the number once more, so that it is not sealed again before a person has said,
 * with the answer that is kept, what holds. Where it is signed, or may be under another number, it
 * is told of.
 */
async function doubtUnread(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  sending: Sending,
  signature: Signature,
  at: Date,
): Promise<void> {
  const { receiptId, deviceId, invoiceNumber } = sending;
  const device = (await lockLane(tx, deviceId)) as LaneDevice;
  await holdTogether(tx, deviceId, invoiceNumber, [receiptId]);
  const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
  const known = [receipt.signature, ...receipt.secondSignatures];
  if (
    known.some(
      (each) =>
        each?.receiptSignature === signature.receiptSignature && each.sdcId === signature.sdcId,
    )
  )
    return;
  if (receipt.state === 'in_doubt' && receipt.invoiceNumber === invoiceNumber) return;
  const before = { state: receipt.state, invoice_number: receipt.invoiceNumber };
  // One that another receipt has says nothing of this number; by any other, whoever it is of, the
  // device has used it.
  const isKnown = await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId);
  if (!isKnown) await keepNumber(tx, deviceId, invoiceNumber);
  const isReversed = (await listAttempts(tx, receiptId, at)).some(
    (attempt) => attempt.invoiceNumber === invoiceNumber && attempt.settled === 'reversed',
  );
  // What another receipt has is nothing of this document's; and what a refund has undone is sold
  // anew, or was.
  const mayStand = !isReversed && !isKnown;
  const taken = mayStand ? await takeBack({ ports, tx, ctx, at }, receipt) : null;
  if (taken) {
    await makeDoubtful(tx, receiptId, invoiceNumber);
    const problem: StoredProblem = {
      code: 'signed_answer_lost',
      device_code: '',
      device_text: 'what it answered could not be recorded',
      ...asTakenOut(taken),
    };
    await beginDoubt(
      tx,
      receiptId,
      { problem, invoiceNumber, nextTryAt: null, totalBefore: device.lastTotal },
      at,
    );
    await nameSuspects(tx, deviceId, invoiceNumber);
    await ports.record(tx, ctx, {
      action: 'receipt.doubted',
      subject: receiptId,
      before,
      after: problem,
    });
    return;
  }
  // Once it is known not to be signed under the other one, in doubt or on its way, it is in doubt
  // about this.
  if (mayStand && (await isToBeDoubted(tx, receipt)))
    await makeDoubtful(tx, receiptId, invoiceNumber);
  const after = { attempt_id: sending.attemptId, ...saidIn(signature, invoiceNumber) };
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature',
    subject: receiptId,
    before,
    after,
  });
  await ports.alerts.raise(tx, ctx, receiptId, {
    code: 'late_signature',
    document_number: receipt.documentNumber,
  });
}

/**
 * Under the lane's lock: a send whose end is not recorded becomes a doubt before anything else is
 * said of it.
 */
async function endUnrecorded(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  sending: Sending,
  response: KeptAnswer | null,
  isSocketClosed: boolean,
  at: Date,
): Promise<void> {
  const device = (await lockLane(tx, sending.deviceId)) as LaneDevice;
  if (device.openAttempt !== sending.attemptId) return;
  const said = { deviceCode: '', deviceText: 'how it ended could not be recorded' };
  const end = { ...ended('in_doubt', said, response, at), isSocketClosed };
  // The answer to the send before it may have come by another way: what is signed is no doubt any
  // more, whatever became of the sends after it.
  const { isSigned } = await findAttemptStatus(tx, sending.attemptId, ports.worker);
  await endAttempt(tx, sending.attemptId, isSigned ? { ...end, settled: 'signed' } : end);
  await startDoubt({ ports, tx, ctx, at }, device, sending, { code: 'maybe_signed' });
}

/**
 * A signature that comes when nobody waits for it any more: the receipt of a doubt, what is known
 * already, a second one of its document, or something that cannot be its document's and is told of.
 */
export async function hearLate(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  signature: Signature,
  response: KeptAnswer | null,
  at: Date,
): Promise<void> {
  const device = (await lockLane(tx, sending.deviceId)) as LaneDevice;
  await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
  const receipt = (await lockReceipt(tx, sending.receiptId)) as Receipt;
  const known = [receipt.signature, ...receipt.secondSignatures];
  if (
    known.some(
      (each) =>
        each?.receiptSignature === signature.receiptSignature && each.sdcId === signature.sdcId,
    )
  )
    return;
  // Others may have been signed since, so that its total need not be the newest; it must still be
  // one that nobody has and that came after its send.
  const canBe =
    signature.sdcId === device.sdcId &&
    !(await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId)) &&
    (await canTotalBe(tx, sending, signature.totalReceiptNumber, {
      environment: device.environment,
      sdcId: signature.sdcId,
    }));
  if (!canBe) {
    // An alert is closed some day: what was said stands in the receipt's history as well, and whole
    // in the answer that is kept with its send.
    await ports.record(tx, ctx, {
      action: 'receipt.late_signature',
      subject: receipt.id,
      before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
      after: { attempt_id: sending.attemptId, ...saidIn(signature, sending.invoiceNumber) },
    });
    return ports.alerts.raise(tx, ctx, receipt.id, {
      code: 'late_signature',
      document_number: receipt.documentNumber,
    });
  }
  // Under the same number the doubt may be about other bytes by now: what was signed is not what
  // would be filed.
  const attempts = await listAttempts(tx, receipt.id, at);
  if (!isOfDoubt(receipt, attempts, sending) || (await isRefundOut(tx, receipt, sending, at)))
    return keepLate(ports, tx, ctx, dialect, receipt, sending, signature, response, at);
  await takeLate({ ports, tx, ctx, at, dialect }, receipt, sending, signature);
}

/** What a late signature says, for the trail. */
const saidIn = (signature: Signature, invoiceNumber: string) => ({
  invoice_number: invoiceNumber,
  receipt_number: signature.receiptNumber,
  total_receipt_number: signature.totalReceiptNumber,
  receipt_signature: signature.receiptSignature,
  sdc_id: signature.sdcId,
  signed_at: signature.signedAt.toISOString(),
});

/**
 * The document has a signature already, was settled as not signed, or was sent anew under another
 * number: nothing here can say what holds. What the device has said is kept beside the receipt,
 * nothing more of the document is sealed, and a person finds out; a reversal alone has answered it
 * before, or is about to.
 */
async function keepLate(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  dialect: Dialect,
  receipt: Receipt,
  sending: Sending,
  signature: Signature,
  response: KeptAnswer | null,
  at: Date,
): Promise<void> {
  // Its document may be another device's by now, with a receipt of its own.
  let own = receipt;
  while (own.movedTo) own = (await lockReceipt(tx, own.movedTo)) as Receipt;
  const { verificationUrl, label } = signedReceiptOf(
    { ports, dialect, at },
    receipt,
    sending,
    signature,
  );
  const { reversal } = receipt;
  const isReversed =
    reversal?.reversed_at != null && String(reversal.invoice_number) === sending.invoiceNumber;
  const isUnderWay = isUndoneSoon(receipt, sending.invoiceNumber);
  const { attemptId, deviceId, invoiceNumber } = sending;
  await keepSecond(tx, ctx.businessId, own.id, {
    ...signature,
    attemptId,
    deviceId,
    invoiceNumber,
    verificationUrl,
    label,
    response,
    heardAt: at,
    settledAs: isReversed ? 'reversed' : null,
    settledEvidence: isReversed ? { reversal_receipt_id: reversal.reversal_receipt_id } : null,
    settledAt: isReversed ? at : null,
  });
  await ports.record(tx, ctx, {
    action: 'receipt.signed_late',
    subject: own.id,
    before: { state: own.state, invoice_number: own.invoiceNumber },
    after: {
      ...saidIn(signature, invoiceNumber),
      ...(isReversed ? { reversed: true } : {}),
      ...(isUnderWay ? { waits_for: receipt.undoing?.receipt_id } : {}),
    },
  });
  if (!isReversed && !isUnderWay)
    await ports.alerts.raise(
      tx,
      ctx,
      own.id,
      signedTwice((await lockReceipt(tx, own.id)) as Receipt),
    );
  await freeSharers({ ports, tx, ctx, at }, sending);
  if (own.id !== sending.receiptId) ports.changed(own.id);
}
