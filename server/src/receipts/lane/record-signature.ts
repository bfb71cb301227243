import type { StoredProblem } from '@muhuri/shared/problems';
import type { Dialect } from '../../ports/dialect/index.ts';
import { doubtAnother } from './doubt-another.ts';
import type { Reverses } from '../sale/signing-input.model.ts';
import type { KeptAnswer } from '../receipt/stored-answer.ts';
import type { LaneWork } from './lane-ports.ts';
import { endDoubt } from '../receipt/doubt.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { pauseLaneFor, readAnew } from './lane.store.ts';
import { countStrangers, explainTotals, type SignedReceipt } from '../receipt/signature.store.ts';
import { settleAttempts } from '../receipt/attempt.store.ts';
import { markReversed } from '../receipt/reversal.store.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { isSignedLateUnder, settleReversed } from '../receipt/second-signature.store.ts';

/**
 * Pauses the lane of a production device that has signed more than we can account for; says
 * whether it did. Either another program writes to the device, or it has signed something for us
 * that we do not know of: going on, the lane might sign a whole backlog twice. What was signed
 * stays, and nothing more is sent until a person has said whose the others are.
 */
export async function pauseForStrangers(
  work: Omit<LaneWork, 'at'>,
  device: Pick<LaneDevice, 'id' | 'environment' | 'state'>,
): Promise<boolean> {
  const { ports, tx, ctx } = work;
  if (device.environment !== 'production' || device.state === 'retired') return false;
  const missing = await countStrangers(tx, device.id);
  if (missing === 0) return false;
  const problem = { code: 'total_jumped', missing } as const;
  await pauseLaneFor(tx, device.id, problem);
  await ports.alerts.raise(tx, ctx, device.id, problem);
  await ports.record(tx, ctx, { action: 'lane.total_jumped', subject: device.id, after: problem });
  return true;
}

/**
 * Runs after every signature, from the device or from a person. Enqueues the work of later
 * chapters and, for the refund of a reversal, puts its sale back into the lane.
 */
export async function followUp(
  work: LaneWork,
  receipt: Pick<Receipt, 'id' | 'filed'>,
): Promise<void> {
  const { ports, tx, ctx } = work;
  await ports.afterSigned(tx, ctx, receipt.id);
  const { reverses } = receipt.filed.terms;
  if (reverses) await sellAnew(work, { ...reverses, reversalReceiptId: receipt.id });
}

/**
 * Returns what a document becomes when it is known not to be signed under the number of its doubt,
 * if it was withdrawn before that doubt; otherwise null.
 */
export const takenOutBefore = ({
  problem,
}: Pick<Receipt, 'problem'>): { state: 'withdrawn'; problem: StoredProblem | null } | null =>
  problem?.before === undefined
    ? null
    : { state: 'withdrawn', problem: problem.before as StoredProblem | null };

/**
 * Puts a sale whose data were lost back into its lane, now that the refund just signed has undone
 * it at the authority. The same receipt is read again and sold under a new number, unless it is in
 * doubt about another one as well. This is the one case of a new number after a doubt; it needs
 * two persons and a signed reversal.
 */
async function sellAnew(
  work: LaneWork,
  reversed: Reverses & { reversalReceiptId: string },
): Promise<void> {
  const { ports, tx, ctx, at } = work;
  const original = (await lockReceipt(tx, reversed.receiptId)) as Receipt;
  if (original.state !== 'in_doubt' || original.invoiceNumber !== reversed.invoiceNumber) {
    await ports.alerts.raise(tx, ctx, original.id, {
      code: 'reversal_unneeded',
      document_number: original.documentNumber,
    });
    return;
  }
  // What was heard of it while its refund was on the way has brought its own place in the total.
  const isHeard = await isSignedLateUnder(tx, original.deviceId, reversed.invoiceNumber);
  if (!isHeard) await explainTotals(tx, original.deviceId, '1');
  await settleAttempts(tx, original.id, 'reversed', { invoiceNumber: reversed.invoiceNumber });
  if (isHeard)
    await settleReversed(
      tx,
      original.id,
      reversed.invoiceNumber,
      { reversal_receipt_id: reversed.reversalReceiptId },
      at,
    );
  // At a device that was retired nothing waits: sealed again, it goes to the one that followed.
  const after = original.isDeviceRetired
    ? { state: 'refused' as const, problem: { code: 'device_retired' as const } }
    : { state: 'queued' as const, problem: null };
  // Taken out by a person before, it is not sealed because its doubt is over.
  await recordState(
    tx,
    original.id,
    { ...(takenOutBefore(original) ?? after), about: reversed.invoiceNumber },
    at,
  );
  await readAnew(tx, original.id);
  await markReversed(tx, ctx.businessId, reversed, at);
  await endDoubt(tx, original.id);
  // Only what was signed under this number is undone: under another one it may be signed still.
  await doubtAnother(work, original);
  await ports.record(tx, ctx, {
    action: 'receipt.reversed',
    subject: original.id,
    before: { invoice_number: reversed.invoiceNumber },
    after: { reversal_receipt_id: reversed.reversalReceiptId },
  });
  ports.changed(original.id);
}

/** Returns what `recordSigned` writes of a signature that a device has given. */
export function signedReceiptOf(
  { ports, dialect, at }: Pick<LaneWork, 'ports' | 'at'> & { dialect: Dialect },
  receipt: Pick<Receipt, 'id' | 'deviceId' | 'filed'>,
  sending: { attemptId: string; invoiceNumber: string },
  signature: Signature,
  response: KeptAnswer | null = null,
): SignedReceipt {
  const { terms, sale } = receipt.filed;
  return {
    attemptId: sending.attemptId,
    receiptId: receipt.id,
    deviceId: receipt.deviceId,
    invoiceNumber: sending.invoiceNumber,
    signature,
    verificationUrl: dialect.print.verification(
      signature,
      terms.device,
      terms.verification.form,
      terms.verification.base,
    ),
    label: dialect.print.label(sale.kind, false),
    source: 'device',
    evidence: null,
    response,
    at,
    auditId: ports.newId('audit'),
    actor: { type: 'job', id: 'lane' },
  };
}
