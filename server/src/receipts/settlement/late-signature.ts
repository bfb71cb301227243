import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { afterDoubt, freeSharers, numberAnew } from '../lane/end-doubt.ts';
import { followUp, pauseForStrangers, signedReceiptOf } from '../lane/record-signature.ts';
import type { LanePorts } from '../lane/lane-ports.ts';
import { giveBackNumber, readAnew } from '../lane/lane.store.ts';
import { endDoubt } from '../receipt/doubt.store.ts';
import { recordSigned } from '../receipt/signature.store.ts';
import { isDoubtful, provablyNotLeft } from '../receipt/receipt.model.ts';
import { openSeconds, type SecondSignature } from '../receipt/second-signature.model.ts';
import { settleSecond } from '../receipt/second-signature.store.ts';
import { deleteSettlement } from '../receipt/settlement.store.ts';
import type { Case, Evidence, Word } from './brought-evidence.ts';

export type LateWord = Evidence & { found: 'late' };

/**
 * Refuses what cannot be said of a late signature, and answers it. It is the document's receipt
 * only where there is no other, where nothing else of the document may be signed, and where what
 * would be filed is what was sent: the document may have been read anew since.
 */
export function weighLate(
  ports: Pick<LanePorts, 'dialects'>,
  { receipt, attempts }: Case,
  { receipt_signature, as }: LateWord,
): SecondSignature {
  const late = openSeconds(receipt).find((each) => each.receiptSignature === receipt_signature);
  if (!late) throw new AppError('wrong_state', { reason: 'no late signature of it is open' });
  if (as === 'undone') return late;
  if (receipt.signature) throw new AppError('wrong_state', { state: receipt.state });
  if (
    attempts.some((attempt) => attempt.invoiceNumber !== late.invoiceNumber && isDoubtful(attempt))
  )
    throw new AppError('wrong_state', { reason: 'it may be signed under another number as well' });
  if (receipt.invoiceNumber !== null && receipt.invoiceNumber !== late.invoiceNumber) {
    const own = attempts.filter((attempt) => attempt.invoiceNumber === receipt.invoiceNumber);
    if (!provablyNotLeft(own))
      throw new AppError('wrong_state', {
        reason: 'something of it has left under another number',
      });
  }
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

export async function applyLate(
  ports: LanePorts,
  ctx: Context,
  of: Case,
  evidence: LateWord,
  late: SecondSignature,
  word: Word,
): Promise<void> {
  const { tx, receipt, device, at } = of;
  const { found: _, ...said } = evidence;
  await deleteSettlement(tx, receipt.id);
  const told = {
    ...said,
    by: word.by,
    ...(word.confirmedBy ? { confirmed_by: word.confirmedBy } : {}),
  };
  await settleSecond(tx, receipt.id, late.receiptSignature, {
    as: evidence.as,
    evidence: told,
    at,
  });
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature_settled',
    subject: receipt.id,
    before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
    after: { ...told, invoice_number: late.invoiceNumber },
  });
  if (evidence.as === 'receipt') {
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
      evidence: told,
      actor: { type: ctx.actor.type, id: ctx.actor.id },
    });
    await endDoubt(tx, receipt.id);
    await freeSharers(
      { ports, tx, ctx, at },
      { receiptId: receipt.id, deviceId: receipt.deviceId, invoiceNumber: late.invoiceNumber },
    );
    await followUp({ ports, tx, ctx, at }, receipt);
    await afterDoubt({ ports, tx, ctx }, receipt.deviceId);
  } else if (receipt.state === 'queued') {
    await readAnew(tx, receipt.id);
  } else if (
    ['signed_answer_lost', 'maybe_signed_under_either'].includes(receipt.problem?.code ?? '') &&
    receipt.invoiceNumber === late.invoiceNumber
  ) {
    // It is this signature that the device has under the number, and nothing that was sent since.
    await numberAnew(
      { ports, tx, ctx, at },
      { ...receipt, invoiceNumber: late.invoiceNumber },
      { source: said.source, ...word },
    );
  }
  if (openSeconds(receipt).length === 1)
    await ports.alerts.resolve(tx, ctx, receipt.id, ['signed_twice']);
  await pauseForStrangers({ ports, tx, ctx }, device);
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
}
