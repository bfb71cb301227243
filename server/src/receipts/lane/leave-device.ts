import type { Device } from '../../branches/index.ts';
import { hasUnregistered } from '../../catalogue/index.ts';
import { endReversal } from './end-doubt.ts';
import type { LaneWork } from './lane-ports.ts';
import type { LaneDevice } from './lane.model.ts';
import { giveBackNumber, readAnew } from './lane.store.ts';
import { moveTo } from './move-receipt.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { beginDoubt, makeDoubtful } from '../receipt/doubt.store.ts';
import { provablyNotLeft } from '../receipt/receipt.model.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

/** A branch's device is replaced by its next one, under the locks of both lanes. */
export type DeviceSwitch = LaneWork & { old: Device; next: Device; lane: LaneDevice };

/**
 * Takes a waiting document away from the old device: nothing of it is sent there any more, and what
 * may have left is a doubt. A reversal undoes what one device has signed, under that device's
 * number: it goes nowhere else.
 */
export async function leaveDevice(
  change: DeviceSwitch,
  receiptId: string,
): Promise<'moved' | 'closed' | 'doubtful'> {
  const { tx, at, old, next } = change;
  const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
  const { invoiceNumber } = receipt;
  const own = (await listAttempts(tx, receiptId, at)).filter(
    (attempt) => attempt.invoiceNumber === invoiceNumber,
  );
  if (invoiceNumber !== null && !provablyNotLeft(own)) {
    await doubtLeft(change, receipt, invoiceNumber);
    return 'doubtful';
  }
  if (invoiceNumber !== null) await giveBackNumber(tx, receipt.deviceId, invoiceNumber);
  if (old.environment !== next.environment || receipt.filed.terms.reverses) {
    await closeLeft(change, receipt);
    return 'closed';
  }
  await moveToNext(change, receipt);
  return 'moved';
}

async function doubtLeft(
  { ports, tx, ctx, at, lane }: DeviceSwitch,
  { id, state }: Receipt,
  invoiceNumber: string,
): Promise<void> {
  const problem = { code: 'maybe_signed' } as const;
  await makeDoubtful(tx, id, invoiceNumber);
  await beginDoubt(
    tx,
    id,
    { problem, invoiceNumber, nextTryAt: null, totalBefore: lane.lastTotal },
    at,
  );
  await ports.record(tx, ctx, {
    action: 'receipt.doubted',
    subject: id,
    before: { state },
    after: problem,
  });
}

async function closeLeft(change: DeviceSwitch, receipt: Receipt): Promise<void> {
  const { ports, tx, ctx, at } = change;
  await recordState(
    tx,
    receipt.id,
    { state: 'withdrawn', problem: { code: 'device_retired' }, about: receipt.invoiceNumber },
    at,
  );
  await ports.record(tx, ctx, {
    action: 'receipt.withdrawn',
    subject: receipt.id,
    after: { because: 'device_retired', returned_number: receipt.invoiceNumber },
  });
  await endReversal(change, receipt, { code: 'device_retired' });
}

async function moveToNext(change: DeviceSwitch, receipt: Receipt): Promise<void> {
  const { tx, next } = change;
  const codes = receipt.filed.sale.lines.map((line) => line.itemCode);
  const opened = await moveTo(change, receipt, {
    filed: receipt.filed,
    documentHash: receipt.documentHash,
    answers: receipt.answers,
    documentNumber: receipt.documentNumber,
    documentDate: receipt.documentDate,
    branchId: next.branchId,
    deviceId: next.id,
    saleReceiptId: receipt.saleReceiptId,
    needsRegistering: await hasUnregistered(tx, next.id, codes),
  });
  // Nothing is frozen of what was read for the old device.
  await readAnew(tx, opened);
}
