import type { StoredProblem } from '@muhuri/shared/problems';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../platform/db/database.ts';
import { beginDoubt, giveBackNumber, listAttempts, nameSuspects, settleUnserved } from './lane.store.ts';
import { isDoubtful } from './receipt.model.ts';
import { lockReceipt, type Receipt } from './receipt.store.ts';

/** What a doubt keeps of a document that a person had taken out of its lane before, or that was left aside: it is not sealed because the doubt is over. */
export const asTakenOut = ({ state, problem }: Pick<Receipt, 'state' | 'problem'>): { before?: StoredProblem | null } =>
  state === 'withdrawn' ? { before: problem } : {};

/**
 * A doubt about one number is over; where another one has turned out to be taken that the document had held before, it goes on about that. Whatever lets a
 * document be sealed again asks this first, whether or not a doubt has just ended. Answers whether it is in doubt again.
 */
export async function doubtAnother(
  ports: { record: Recorder; alerts: Pick<Alerts, 'settle'> },
  tx: Tx,
  ctx: Context,
  { id, deviceId }: Pick<Receipt, 'id' | 'deviceId'>,
  at: Date,
): Promise<boolean> {
  const about = (await listAttempts(tx, id, at)).findLast(isDoubtful);
  if (!about) return false;
  const { invoiceNumber } = about;
  const receipt = (await lockReceipt(tx, id)) as Receipt;
  // What it has waited under since is somebody else's again: nothing of it goes there.
  if (receipt.invoiceNumber !== null && receipt.invoiceNumber !== invoiceNumber) {
    await settleUnserved(tx, id, receipt.invoiceNumber);
    await giveBackNumber(tx, deviceId, receipt.invoiceNumber);
  }
  const problem: StoredProblem = { code: 'signed_answer_lost', ...asTakenOut(receipt) };
  await beginDoubt(tx, id, { problem, invoiceNumber, nextTryAt: null, totalBefore: null }, at);
  await nameSuspects(tx, deviceId, invoiceNumber);
  await ports.alerts.settle(tx, ctx, id, ['maybe_signed_twice'], { invoiceNumber });
  await ports.record(tx, ctx, { action: 'receipt.doubted', subject: id, after: { ...problem, invoice_number: invoiceNumber } });
  return true;
}
