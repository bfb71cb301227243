import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { doubtOrphans } from '../lane/doubt-orphans.ts';
import {
  afterDoubt,
  freeSharers,
  numberAnew,
  settleNotSigned,
  tellOfOthers,
} from '../lane/end-doubt.ts';
import { doubtEarlier } from '../lane/begin-doubt.ts';
import { followUp, pauseForStrangers, signedReceiptOf } from '../lane/record-signature.ts';
import type { LanePorts } from '../lane/lane-ports.ts';
import { burnNumber, giveBackNumber, lockLane } from '../lane/lane.store.ts';
import type { LaneDevice } from '../lane/lane.model.ts';
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
import type { Brought, Case, Word } from './brought-evidence.ts';

export async function apply(
  ports: LanePorts,
  ctx: Context,
  { tx, receipt, device, attempts, at }: Case,
  evidence: Brought,
  signature: Signature | null,
  word: Word,
) {
  const invoiceNumber = receipt.invoiceNumber as string;
  const last = (lastUnder(attempts, invoiceNumber) ?? attempts.at(-1)) as StoredAttempt;
  await deleteSettlement(tx, receipt.id);
  if (signature) {
    const recording = signedReceiptOf(
      { ports, dialect: ports.dialects.of(receipt.dialect), at },
      receipt,
      { attemptId: last.id, invoiceNumber },
      signature,
    );
    await recordSigned(tx, ctx.businessId, {
      ...recording,
      source: 'person',
      evidence: {
        ...evidence,
        by: word.by,
        ...(word.confirmedBy ? { confirmed_by: word.confirmedBy } : {}),
      },
      actor: { type: ctx.actor.type, id: ctx.actor.id },
    });
    await tellOfOthers({ ports, tx, ctx }, receipt, invoiceNumber, attempts);
    await endDoubt(tx, receipt.id);
    await freeSharers(
      { ports, tx, ctx, at },
      { receiptId: receipt.id, deviceId: receipt.deviceId, invoiceNumber },
    );
    await followUp({ ports, tx, ctx, at }, receipt);
    await afterDoubt({ ports, tx, ctx }, receipt.deviceId);
  } else if (evidence.found === false) {
    const problem: StoredProblem = receipt.isDeviceRetired
      ? { code: 'device_retired' }
      : {
          code: 'device_refused',
          device_code: last.deviceCode ?? '',
          device_text: last.deviceText ?? '',
        };
    await settleNotSigned({ ports, tx, ctx, at }, receipt, problem, evidence.source);
    // Where the device has not refused it, what was sent may still come there.
    await (last.outcome === 'refused' ? giveBackNumber : burnNumber)(
      tx,
      receipt.deviceId,
      invoiceNumber,
    );
  } else {
    await mustNotBeUnderWay(ports, tx, ctx, receipt, invoiceNumber, at);
    await settleClosedNotOurs(tx, receipt.id, invoiceNumber);
    await numberAnew(
      { ports, tx, ctx, at },
      { ...receipt, invoiceNumber },
      { source: evidence.source, ...word },
    );
    // The number stays with whoever used it, and so does its place in the device's total; the
    // document goes again under its next one. What uses it may be another document of ours that
    // gave it back, also one that was refused: only where there is none it is somebody else's.
    const said = {
      deviceCode: receipt.problem?.device_code ?? '',
      deviceText: receipt.problem?.device_text ?? '',
    };
    const { areDoubted, areOthers } = await doubtEarlier(
      { ports, tx, ctx, at },
      device,
      { receiptId: receipt.id, invoiceNumber },
      said,
      () => true,
    );
    if (!areDoubted && !areOthers) await explainTotals(tx, receipt.deviceId, '1');
  }
  // What the doubt seemed to explain, or what was signed before it, may be a stranger's: nothing
  // more is frozen before that is known.
  await pauseForStrangers({ ports, tx, ctx }, device);
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
}

/**
 * Whoever had the number before may be the one who is signed under it. What is on its way under
 * another number cannot be taken back, nor put in doubt before it has ended: it would be free to be
 * sealed again by then. Where whoever sent it is gone, nobody ends it but who looks, and no lane
 * does at a device that is paused.
 */
async function mustNotBeUnderWay(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  { id, deviceId }: Receipt,
  invoiceNumber: string,
  at: Date,
): Promise<void> {
  for (const { receiptId } of await earlierHolders(tx, deviceId, invoiceNumber, id)) {
    let present = (await lockReceipt(tx, receiptId)) as Receipt;
    // Nothing of it leaves at the device it is at by now while that one's lane is locked: first the
    // lane, as lanes lock it themselves.
    while (present.movedTo !== null) {
      const next = (await findReceipt(tx, present.movedTo)) as Receipt;
      await lockLane(tx, next.deviceId);
      present = (await lockReceipt(tx, next.id)) as Receipt;
    }
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
    for (const orphan of await doubtOrphans({ ports, tx, ctx, at }, lane)) ports.changed(orphan);
  }
}
