import type { StoredProblem } from '@muhuri/shared/problems';
import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import type { Tx } from '../../platform/db/database.ts';
import { beginDoubt, endDoubt, findDoubtedBefore, nameSuspects } from '../receipt/doubt.store.ts';
import { giveBackNumber, keepNumber, lockLane } from './lane.store.ts';
import { listAttempts, settleUnserved, type StoredAttempt } from '../receipt/attempt.store.ts';
import { moveBack } from './move-back.ts';
import { isDoubtful, isFoundTaken } from '../receipt/receipt.model.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { LaneWork } from './lane-ports.ts';

type DoubtWork = LaneWork<{ record: Recorder; alerts: Pick<Alerts, 'raise' | 'resolve'> }>;

/**
 * Returns what a doubt keeps of a document that a person had taken out of its lane before, or that
 * was left aside: it is not sealed just because the doubt is over.
 */
export const asTakenOut = ({
  state,
  problem,
}: Pick<Receipt, 'state' | 'problem'>): { before?: StoredProblem | null } =>
  state === 'withdrawn' ? { before: problem } : {};

/**
 * Goes on with the doubt of a document about another number it may be signed under, after a doubt
 * about one number is over. That other number may be of a device that the document was moved from:
 * then the document stands there again. Everything that lets a document be sealed again asks this
 * first, whether or not a doubt has just ended. Returns the receipt that is in doubt now, if one
 * is.
 */
export async function doubtAnother(
  work: DoubtWork,
  { id, deviceId }: Pick<Receipt, 'id' | 'deviceId'>,
): Promise<string | null> {
  const { tx, at } = work;
  const attempts = await listAttempts(tx, id, at);
  // First what the device itself says to be used: people find something there. Of another number
  // the device says what holds once that is known.
  const about = attempts.findLast(isFoundTaken) ?? attempts.findLast(isDoubtful);
  if (!about) return doubtMoved(work, id);
  const receipt = (await lockReceipt(tx, id)) as Receipt;
  if (receipt.invoiceNumber !== about.invoiceNumber) await leaveFor(tx, receipt, attempts);
  await begin(
    work,
    { id, deviceId, isDeviceRetired: receipt.isDeviceRetired },
    { ...about, attempts },
    receipt,
  );
  return id;
}

/**
 * Moves a document of which nothing may be signed where it is now back to the device where
 * something may be.
 */
async function doubtMoved(work: DoubtWork, id: string): Promise<string | null> {
  const { tx, at } = work;
  const found = await findDoubtedBefore(tx, id);
  if (!found) return null;
  await lockLane(tx, found.deviceId);
  const before = (await lockReceipt(tx, found.id)) as Receipt;
  const attempts = await listAttempts(tx, before.id, at);
  const about = attempts.findLast(isFoundTaken) ?? attempts.findLast(isDoubtful);
  const present = (await lockReceipt(tx, id)) as Receipt;
  if (!about || before.movedTo === null || present.movedTo !== null) return null;
  await leaveNumber(tx, present);
  await moveBack(work, present, before);
  await begin(work, before, { ...about, attempts }, present);
  return before.id;
}

/**
 * Lets a receipt go from its number before its doubt goes on about another one. If it may be
 * signed under its own number as well, that one is given to nobody else meanwhile.
 */
async function leaveFor(tx: Tx, receipt: Receipt, attempts: StoredAttempt[]): Promise<void> {
  const { deviceId, invoiceNumber } = receipt;
  if (
    invoiceNumber === null ||
    !attempts.some((each) => each.invoiceNumber === invoiceNumber && isDoubtful(each))
  )
    return leaveNumber(tx, receipt);
  await keepNumber(tx, deviceId, invoiceNumber);
}

/** Gives back the number that a receipt has waited under: nothing of it goes under that one. */
export async function leaveNumber(tx: Tx, { id, deviceId, invoiceNumber }: Receipt): Promise<void> {
  if (invoiceNumber === null) return;
  await settleUnserved(tx, id, invoiceNumber);
  await giveBackNumber(tx, deviceId, invoiceNumber);
}

/**
 * Stops asking the device about a doubt whose document may be signed under another number as well.
 * Asked once more under this number, it would be signed a second time. If the device says that the
 * other number is used, the doubt goes on about that one; once it is known not to be this
 * document's, the device is asked about this number again. If the device says so of neither, or
 * the other number is of a device that the document was moved from, nothing of it is sent until
 * two persons have said what holds of this number.
 */
export async function askNoMore(
  work: DoubtWork,
  {
    id,
    deviceId,
    invoiceNumber,
    otherNumber,
  }: { id: string; deviceId: string; invoiceNumber: string; otherNumber: string },
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const attempts = await listAttempts(tx, id, at);
  if (attempts.some((each) => each.invoiceNumber !== invoiceNumber && isFoundTaken(each))) {
    // What a person has proposed of this number would be taken for a word on the other one.
    await endDoubt(tx, id);
    await doubtAnother(work, { id, deviceId });
    return;
  }
  const problem = underEither(invoiceNumber, otherNumber);
  await beginDoubt(tx, id, { problem, invoiceNumber, nextTryAt: null, totalBefore: null }, at);
  await ports.record(tx, ctx, {
    action: 'receipt.doubted',
    subject: id,
    before: { state: 'in_doubt' },
    after: problem,
  });
}

/**
 * Lets the device be asked again about a doubt whose document may be signed under no other number
 * any more.
 */
export async function askAgain(
  work: LaneWork<{ record: Recorder }>,
  { id, invoiceNumber }: { id: string; invoiceNumber: string },
) {
  const { ports, tx, ctx, at } = work;
  const problem = { code: 'maybe_signed' } as const;
  await beginDoubt(tx, id, { problem, invoiceNumber, nextTryAt: at, totalBefore: null }, at);
  await ports.record(tx, ctx, {
    action: 'receipt.doubted',
    subject: id,
    before: { state: 'in_doubt' },
    after: problem,
  });
}

const underEither = (invoiceNumber: string, otherNumber: string) =>
  ({
    code: 'maybe_signed_under_either',
    invoice_number: invoiceNumber,
    other_number: otherNumber,
  }) as const;

/**
 * Begins the doubt of a document about one of the numbers it was sent under. If the number is
 * taken, or the document is said to be signed, a receipt exists and its data are lost. If only an
 * answer was lost, the device is asked once more, as it would have been had nobody forgotten it.
 */
async function begin(
  work: DoubtWork,
  { id, deviceId, isDeviceRetired }: Pick<Receipt, 'id' | 'deviceId' | 'isDeviceRetired'>,
  { invoiceNumber, attempts }: { invoiceNumber: string; attempts: StoredAttempt[] },
  stood: Receipt,
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const isTaken = attempts.some(
    (each) => each.invoiceNumber === invoiceNumber && isFoundTaken(each),
  );
  // Until it is known, nobody else goes under it.
  if (!isTaken) await keepNumber(tx, deviceId, invoiceNumber);
  const other = isTaken
    ? undefined
    : attempts.findLast((each) => each.invoiceNumber !== invoiceNumber && isDoubtful(each));
  const isAsked = !isTaken && !other;
  const is: StoredProblem = other
    ? underEither(invoiceNumber, other.invoiceNumber)
    : { code: isTaken ? 'signed_answer_lost' : 'maybe_signed' };
  const problem: StoredProblem = { ...is, ...asTakenOut(stood) };
  await beginDoubt(
    tx,
    id,
    {
      problem,
      invoiceNumber,
      nextTryAt: isAsked && !isDeviceRetired ? at : null,
      totalBefore: null,
    },
    at,
  );
  await nameSuspects(tx, deviceId, invoiceNumber);
  await ports.alerts.resolve(tx, ctx, id, ['maybe_signed_twice'], { invoiceNumber });
  await ports.record(tx, ctx, {
    action: 'receipt.doubted',
    subject: id,
    after: { ...problem, invoice_number: invoiceNumber },
  });
}
