import { holdTogether } from '../receipt/doubt.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { lockLane } from './lane.store.ts';
import { canTotalBe, isSignatureKnown } from '../receipt/signature.store.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { isUndoneSoon, signedTwice } from '../receipt/second-signature.model.ts';
import { keepSecond } from '../receipt/second-signature.store.ts';
import type { Heard } from './outcome.ts';
import { isOfDoubt } from './matches-doubt.ts';
import { isRefundOut } from './possibly-sent.ts';
import { freeSharers, takeLate } from './end-doubt.ts';
import { signedReceiptOf } from './record-signature.ts';

/**
 * Records a signature that arrives when nobody waits for it any more: it is the receipt of a doubt,
 * repeats what is known, is a second one of its document, or cannot be its document's and is told
 * of.
 */
export async function hearLate(heard: Heard, signature: Signature): Promise<void> {
  const { tx, sending, at } = heard;
  const device = (await lockLane(tx, sending.deviceId)) as LaneDevice;
  await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
  const receipt = (await lockReceipt(tx, sending.receiptId)) as Receipt;
  if (isOfReceipt(receipt, signature)) return;
  // Others may have been signed since, so that its total need not be the newest; it must still be
  // one that nobody has and that came after its send.
  const canBe =
    signature.sdcId === device.sdcId &&
    !(await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId)) &&
    (await canTotalBe(tx, sending, signature.totalReceiptNumber, {
      environment: device.environment,
      sdcId: signature.sdcId,
    }));
  if (!canBe) return tellOfLate(heard, receipt, signature);
  // Under the same number the doubt may be about other bytes by now: what was signed is not what
  // would be filed.
  const attempts = await listAttempts(tx, receipt.id, at);
  if (!isOfDoubt(receipt, attempts, sending) || (await isRefundOut(tx, receipt, sending, at)))
    return keepLate(heard, receipt, signature);
  await takeLate(heard, receipt, sending, signature);
}

/** Whether a receipt has a signature already, as its own or beside it. */
export const isOfReceipt = (receipt: Receipt, { receiptSignature, sdcId }: Signature): boolean =>
  [receipt.signature, ...receipt.secondSignatures].some(
    (each) => each?.receiptSignature === receiptSignature && each.sdcId === sdcId,
  );

/**
 * Tells people of a late signature that decides nothing. An alert is closed some day: what was said
 * stands in the receipt's history as well, and whole in the answer that is kept with its send.
 */
export async function tellOfLate(
  { ports, tx, ctx, sending }: Heard,
  receipt: Receipt,
  signature: Signature,
): Promise<void> {
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature',
    subject: receipt.id,
    before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
    after: { attempt_id: sending.attemptId, ...saidIn(signature, sending.invoiceNumber) },
  });
  await ports.alerts.raise(tx, ctx, receipt.id, {
    code: 'late_signature',
    document_number: receipt.documentNumber,
  });
}

/** What a late signature says, for the trail. */
const saidIn = (signature: Signature, invoiceNumber: string) => ({
  invoice_number: invoiceNumber,
  receipt_number: signature.receiptNumber,
  total_receipt_number: signature.totalReceiptNumber,
  receipt_signature: signature.receiptSignature,
  sdc_id: signature.sdcId,
  signed_at: signature.signedAt.toISOString(),
});

/**
 * Keeps a signature beside its receipt. The document has another one already, was settled as not
 * signed, or was sent anew under another number: nothing here can say what holds. So nothing more
 * of the document is sealed, and a person finds out; only a reversal has answered it before, or is
 * about to.
 */
async function keepLate(heard: Heard, receipt: Receipt, signature: Signature): Promise<void> {
  const { ports, tx, ctx, sending, response, at } = heard;
  // Its document may be another device's by now, with a receipt of its own.
  let own = receipt;
  while (own.movedTo) own = (await lockReceipt(tx, own.movedTo)) as Receipt;
  const { verificationUrl, label } = signedReceiptOf(heard, receipt, sending, signature);
  const { reversal } = receipt;
  const isReversed =
    reversal?.reversed_at != null && String(reversal.invoice_number) === sending.invoiceNumber;
  const isUnderWay = isUndoneSoon(receipt, sending.invoiceNumber);
  const { attemptId, deviceId, invoiceNumber } = sending;
  await keepSecond(tx, ctx.businessId, own.id, {
    ...signature,
    attemptId,
    deviceId,
    invoiceNumber,
    verificationUrl,
    label,
    response,
    heardAt: at,
    settledAs: isReversed ? 'reversed' : null,
    settledEvidence: isReversed ? { reversal_receipt_id: reversal.reversal_receipt_id } : null,
    settledAt: isReversed ? at : null,
  });
  await ports.record(tx, ctx, {
    action: 'receipt.signed_late',
    subject: own.id,
    before: { state: own.state, invoice_number: own.invoiceNumber },
    after: {
      ...saidIn(signature, invoiceNumber),
      ...(isReversed ? { reversed: true } : {}),
      ...(isUnderWay ? { waits_for: receipt.undoing?.receipt_id } : {}),
    },
  });
  if (!isReversed && !isUnderWay)
    await ports.alerts.raise(
      tx,
      ctx,
      own.id,
      signedTwice((await lockReceipt(tx, own.id)) as Receipt),
    );
  await freeSharers(heard, sending);
  if (own.id !== sending.receiptId) ports.changed(own.id);
}
