import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import { moveReceiptBack } from '../receipt/requeue.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { signedTwice } from '../receipt/second-signature.model.ts';
import { moveSeconds } from '../receipt/second-signature.store.ts';
import type { LaneWork } from './lane-ports.ts';

/**
 * Moves a receipt back to where it was closed, because it may be signed there after all. Nothing
 * of the receipt that is closed for it may have left.
 */
export async function moveBack(
  work: LaneWork<{ record: Recorder; alerts: Pick<Alerts, 'raise' | 'resolve'> }>,
  closed: Pick<Receipt, 'id' | 'deviceId'>,
  standing: Pick<Receipt, 'id' | 'module' | 'documentId' | 'deviceId' | 'movedTo'>,
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  await moveReceiptBack(tx, closed.id, standing, { code: 'receipt_moved' }, at);
  await moveSeconds(tx, closed.id, standing.id);
  const stands = (await findReceipt(tx, standing.id)) as Receipt;
  if (stands.isContested) {
    await ports.alerts.resolve(tx, ctx, closed.id, ['signed_twice']);
    await ports.alerts.raise(tx, ctx, standing.id, signedTwice(stands));
  }
  await ports.record(tx, ctx, {
    action: 'receipt.moved',
    subject: closed.id,
    before: { device_id: closed.deviceId },
    after: { device_id: standing.deviceId, receipt_id: standing.id },
  });
}
