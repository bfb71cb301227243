import type { StoredProblem } from '@muhuri/shared/problems';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { doubtOrphans } from '../lane/doubt-abandoned-sends.ts';
import {
  afterDoubt,
  freeSharers,
  numberAnew,
  settleNotSigned,
  tellOfOthers,
} from '../lane/end-doubt.ts';
import { doubtEarlier } from '../lane/begin-doubt.ts';
import { followUp, pauseForStrangers, signedReceiptOf } from '../lane/record-signature.ts';
import type { LaneDevice } from '../lane/lane.model.ts';
import { burnNumber, giveBackNumber, lockLane } from '../lane/lane.store.ts';
import {
  earlierHolders,
  listAttempts,
  settleClosedNotOurs,
  type StoredAttempt,
} from '../receipt/attempt.store.ts';
import { endDoubt } from '../receipt/doubt.store.ts';
import { explainTotals, recordSigned } from '../receipt/signature.store.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { lastUnder } from '../receipt/receipt.model.ts';
import type { Signature } from '../../model/sale.model.ts';
import { deleteSettlement } from '../receipt/settlement.store.ts';
import { type Brought, type Word, wordAsKept } from './evidence.model.ts';
import type { Case } from './settlement-case.ts';

/** A case whose receipt holds a number. */
type Numbered = Case & { invoiceNumber: string };

/** Settles a doubt with evidence that was checked. */
export async function applyEvidence(
  { receipt, ...rest }: Case,
  evidence: Brought,
  signature: Signature | null,
  word: Word,
): Promise<void> {
  const { ports, tx, ctx, device } = rest;
  const settling = { ...rest, receipt, invoiceNumber: receipt.invoiceNumber as string };
  await deleteSettlement(tx, receipt.id);
  if (signature) await applySignature(settling, evidence, signature, word);
  else if (evidence.found === false) await applyAbsence(settling, evidence.source);
  else await applyOther(settling, evidence.source, word);
  // What the doubt seemed to explain, or what was signed before it, may be a stranger's: nothing
  // more is frozen before that is known.
  await pauseForStrangers(settling, device);
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
}

const lastOf = ({ attempts, invoiceNumber }: Numbered): StoredAttempt =>
  (lastUnder(attempts, invoiceNumber) ?? attempts.at(-1)) as StoredAttempt;

async function applySignature(
  settling: Numbered,
  evidence: Brought,
  signature: Signature,
  word: Word,
): Promise<void> {
  const { ports, tx, ctx, at, receipt, invoiceNumber, attempts } = settling;
  await recordSigned(tx, ctx.businessId, {
    ...signedReceiptOf(
      { ports, dialect: ports.dialects.of(receipt.dialect), at },
      receipt,
      { attemptId: lastOf(settling).id, invoiceNumber },
      signature,
    ),
    source: 'person',
    evidence: { ...evidence, ...wordAsKept(word) },
    actor: { type: ctx.actor.type, id: ctx.actor.id },
  });
  await tellOfOthers(settling, receipt, invoiceNumber, attempts);
  await endDoubt(tx, receipt.id);
  await freeSharers(settling, {
    receiptId: receipt.id,
    deviceId: receipt.deviceId,
    invoiceNumber,
  });
  await followUp(settling, receipt);
  await afterDoubt(settling, receipt.deviceId);
}

async function applyAbsence(settling: Numbered, source: string): Promise<void> {
  const { tx, receipt, invoiceNumber } = settling;
  const last = lastOf(settling);
  const problem: StoredProblem = receipt.isDeviceRetired
    ? { code: 'device_retired' }
    : {
        code: 'device_refused',
        device_code: last.deviceCode ?? '',
        device_text: last.deviceText ?? '',
      };
  await settleNotSigned(settling, receipt, problem, source);
  // Where the device has not refused it, what was sent may still come there.
  const freeOrBurn = last.outcome === 'refused' ? giveBackNumber : burnNumber;
  await freeOrBurn(tx, receipt.deviceId, invoiceNumber);
}

/**
 * The number stays with whoever used it, and so does its place in the device's total; the document
 * goes again under its next one. What uses it may be another document of ours that gave it back,
 * also one that was refused: only where there is none it is somebody else's.
 */
async function applyOther(settling: Numbered, source: string, word: Word): Promise<void> {
  const { tx, receipt, invoiceNumber, device } = settling;
  await mustNotBeUnderWay(settling);
  await settleClosedNotOurs(tx, receipt.id, invoiceNumber);
  await numberAnew(settling, { ...receipt, invoiceNumber }, { source, ...word });
  const { areDoubted, areOthers } = await doubtEarlier(
    settling,
    device,
    { receiptId: receipt.id, invoiceNumber },
    {
      deviceCode: receipt.problem?.device_code ?? '',
      deviceText: receipt.problem?.device_text ?? '',
    },
    () => true,
  );
  if (!areDoubted && !areOthers) await explainTotals(tx, receipt.deviceId, '1');
}

/**
 * Refuses while an earlier holder of the number is under way: it may be the one who is signed under
 * it. What is on its way under another number cannot be taken back, nor put in doubt before it has
 * ended: it would be free to be sealed again by then. Where whoever sent it is gone, nobody ends it
 * but who looks, and no lane does at a device that is paused.
 */
async function mustNotBeUnderWay(settling: Numbered): Promise<void> {
  const { ports, tx, at, receipt, invoiceNumber } = settling;
  for (const holder of await earlierHolders(tx, receipt.deviceId, invoiceNumber, receipt.id)) {
    const present = await lockPresent(tx, holder.receiptId);
    const open = (await listAttempts(tx, present.id, at)).find(
      (attempt) => attempt.endedAt === null,
    );
    if (!open) continue;
    const lane = (await lockLane(tx, present.deviceId)) as LaneDevice;
    const isWorked = lane.laneHolder !== null && lane.laneUntil !== null && lane.laneUntil > at;
    if (isWorked || ports.underWay.has(open.id) || lane.openAttempt !== open.id)
      throw new AppError('holder_under_way', {
        document_number: present.documentNumber,
        retry_after_s: 5,
      });
    for (const orphan of await doubtOrphans(settling, lane)) ports.changed(orphan);
  }
}

/**
 * Locks the receipt that a document has at its present device. Nothing of it leaves there while
 * that one's lane is locked: first the lane, as lanes lock it themselves.
 */
async function lockPresent(tx: Tx, receiptId: string): Promise<Receipt> {
  let present = (await lockReceipt(tx, receiptId)) as Receipt;
  while (present.movedTo !== null) {
    const next = (await findReceipt(tx, present.movedTo)) as Receipt;
    await lockLane(tx, next.deviceId);
    present = (await lockReceipt(tx, next.id)) as Receipt;
  }
  return present;
}
