import { asTakenOut, leaveNumber } from './doubt-another.ts';
import { startDoubt } from './begin-doubt.ts';
import type { LaneWork } from './lane-ports.ts';
import { closeAbandonedAttempts } from '../receipt/attempt.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { keepNumber } from './lane.store.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

/**
 * Turns the sends of a worker that is gone into doubts, under the lane's lock. Each is a doubt
 * about the number it was sent under, whatever its document holds by now. Returns the receipts.
 */
export async function doubtOrphans(work: LaneWork, lane: LaneDevice): Promise<string[]> {
  const { ports, tx, at } = work;
  const orphans = await closeAbandonedAttempts(tx, lane.id, at, ports.underWay);
  for (const { receiptId, invoiceNumber } of orphans) {
    const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
    const isHeld = receipt.invoiceNumber === invoiceNumber;
    // What was moved, or is in doubt about another number, is asked about this one once that is
    // over.
    if (
      receipt.state === 'signed' ||
      receipt.movedTo !== null ||
      (receipt.state === 'in_doubt' && !isHeld)
    )
      continue;
    if (!isHeld) {
      await leaveNumber(tx, receipt);
      // Until it is known, nobody else goes under it.
      await keepNumber(tx, lane.id, invoiceNumber);
    }
    await startDoubt(
      work,
      lane,
      { receiptId, invoiceNumber },
      { code: 'maybe_signed', ...asTakenOut(receipt) },
    );
  }
  return orphans.map(({ receiptId }) => receiptId);
}
