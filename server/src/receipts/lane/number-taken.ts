import type { StoredProblem } from '@muhuri/shared/problems';
import { endAttempt, type StoredAttempt } from '../receipt/attempt.store.ts';
import { beginDoubt, holdTogether } from '../receipt/doubt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import { isSignedLateUnder } from '../receipt/second-signature.store.ts';
import { doubtEarlier, hasLeftFrom, suspects } from './begin-doubt.ts';
import { afterDoubt, numberAnew } from './end-doubt.ts';
import { pauseLaneFor } from './lane.store.ts';
import { type AfterSend, ended, type Recording, type Said } from './outcome.ts';

/** The device says that the number is used already: by us before, or by somebody else. */
export function numberTaken(
  recording: Recording,
  said: Said,
  earlier: StoredAttempt[],
): Promise<AfterSend> {
  const mayHaveLeft = earlier.some(
    (attempt) =>
      attempt.invoiceNumber === recording.sending.invoiceNumber &&
      attempt.mayHaveLeft &&
      attempt.resolution === null,
  );
  return mayHaveLeft ? takenByUs(recording, said, false) : taken(recording, said);
}

/**
 * The device has signed this number, and only we can have sent it: the receipt exists, its data
 * are lost to us for now.
 */
export async function takenByUs(
  recording: Recording,
  said: Said,
  isOwnLost: boolean,
): Promise<AfterSend> {
  const { ports, tx, ctx, device, sending, response, at } = recording;
  if (await isSignedLateUnder(tx, device.id, sending.invoiceNumber))
    return takenLate(recording, said);
  await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
  await endAttempt(tx, sending.attemptId, ended('number_taken', said, response, at));
  const problem = {
    code: 'signed_answer_lost',
    device_code: said.deviceCode,
    device_text: said.deviceText,
  } as const;
  await doubtUnasked(recording, problem);
  await ports.record(tx, ctx, {
    action: 'receipt.answer_lost',
    subject: sending.receiptId,
    after: problem,
  });
  const earlier = await doubtEarlier(recording, device, sending, said, suspects(isOwnLost));
  await afterDoubt(recording, device.id);
  // No answer of the document's own was lost: it may be signed as little as one that is told so at
  // its first send.
  return earlier.areOthers && !isOwnLost
    ? pausedFor(recording, collisionOf(recording, said))
    : { is: 'go_on' };
}

/**
 * Taken at the first send: the number came back from another document that was signed after all,
 * or another program uses the device.
 */
async function taken(recording: Recording, said: Said): Promise<AfterSend> {
  const { tx, device, sending, response, at } = recording;
  if (await isSignedLateUnder(tx, device.id, sending.invoiceNumber))
    return takenLate(recording, said);
  await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
  if (await hasLeftFrom(tx, device.id, sending)) return takenBefore(recording, said);
  const earlier = await doubtEarlier(recording, device, sending, said, () => true);
  if (earlier.areDoubted && !earlier.areOthers) {
    await queueUnderAnother(recording, said);
    return { is: 'go_on' };
  }
  await endAttempt(tx, sending.attemptId, ended('number_taken', said, response, at));
  const problem = collisionOf(recording, said);
  await doubtUnasked(recording, problem);
  return pausedFor(recording, problem);
}

/**
 * Taken at the first send by this receipt, and not by its document: it was at this device before,
 * sent something under the same number, and was at another one in between. Whatever else may
 * stand under the number, nothing of it is sent under another one: it goes back to where that was
 * sent from.
 */
async function takenBefore(recording: Recording, said: Said): Promise<AfterSend> {
  const { device, sending } = recording;
  await queueUnderAnother(recording, said);
  const { areOthers } = await doubtEarlier(recording, device, sending, said, () => true);
  return areOthers ? pausedFor(recording, collisionOf(recording, said)) : { is: 'go_on' };
}

/**
 * A late signature says whose the number is, so that nothing of these bytes was signed: the
 * document takes the next one, once nothing contests it.
 */
async function takenLate(recording: Recording, said: Said): Promise<AfterSend> {
  const { device, sending } = recording;
  await endNotOurs(recording, said);
  await numberAnew(
    recording,
    {
      id: sending.receiptId,
      deviceId: device.id,
      invoiceNumber: sending.invoiceNumber,
      isDeviceRetired: device.state === 'retired',
    },
    { source: 'a signature that came late stands under the number' },
  );
  return { is: 'go_on' };
}

/** The number is another receipt's: the document waits for its next one. */
async function queueUnderAnother(recording: Recording, said: Said): Promise<void> {
  const { tx, sending, at } = recording;
  await endNotOurs(recording, said);
  await recordState(
    tx,
    sending.receiptId,
    { state: 'queued', problem: null, about: sending.invoiceNumber },
    at,
  );
}

const endNotOurs = ({ tx, sending, response, at }: Recording, said: Said) =>
  endAttempt(tx, sending.attemptId, {
    ...ended('number_taken', said, response, at),
    resolution: 'not_ours',
  });

/** In doubt about a number that the device says to be used, and that it is not asked about again. */
const doubtUnasked = ({ tx, device, sending, at }: Recording, problem: StoredProblem) =>
  beginDoubt(
    tx,
    sending.receiptId,
    {
      problem,
      invoiceNumber: sending.invoiceNumber,
      nextTryAt: null,
      totalBefore: device.lastTotal,
    },
    at,
  );

const collisionOf = ({ sending }: Recording, { deviceCode, deviceText }: Said): StoredProblem => ({
  code: 'number_collision',
  invoice_number: sending.invoiceNumber,
  device_code: deviceCode,
  device_text: deviceText,
});

async function pausedFor(
  { ports, tx, ctx, device }: Recording,
  problem: StoredProblem,
): Promise<AfterSend> {
  await pauseLaneFor(tx, device.id, problem);
  await ports.alerts.raise(tx, ctx, device.id, problem);
  await ports.record(tx, ctx, { action: 'lane.collision', subject: device.id, after: problem });
  return { is: 'stop' };
}
