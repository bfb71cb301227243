import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../../platform/db/database.ts';
import { asTakenOut } from './doubt-another.ts';
import type { LaneWork } from './lane-ports.ts';
import { beginDoubt, makeDoubtful, nameSuspects } from '../receipt/doubt.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { giveBackNumber, lockLane } from './lane.store.ts';
import {
  type EarlierHolder,
  earlierHolders,
  listAttempts,
  settleUnserved,
} from '../receipt/attempt.store.ts';
import { moveBack } from './move-back.ts';
import { isDoubtful, retryDelayMs } from '../receipt/receipt.model.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Said } from './outcome.ts';

/**
 * Selects the earlier holders of a taken number that may be signed under it. If an answer of the
 * document's own was lost, that explains the taken number, and only holders whose answer was lost
 * as well are suspects. If none was lost, the document was refused no more definitely than they
 * were, and each of them is one.
 */
export const suspects =
  (isOwnLost: boolean) =>
  (holder: EarlierHolder): boolean =>
    holder.wasInDoubt || !isOwnLost;

/**
 * A number is taken, and others had sent something under it before they gave it back: each of those
 * is in doubt until it is known who was signed, so that none can be sealed again. Nothing of them
 * is sent meanwhile, not even again: a device may answer one of them with the receipt of another.
 *
 * What holds from then on: of a document that may be signed under a taken number nothing is sent
 * under another one, not even again; only what another device's lane had written down by then still
 * leaves. What waits under another number, or at another device, with nothing of it that may be
 * signed there, is taken back from there.
 *
 * There may be others whom a doubt does not help now: one that is signed may be signed twice, and
 * one of which something has left under another number may be signed under that: before its lane
 * would ask about that one, its doubt goes on about the taken one (`askNoMore`).
 */
export async function doubtEarlier(
  work: LaneWork,
  device: Pick<LaneDevice, 'id' | 'lastTotal'>,
  about: { receiptId: string; invoiceNumber: string },
  said: Said,
  isSuspect: (holder: EarlierHolder) => boolean,
): Promise<{ areDoubted: boolean; areOthers: boolean }> {
  const { tx } = work;
  const found = { areDoubted: false, areOthers: false };
  const holders = await earlierHolders(tx, device.id, about.invoiceNumber, about.receiptId);
  for (const { receiptId } of holders.filter(isSuspect)) {
    const holder = (await lockReceipt(tx, receiptId)) as Receipt;
    const came = await doubtHolder(work, { ...about, device, said }, holder);
    found.areDoubted ||= came === 'doubted';
    found.areOthers ||= came === 'other';
  }
  await nameSuspects(tx, device.id, about.invoiceNumber);
  return found;
}

/** A number that the device says to be used, as it was said of the receipt it was sent for last. */
type TakenNumber = {
  device: Pick<LaneDevice, 'id' | 'lastTotal'>;
  receiptId: string;
  invoiceNumber: string;
  said: Said;
};

/**
 * Puts one that held a taken number before in doubt about it. `other`: a doubt does not help it
 * now, and people are told; null: it is the very document that was sent last.
 */
async function doubtHolder(
  work: LaneWork,
  taken: TakenNumber,
  holder: Receipt,
): Promise<'doubted' | 'other' | null> {
  const { device, invoiceNumber } = taken;
  // The very document, in doubt about the number by the receipt that stands for it: it is nobody
  // else.
  const standing = await standingFor(work.tx, holder);
  if (standing.id === taken.receiptId && standing.state === 'in_doubt') return null;
  // Also by another receipt of it that was closed at this device: of one document it is asked once.
  const isInDoubt =
    standing.state === 'in_doubt' &&
    standing.deviceId === device.id &&
    standing.invoiceNumber === invoiceNumber;
  if (isInDoubt) return 'doubted';
  const stood = await takeBack(work, holder);
  if (stood) await doubtTaken(work, taken, holder, stood);
  else await tellOfTwo(work, holder, invoiceNumber);
  return stood ? 'doubted' : 'other';
}

/** `stood`: what stood for the document until now. */
async function doubtTaken(
  { ports, tx, ctx, at }: LaneWork,
  { device, invoiceNumber, said }: TakenNumber,
  holder: Receipt,
  stood: Receipt,
): Promise<void> {
  await makeDoubtful(tx, holder.id, invoiceNumber);
  const problem: StoredProblem = {
    code: 'signed_answer_lost',
    device_code: said.deviceCode,
    device_text: said.deviceText,
    ...asTakenOut(stood),
  };
  await beginDoubt(
    tx,
    holder.id,
    { problem, invoiceNumber, nextTryAt: null, totalBefore: device.lastTotal },
    at,
  );
  await ports.record(tx, ctx, {
    action: 'receipt.doubted',
    subject: holder.id,
    before: { state: holder.state },
    after: problem,
  });
  ports.changed(holder.id);
}

/** Once it is known not to be signed where it goes by now, it is in doubt about the taken number. */
async function tellOfTwo(
  { ports, tx, ctx }: LaneWork,
  holder: Receipt,
  invoiceNumber: string,
): Promise<void> {
  if (await isToBeDoubted(tx, holder)) await makeDoubtful(tx, holder.id, invoiceNumber);
  await ports.alerts.raise(tx, ctx, holder.id, {
    code: 'maybe_signed_twice',
    document_number: holder.documentNumber,
    invoice_number: invoiceNumber,
  });
}

/**
 * Whether a document that is sent under a number has sent something under it before, as a receipt
 * that was closed since.
 */
export async function hasLeftFrom(
  tx: Tx,
  deviceId: string,
  about: { receiptId: string; invoiceNumber: string },
): Promise<boolean> {
  for (const { receiptId } of await earlierHolders(
    tx,
    deviceId,
    about.invoiceNumber,
    about.receiptId,
  ))
    if (
      (await standingFor(tx, (await findReceipt(tx, receiptId)) as Receipt)).id === about.receiptId
    )
      return true;
  return false;
}

/** Returns the receipt that stands for a document by now. */
async function standingFor(tx: Tx, receipt: Receipt): Promise<Receipt> {
  let present = receipt;
  while (present.movedTo !== null) present = (await findReceipt(tx, present.movedTo)) as Receipt;
  return present;
}

/**
 * Takes a document back from where it goes by now, unless it may be signed there. Its number there
 * is free again; if it was closed for another device, the receipt there is closed for this one.
 * Returns what stood for the document until then, or null if it may be signed there.
 */
export async function takeBack(work: LaneWork, earlier: Receipt): Promise<Receipt | null> {
  const { ports, tx, at } = work;
  if (earlier.movedTo === null) return (await giveBackUnsigned(tx, earlier, at)) ? earlier : null;
  for (;;) {
    const found = await standingFor(tx, earlier);
    // Under the lock of its lane nothing of it leaves: that one first, as the lane itself takes
    // them. Locks of two lanes in another order than theirs may cross, and then all of this is done
    // once more.
    await lockLane(tx, found.deviceId);
    const present = (await lockReceipt(tx, found.id)) as Receipt;
    // Moved on before it was locked.
    if (present.movedTo !== null) continue;
    if (!(await giveBackUnsigned(tx, present, at))) return null;
    await moveBack(work, present, earlier);
    ports.changed(present.id);
    return present;
  }
}

/**
 * Whether a document, in doubt about another number or on its way under one, goes on in doubt
 * about this number once that is over, here or at another device.
 */
export const isToBeDoubted = async (tx: Tx, receipt: Receipt): Promise<boolean> =>
  (await standingFor(tx, receipt)).state !== 'signed';

/**
 * Gives back the number of a document that waits, and says whether it did. If something of the
 * document may be signed under it, the number stays where it is.
 */
async function giveBackUnsigned(tx: Tx, receipt: Receipt, at: Date): Promise<boolean> {
  if (receipt.state === 'signed' || receipt.state === 'in_doubt') return false;
  if (
    (await listAttempts(tx, receipt.id, at)).some(
      (attempt) => attempt.endedAt === null || isDoubtful(attempt),
    )
  )
    return false;
  if (receipt.invoiceNumber === null) return true;
  // Bytes that the device has not served under it are no longer those that have to be sent under
  // it.
  await settleUnserved(tx, receipt.id, receipt.invoiceNumber);
  await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber);
  return true;
}

/**
 * Begins a doubt that the device is asked about again. A document that is signed is in no doubt.
 */
export async function startDoubt(
  work: LaneWork,
  device: Pick<LaneDevice, 'lastTotal'>,
  about: { receiptId: string; invoiceNumber: string },
  problem: StoredProblem,
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const receipt = (await lockReceipt(tx, about.receiptId)) as Receipt;
  if (receipt.state === 'signed') return;
  const nextTryAt = new Date(
    at.getTime() +
      retryDelayMs(
        receipt.state === 'in_doubt' ? receipt.tries : 0,
        ports.timing.settleQuietMs,
        ports.timing.settleMaxMs,
      ),
  );
  await beginDoubt(
    tx,
    about.receiptId,
    { problem, invoiceNumber: about.invoiceNumber, nextTryAt, totalBefore: device.lastTotal },
    at,
  );
  if (receipt.state !== 'in_doubt')
    await ports.record(tx, ctx, {
      action: 'receipt.doubted',
      subject: about.receiptId,
      before: { state: receipt.state },
      after: problem,
    });
}
