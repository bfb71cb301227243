import type { StoredProblem } from '@muhuri/shared/problems';
import type { DeviceAnswer } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import { asTakenOut } from './doubt-another.ts';
import { keptAnswer } from '../receipt/stored-answer.ts';
import { beginDoubt, holdTogether, makeDoubtful, nameSuspects } from '../receipt/doubt.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { keepNumber, lockLane } from './lane.store.ts';
import { isSignatureKnown } from '../receipt/signature.store.ts';
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
import { ended, type Heard, type OwnSend } from './outcome.ts';
import { isToBeDoubted, startDoubt, takeBack } from './begin-doubt.ts';
import { hearLate, isOfReceipt, tellOfLate } from './record-late-signature.ts';

/**
 * Records an answer that came after its send was given up, or that none came. Only a signature or
 * its absence is recorded; a refusal settles nothing now.
 */
export async function recordLate(send: OwnSend, answer: DeviceAnswer | null): Promise<void> {
  const { ports, ctx, dialect, sending } = send;
  const reply = answer ? dialect.sales.read(answer, sending.isResend) : null;
  await ctx.transaction(async (tx) => {
    const at = ports.clock.now();
    const response = answer && keptAnswer(answer);
    const heard = { ...send, tx, at, response };
    await endUnrecorded(heard, true);
    await closeSocket(tx, sending.attemptId, at, response);
    if (reply?.is === 'signed') await hearLate(heard, reply.signature);
    await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: sending.deviceId });
  });
}

/**
 * Records an end that could not be recorded as what it is: the send is a doubt, and what the device
 * said stands beside it, judged by nobody yet. Fails if the database does not know the send at all:
 * it has gone back to before it.
 */
export const recordUnread = (send: OwnSend, sent: Sent): Promise<void> =>
  send.ctx.transaction(async (tx) => {
    const { ports, dialect, sending } = send;
    const at = ports.clock.now();
    const response = sent.is === 'answered' ? keptAnswer(sent.answer) : null;
    const heard = { ...send, tx, at, response };
    await endUnrecorded(heard, sent.is !== 'in_doubt');
    // Another worker may have taken the one that sent it for gone, and ended it with its socket: it
    // is listened to still.
    if (sent.is === 'in_doubt') await reopenSocket(tx, sending.attemptId);
    const attempts = await listAttempts(tx, sending.receiptId, at);
    if (!attempts.some((attempt) => attempt.id === sending.attemptId))
      throw new Error(`the database does not know the send ${sending.attemptId}`);
    if (response) await closeSocket(tx, sending.attemptId, at, response);
    const signature = sent.is === 'answered' ? dialect.sales.find(sent.answer) : null;
    if (signature) await doubtUnread(heard, signature);
  });

/**
 * Handles a signature that could not be recorded, of a document that was settled or closed
 * meanwhile. The document is in doubt about the number once more, so that it is not sealed again
 * before a person has said, with the answer that is kept, what holds. If it is signed, or may be
 * under another number, people are told.
 */
async function doubtUnread(heard: Heard, signature: Signature): Promise<void> {
  const { tx, sending, at } = heard;
  const { receiptId, deviceId, invoiceNumber } = sending;
  const device = (await lockLane(tx, deviceId)) as LaneDevice;
  await holdTogether(tx, deviceId, invoiceNumber, [receiptId]);
  const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
  if (isOfReceipt(receipt, signature)) return;
  if (receipt.state === 'in_doubt' && receipt.invoiceNumber === invoiceNumber) return;
  // One that another receipt has says nothing of this number; by any other, whoever it is of, the
  // device has used it.
  const isKnown = await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId);
  if (!isKnown) await keepNumber(tx, deviceId, invoiceNumber);
  const isReversed = (await listAttempts(tx, receiptId, at)).some(
    (attempt) => attempt.invoiceNumber === invoiceNumber && attempt.resolution === 'reversed',
  );
  // What another receipt has is nothing of this document's; and what a refund has undone is sold
  // anew, or was.
  const mayStand = !isReversed && !isKnown;
  const taken = mayStand ? await takeBack(heard, receipt) : null;
  if (taken) return doubtOnceMore(heard, device, receipt, taken);
  // Once it is known not to be signed under the other one, in doubt or on its way, it is in doubt
  // about this.
  if (mayStand && (await isToBeDoubted(tx, receipt)))
    await makeDoubtful(tx, receiptId, invoiceNumber);
  await tellOfLate(heard, receipt, signature);
}

/** Begins the doubt of a document about the number its unrecorded signature came under. */
async function doubtOnceMore(
  { ports, tx, ctx, sending, at }: Heard,
  device: Pick<LaneDevice, 'lastTotal'>,
  receipt: Receipt,
  taken: Receipt,
): Promise<void> {
  const { receiptId, deviceId, invoiceNumber } = sending;
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
    before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
    after: problem,
  });
}

/**
 * Makes a send whose end is not recorded a doubt, under the lane's lock, before anything else is
 * said of it.
 */
async function endUnrecorded(heard: Heard, isSocketClosed: boolean): Promise<void> {
  const { ports, tx, sending, response, at } = heard;
  const device = (await lockLane(tx, sending.deviceId)) as LaneDevice;
  if (device.openAttempt !== sending.attemptId) return;
  const said = { deviceCode: '', deviceText: 'how it ended could not be recorded' };
  const end = { ...ended('in_doubt', said, response, at), isSocketClosed };
  // The answer to the send before it may have come by another way: what is signed is no doubt any
  // more, whatever became of the sends after it.
  const { isSigned } = await findAttemptStatus(tx, sending.attemptId, ports.worker);
  await endAttempt(tx, sending.attemptId, isSigned ? { ...end, resolution: 'signed' } : end);
  await startDoubt(heard, device, sending, { code: 'maybe_signed' });
}
