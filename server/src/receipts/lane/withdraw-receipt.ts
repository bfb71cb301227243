import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { endReversal } from './end-doubt.ts';
import type { LanePorts, LaneWork } from './lane-ports.ts';
import type { LaneHead } from './lane.model.ts';
import { giveBackNumber, lockLane } from './lane.store.ts';
import { mayHaveLeft } from './possibly-sent.ts';
import { listSuspects } from '../receipt/doubt.store.ts';
import { isSignedLateUnder } from '../receipt/second-signature.store.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { isDoubtful, provablyNotLeft } from '../receipt/receipt.model.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export type WithdrawReceipt = (ctx: Context, receiptId: string) => Promise<Receipt>;

/**
 * Takes a waiting document out of its lane, as long as nothing of it may be signed, under
 * whichever number; its number goes back.
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
      await recordState(tx, receiptId, { state: 'withdrawn', problem }, at);
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

/**
 * Withdraws the refund of a lost sale that is known meanwhile; says whether it did. The sale may
 * become known, or be settled in another way, between the second person's word and the moment at
 * which the refund would get its number. So the lane looks once more in the transaction that would
 * freeze the refund, under the lock that everything which ends a doubt takes. If several documents
 * may be signed under the number, the refund would undo anybody's, and is withdrawn as well. What
 * may have left is not withdrawn any more.
 */
export async function withdrawOvertaken(
  work: LaneWork,
  head: Pick<LaneHead, 'id' | 'filed'>,
): Promise<boolean> {
  const { ports, tx, ctx, at } = work;
  const { reverses } = head.filed.terms;
  if (!reverses) return false;
  const { receiptId, invoiceNumber } = reverses;
  const refund = (await lockReceipt(tx, head.id)) as Receipt;
  const original = (await lockReceipt(tx, receiptId)) as Receipt;
  const isLost =
    original.state === 'in_doubt' &&
    original.invoiceNumber === invoiceNumber &&
    original.problem?.code === 'signed_answer_lost' &&
    !(await isSignedLateUnder(tx, refund.deviceId, invoiceNumber)) &&
    (await listSuspects(tx, receiptId)).length === 0;
  if (isLost || (await mayHaveLeft(tx, refund, at))) return false;
  const problem = { code: 'reversal_overtaken', invoice_number: invoiceNumber } as const;
  if (refund.invoiceNumber !== null)
    await giveBackNumber(tx, refund.deviceId, refund.invoiceNumber);
  await recordState(tx, refund.id, { state: 'withdrawn', problem }, at);
  await ports.record(tx, ctx, {
    action: 'receipt.withdrawn',
    subject: refund.id,
    after: { ...problem, returned_number: refund.invoiceNumber },
  });
  await endReversal(work, refund, problem);
  ports.changed(refund.id);
  return true;
}
