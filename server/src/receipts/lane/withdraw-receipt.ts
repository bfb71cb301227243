import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { endReversal } from './end-doubt.ts';
import type { LanePorts } from './lane-ports.ts';
import { giveBackNumber, lockLane } from './lane.store.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { isDoubtful, provablyNotLeft } from '../receipt/receipt.model.ts';
import { findReceipt, lockReceipt, setReceiptState } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export type WithdrawReceipt = (ctx: Context, receiptId: string) => Promise<Receipt>;

/**
 * Takes a waiting document out of its lane, as long as nothing of it may be signed, under whichever
 * number; its number goes back.
 */
export const withdrawReceipt =
  (ports: LanePorts): WithdrawReceipt =>
  async (ctx, receiptId) => {
    const withdrawn = await ctx.transaction(async (tx) => {
      const found = await findReceipt(tx, receiptId);
      if (!found) throw new AppError('not_found');
      await lockLane(tx, found.deviceId);
      const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
      const attempts = await listAttempts(tx, receiptId, ports.clock.now());
      const own = attempts.filter((attempt) => attempt.invoiceNumber === receipt.invoiceNumber);
      if (receipt.state !== 'queued') throw new AppError('wrong_state', { state: receipt.state });
      if (
        attempts.some((attempt) => attempt.endedAt === null || isDoubtful(attempt)) ||
        !provablyNotLeft(own)
      )
        throw new AppError('device_may_have_it');
      if (receipt.invoiceNumber !== null)
        await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber);
      const problem = { code: 'withdrawn_by_person' } as const;
      const at = ports.clock.now();
      await setReceiptState(
        tx,
        receiptId,
        { state: 'withdrawn', problem, invoiceNumber: null },
        at,
      );
      await ports.record(tx, ctx, {
        action: 'receipt.withdrawn',
        subject: receiptId,
        after: { returned_number: receipt.invoiceNumber },
      });
      await endReversal({ ports, tx, ctx, at }, receipt, problem);
      return (await findReceipt(tx, receiptId)) as Receipt;
    });
    ports.changed(receiptId);
    return withdrawn;
  };
