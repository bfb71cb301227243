import type { Tx } from '../../platform/db/database.ts';
import type { LanePorts } from './lane-ports.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { lockLane } from './lane.store.ts';
import { provablyNotLeft } from '../receipt/receipt.model.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

/**
 * The document that the lane has in hand, under the locks of both. Asking outside takes time, and a
 * process may sleep meanwhile: past its lease another one works the lane, and has perhaps sent the
 * document under the number it holds. Then it is no longer ours to say anything of.
 */
export async function lockUnsent(
  ports: LanePorts,
  tx: Tx,
  deviceId: string,
  receiptId: string,
): Promise<Receipt | null> {
  const lane = await lockLane(tx, deviceId);
  const receipt = await lockReceipt(tx, receiptId);
  if (lane?.laneHolder !== ports.worker || receipt?.state !== 'queued') return null;
  await requireNotLeft(tx, receipt, ports.clock.now());
  return receipt;
}

/** Never anything new about a number that may have been used: better a lane that complains. */
export async function requireNotLeft(
  tx: Tx,
  { id, invoiceNumber }: Receipt,
  now: Date,
): Promise<void> {
  const own = (await listAttempts(tx, id, now)).filter(
    (attempt) => attempt.invoiceNumber === invoiceNumber,
  );
  if (!provablyNotLeft(own))
    throw new Error(`receipt ${id} was to be judged anew although something of it may have left`);
}
