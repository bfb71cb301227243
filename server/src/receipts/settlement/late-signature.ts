import { AppError } from '../../platform/app-error.ts';
import { afterDoubt, freeSharers, numberAnew } from '../lane/end-doubt.ts';
import { followUp, pauseForStrangers, signedReceiptOf } from '../lane/record-signature.ts';
import { giveBackNumber, readAnew } from '../lane/lane.store.ts';
import { endDoubt } from '../receipt/doubt.store.ts';
import { recordSigned } from '../receipt/signature.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { openSeconds, type SecondSignature } from '../receipt/second-signature.model.ts';
import { settleSecond } from '../receipt/second-signature.store.ts';
import { deleteSettlement } from '../receipt/settlement.store.ts';
import { type Evidence, type Word, wordAsKept } from './evidence.model.ts';
import { whyNotItsReceipt } from './late-signature.model.ts';
import type { Case } from './settlement-case.ts';

export type LateWord = Evidence & { found: 'late' };

/**
 * Refuses what cannot be said of a late signature, and returns that signature. It is the document's
 * receipt only where there is no other, where nothing else of the document may be signed, and where
 * what would be filed is what was sent: the document may have been read anew since.
 */
export function weighLate(
  { ports, receipt, attempts }: Pick<Case, 'ports' | 'receipt' | 'attempts'>,
  { receipt_signature, as }: LateWord,
): SecondSignature {
  const late = openSeconds(receipt).find((each) => each.receiptSignature === receipt_signature);
  if (!late) throw new AppError('wrong_state', { reason: 'no late signature of it is open' });
  if (as === 'undone') return late;
  if (receipt.signature) throw new AppError('wrong_state', { state: receipt.state });
  const reason = whyNotItsReceipt(receipt.invoiceNumber, late.invoiceNumber, attempts);
  if (reason) throw new AppError('wrong_state', { reason });
  const { terms, sale } = receipt.filed;
  const sent = attempts.find((attempt) => attempt.id === late.attemptId);
  const first = attempts.find((attempt) => attempt.request === sent?.request);
  const asFiled = ports.dialects.of(receipt.dialect).sales.toBody(sale, {
    ...terms,
    invoiceNumber: late.invoiceNumber,
    at: first?.startedAt ?? late.heardAt,
  });
  if (asFiled !== sent?.request)
    throw new AppError('late_signature_differs', { field: 'as', module: receipt.module });
  return late;
}

/** Settles a late signature as a person has said. */
export async function applyLate(
  settling: Case,
  evidence: LateWord,
  late: SecondSignature,
  word: Word,
): Promise<void> {
  const { ports, tx, ctx, receipt, device, at } = settling;
  const { found: _, ...said } = evidence;
  await deleteSettlement(tx, receipt.id);
  const kept = { ...said, ...wordAsKept(word) };
  await settleSecond(tx, receipt.id, late.receiptSignature, {
    as: evidence.as,
    evidence: kept,
    at,
  });
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature_settled',
    subject: receipt.id,
    before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
    after: { ...kept, invoice_number: late.invoiceNumber },
  });
  if (evidence.as === 'receipt') await takeAsReceipt(settling, late, kept);
  else if (receipt.state === 'queued') await readAnew(tx, receipt.id);
  else if (isUsedNumber(receipt, late))
    // It is this signature that the device has under the number, and nothing that was sent since.
    await numberAnew(
      settling,
      { ...receipt, invoiceNumber: late.invoiceNumber },
      { source: said.source, ...word },
    );
  if (openSeconds(receipt).length === 1)
    await ports.alerts.resolve(tx, ctx, receipt.id, ['signed_twice']);
  await pauseForStrangers(settling, device);
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
}

/** The document is in doubt about the number that the late signature stands under. */
const isUsedNumber = ({ problem, invoiceNumber }: Receipt, late: SecondSignature): boolean =>
  (problem?.code === 'signed_answer_lost' || problem?.code === 'maybe_signed_under_either') &&
  invoiceNumber === late.invoiceNumber;

async function takeAsReceipt(
  settling: Case,
  late: SecondSignature,
  evidence: object,
): Promise<void> {
  const { ports, tx, ctx, receipt, at } = settling;
  if (receipt.invoiceNumber !== null && receipt.invoiceNumber !== late.invoiceNumber)
    await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber);
  await recordSigned(tx, ctx.businessId, {
    ...signedReceiptOf(
      { ports, dialect: ports.dialects.of(receipt.dialect), at },
      receipt,
      late,
      late,
    ),
    source: 'late_answer',
    evidence,
    actor: { type: ctx.actor.type, id: ctx.actor.id },
  });
  await endDoubt(tx, receipt.id);
  await freeSharers(settling, {
    receiptId: receipt.id,
    deviceId: receipt.deviceId,
    invoiceNumber: late.invoiceNumber,
  });
  await followUp(settling, receipt);
  await afterDoubt(settling, receipt.deviceId);
}
