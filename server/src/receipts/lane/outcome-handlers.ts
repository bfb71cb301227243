import type { StoredProblem } from '@muhuri/shared/problems';
import { keepDemand } from '../../branches/index.ts';
import { forgetRegistered } from '../../catalogue/index.ts';
import type { SaleReply } from '../../ports/dialect/index.ts';
import { endAttempt, listAttempts, type StoredAttempt } from '../receipt/attempt.store.ts';
import { endDoubt, holdTogether } from '../receipt/doubt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { isDoubtful, retryDelayMs } from '../receipt/receipt.model.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import { recordSigned } from '../receipt/signature.store.ts';
import { demandIn } from '../sale/device-demands.model.ts';
import type { Demand } from '../sale/signing-input.model.ts';
import { startDoubt } from './begin-doubt.ts';
import { canBeNext } from './counter-evidence.model.ts';
import { weighEvidence } from './counter-evidence.ts';
import { doubtAnother } from './doubt-another.ts';
import { afterDoubt, endReversal, freeSharers } from './end-doubt.ts';
import {
  giveBackNumber,
  pauseLaneFor,
  postponeDocument,
  readAnew,
  setLaneTries,
} from './lane.store.ts';
import { numberTaken, takenByUs } from './number-taken.ts';
import { type AfterSend, ended, type Recording, type Said, type Unanswered } from './outcome.ts';
import { followUp, pauseForStrangers, signedReceiptOf } from './record-signature.ts';

type Reply<Kind extends SaleReply['is']> = Extract<SaleReply, { is: Kind }>;
/** `earlier`: the other sends of the document. */
type Handler<Kind extends SaleReply['is']> = (
  recording: Recording,
  reply: Reply<Kind>,
  earlier: StoredAttempt[],
) => Promise<AfterSend>;

/** What is recorded of a device's answer, where no earlier send of the document is in doubt. */
const handlers = {
  signed,
  refused,
  not_served: notServed,
  number_taken: numberTaken,
  in_doubt: (recording, reply) => doubt(recording, reply, true),
} satisfies { [Kind in SaleReply['is']]: Handler<Kind> };

/** Returns the handler of a reply's own kind. */
export const handlerOf = <Kind extends SaleReply['is']>({ is }: { is: Kind }) =>
  handlers[is] as Handler<Kind>;

/** Whether a send under a number may have made a receipt. */
export const isDoubtfulUnder = (invoiceNumber: string, attempts: StoredAttempt[]): boolean =>
  attempts.some((attempt) => attempt.invoiceNumber === invoiceNumber && isDoubtful(attempt));

/** A signature that cannot be the next one of its device is a doubt. */
async function signed(recording: Recording, { signature }: Reply<'signed'>): Promise<AfterSend> {
  const { tx, ctx, dialect, device, sending, response } = recording;
  if (!canBeNext(device, signature))
    return doubt(
      recording,
      {
        deviceCode: dialect.sales.signedCode,
        deviceText: 'the counters, signature or SDC id of the answer cannot be the next',
      },
      true,
    );
  const filed = sending.filed ?? ((await findReceipt(tx, sending.receiptId)) as Receipt).filed;
  const { reverses } = filed.terms;
  if (device.hasDoubt || reverses)
    await holdTogether(tx, device.id, sending.invoiceNumber, [
      sending.receiptId,
      ...(reverses ? [reverses.receiptId] : []),
    ]);
  const receipt = { id: sending.receiptId, deviceId: sending.deviceId, filed };
  await recordSigned(
    tx,
    ctx.businessId,
    signedReceiptOf(recording, receipt, sending, signature, response),
  );
  await followUp(recording, receipt);
  if (sending.isResend) await endDoubt(tx, sending.receiptId);
  if (device.hasDoubt) {
    await freeSharers(recording, sending);
    await weighEvidence(recording, device, signature, sending.attemptId);
    await afterDoubt(recording, device.id);
  }
  const isNext =
    device.totalBase !== null &&
    device.totalBase === device.lastTotal &&
    BigInt(signature.totalReceiptNumber) === BigInt(device.totalBase) + 1n;
  return !isNext && (await pauseForStrangers(recording, device)) ? { is: 'stop' } : { is: 'go_on' };
}

/** The document is refused and gives its number back, unless the device wants it said otherwise. */
async function refused(recording: Recording, reply: Reply<'refused'>): Promise<AfterSend> {
  const { ports, tx, ctx, device, sending, response, at } = recording;
  await endAttempt(tx, sending.attemptId, ended('refused', reply, response, at));
  await giveBackNumber(tx, device.id, sending.invoiceNumber);
  const problem = saidAs(reply.problem, reply);
  const { filed } = (await lockReceipt(tx, sending.receiptId)) as Receipt;
  const demand = demandIn(reply.problem, filed);
  if (demand) return doAsDemanded(recording, demand, problem);
  await recordState(
    tx,
    sending.receiptId,
    { state: 'refused', problem, about: sending.invoiceNumber },
    at,
  );
  await setLaneTries(tx, device.id, 0);
  // It may be that the device never heard of an item it seemed to have taken.
  if (reply.problem === 'refused_code') {
    await forgetRegistered(
      tx,
      device.id,
      filed.sale.lines.map((line) => line.itemCode),
    );
  }
  await ports.record(tx, ctx, {
    action: 'receipt.refused',
    subject: sending.receiptId,
    after: { ...problem, returned_number: sending.invoiceNumber },
  });
  if (!(await doubtsEarlier(recording)))
    await endReversal(recording, { id: sending.receiptId, filed }, problem);
  return { is: 'go_on' };
}

/** What the device wants is kept with it; the document is read and sent once more that way. */
async function doAsDemanded(
  { ports, tx, ctx, device, sending, at }: Recording,
  demand: Demand,
  problem: StoredProblem,
): Promise<AfterSend> {
  await keepDemand(tx, device.id, demand);
  await recordState(
    tx,
    sending.receiptId,
    { state: 'queued', problem: null, about: sending.invoiceNumber },
    at,
  );
  await readAnew(tx, sending.receiptId);
  await setLaneTries(tx, device.id, 0);
  await ports.record(tx, ctx, {
    action: 'device.demands',
    subject: device.id,
    after: { demand, receipt_id: sending.receiptId, ...problem },
  });
  return { is: 'go_on' };
}

/**
 * The document keeps number, bytes and place; the lane waits, or pauses where a person must act.
 */
async function notServed(recording: Recording, reply: Reply<'not_served'>): Promise<AfterSend> {
  const { ports, tx, ctx, device, sending, response, at } = recording;
  await endAttempt(tx, sending.attemptId, ended('not_served', reply, response, at));
  const problem = saidAs(reply.problem, reply);
  const until = nextTry(recording);
  await postponeDocument(
    tx,
    sending.receiptId,
    { problem, nextTryAt: reply.pauses ? null : until, mustRead: false },
    at,
  );
  if (reply.pauses) {
    await pauseLaneFor(tx, device.id, problem);
    await ports.alerts.raise(tx, ctx, device.id, problem);
    await ports.record(tx, ctx, { action: 'lane.paused', subject: device.id, after: problem });
    await doubtsEarlier(recording);
    return { is: 'stop' };
  }
  await setLaneTries(tx, device.id, device.tries + 1);
  await doubtsEarlier(recording);
  return { is: 'wait', until };
}

/** No answer: nothing has left, or something may have and the document is in doubt. */
export async function notAnswered(recording: Recording, sent: Unanswered): Promise<AfterSend> {
  const { tx, device, sending, at } = recording;
  const said = { deviceCode: '', deviceText: sent.reason };
  if (sent.is === 'in_doubt') return doubt(recording, said, false);
  const attempts = (await listAttempts(tx, sending.receiptId, at)).filter(
    (attempt) => attempt.id !== sending.attemptId,
  );
  await endAttempt(tx, sending.attemptId, {
    ...ended('unreachable', said, null, at),
    mayHaveLeft: false,
  });
  const until = nextTry(recording);
  const code = sent.is === 'address_refused' ? 'device_address_refused' : 'device_unreachable';
  await setLaneTries(tx, device.id, device.tries + 1);
  const isDoubt = isDoubtfulUnder(sending.invoiceNumber, attempts);
  const problem: StoredProblem = isDoubt ? { code: 'maybe_signed' } : { code, reason: sent.reason };
  await postponeDocument(
    tx,
    sending.receiptId,
    { problem, nextTryAt: until, mustRead: !isDoubt },
    at,
  );
  if (!isDoubt) await doubtsEarlier(recording);
  return { is: 'wait', until };
}

/** The document may be signed: it keeps its number, and its doubt begins. */
async function doubt(
  recording: Recording,
  said: Said,
  isSocketClosed: boolean,
): Promise<AfterSend> {
  const { tx, device, sending, response, at } = recording;
  await endAttempt(tx, sending.attemptId, {
    ...ended('in_doubt', said, response, at),
    isSocketClosed,
  });
  await startDoubt(recording, device, sending, {
    code: 'maybe_signed',
    device_code: said.deviceCode || undefined,
    device_text: said.deviceText,
  } as StoredProblem);
  return { is: 'go_on' };
}

/** After a doubt only *number taken* says something; any other answer leaves the doubt as it is. */
export async function saidAfterDoubt(
  recording: Recording,
  reply: Exclude<SaleReply, { is: 'signed' }>,
): Promise<AfterSend> {
  const { ports, tx, sending, response, at } = recording;
  if (reply.is === 'number_taken') return takenByUs(recording, reply, true);
  await endAttempt(tx, sending.attemptId, ended(reply.is, reply, response, at));
  const { tries } = (await lockReceipt(tx, sending.receiptId)) as Receipt;
  const { settleQuietMs, settleMaxMs } = ports.timing;
  const until = new Date(at.getTime() + retryDelayMs(tries, settleQuietMs, settleMaxMs));
  const problem = saidAs('maybe_signed', reply);
  await postponeDocument(tx, sending.receiptId, { problem, nextTryAt: until, mustRead: false }, at);
  return { is: 'go_on' };
}

/**
 * While a send was on its way, the number of an earlier one has turned out to be taken. Not signed
 * under its own number, the document is in doubt about the earlier one; says whether it is.
 */
async function doubtsEarlier(recording: Recording): Promise<boolean> {
  const { ports, sending } = recording;
  const doubted = await doubtAnother(recording, {
    id: sending.receiptId,
    deviceId: sending.deviceId,
  });
  if (doubted !== null && doubted !== sending.receiptId) ports.changed(doubted);
  return doubted !== null;
}

const saidAs = <Code extends StoredProblem['code']>(code: Code, { deviceCode, deviceText }: Said) =>
  ({ code, device_code: deviceCode, device_text: deviceText }) satisfies StoredProblem;

const nextTry = ({ ports: { timing }, device, at }: Recording): Date =>
  new Date(at.getTime() + retryDelayMs(device.tries, timing.retryFirstMs, timing.retryMaxMs));
