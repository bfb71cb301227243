import { compare } from '@muhuri/shared/money';
import { AppError } from '../../platform/app-error.ts';
import type { LanePorts } from '../lane/lane-ports.ts';
import type { StoredAttempt } from '../receipt/attempt.store.ts';
import { isSignatureKnown, isTotalKnown } from '../receipt/signature.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { isDoubtful, lastUnder } from '../receipt/receipt.model.ts';
import type { Signature } from '../../model/sale.model.ts';
import type { Brought, Offer } from './brought-evidence.ts';

// Clocks of server and device differ a little.
const clockSlackMs = 10 * 60_000;
/**
 * A VSDC signs for a day without its authority; twice that, and what it signed has arrived or never
 * will.
 */
const uploadMs = 48 * 3_600_000;

/** Refuses what cannot be, and answers the signature where one was brought. */
export async function verify(
  ports: Pick<LanePorts, 'dialects'>,
  { tx, receipt, device, attempts, at }: Offer,
  code: string,
  evidence: Brought,
): Promise<Signature | null> {
  const isOver = attempts.every((attempt) => attempt.isSocketClosed);
  if (evidence.found === false) {
    if (receipt.isDeviceRetired) return verifyAbsence(receipt, attempts, isOver, evidence, at);
    if (isUnasked(receipt, attempts)) return verifyAbsence(receipt, attempts, isOver, evidence, at);
    // Only once the device itself has definitely refused the last resend; before that the first
    // request may still arrive.
    if (
      code === 'signed_answer_lost' ||
      lastUnder(attempts, receipt.invoiceNumber)?.outcome !== 'refused'
    )
      throw new AppError('wrong_state', {
        reason: 'the device has not refused the document after the doubt',
      });
    if (!isOver) throw new AppError('answer_may_come');
    return null;
  }
  if (evidence.found === 'other') {
    // A device that was retired, or that may be asked nothing, says nothing of it: there a list
    // shows it, late enough.
    if (
      code === 'maybe_signed_under_either' ||
      (receipt.isDeviceRetired && code === 'maybe_signed')
    )
      return verifyAbsence(receipt, attempts, isOver, evidence, at);
    // Only where the device has said that the number is used.
    if (code !== 'signed_answer_lost')
      throw new AppError('wrong_state', {
        reason: 'the device has not said that the number is taken',
      });
    if (!isOver) throw new AppError('answer_may_come');
    return null;
  }
  const { sale } = receipt.filed;
  const refuse = (field: string) => new AppError('evidence_mismatch', { field });
  // Of several numbers of it the data may stand under any.
  const hasOthers = attempts.some(
    (each) => each.invoiceNumber !== receipt.invoiceNumber && isDoubtful(each),
  );
  if (!evidence.invoice_number && (hasOthers || code === 'maybe_signed_under_either'))
    throw new AppError('malformed', {
      field: 'invoice_number',
      reason: 'under which of its numbers has to be said',
    });
  if (evidence.invoice_number && evidence.invoice_number !== receipt.invoiceNumber)
    throw refuse('invoice_number');
  if (evidence.buyer_tin && evidence.buyer_tin !== (sale.buyer.taxpayerId ?? ''))
    throw refuse('buyer_tin');
  if (evidence.total && compare(evidence.total, sale.total) !== 0) throw refuse('total');
  const signature = signatureOf(evidence, receipt);
  const earliest = (attempts[0]?.startedAt.getTime() ?? 0) - clockSlackMs;
  if (!ports.dialects.of(receipt.dialect).sales.checkEvidence(signature))
    throw refuse('receipt_signature');
  if (device.sdcId !== null && signature.sdcId !== device.sdcId) throw refuse('sdc_id');
  if (
    signature.signedAt.getTime() < earliest ||
    signature.signedAt.getTime() > at.getTime() + clockSlackMs
  )
    throw refuse('signed_at');
  if (await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId))
    throw refuse('receipt_signature');
  if (
    await isTotalKnown(tx, signature.totalReceiptNumber, {
      environment: device.environment,
      sdcId: signature.sdcId,
    })
  )
    throw refuse('total_receipt_number');
  return signature;
}

/**
 * Whether nobody asks the device about it any more: it may be signed under another number, or a
 * late signature of it waits, and it has not been refused.
 */
export const isUnasked = (
  { problem, isContested, invoiceNumber }: Receipt,
  attempts: StoredAttempt[],
): boolean =>
  (problem?.code === 'maybe_signed_under_either' ||
    (problem?.code === 'maybe_signed' && isContested)) &&
  lastUnder(attempts, invoiceNumber)?.outcome !== 'refused';

/**
 * A device may have signed without its authority for a day and upload that late. Of one that is not
 * asked only a list taken long after the last send shows that it has not signed; where it was
 * retired, with the word that nothing can come from it any more.
 */
function verifyAbsence(
  receipt: Receipt,
  attempts: StoredAttempt[],
  isOver: boolean,
  evidence: Brought & { found: false | 'other' },
  at: Date,
): null {
  if (receipt.problem?.code === 'signed_answer_lost')
    throw new AppError('wrong_state', { reason: 'the device may have signed it' });
  if (!isOver) throw new AppError('answer_may_come');
  if (receipt.isDeviceRetired && !evidence.cannot_upload)
    throw new AppError('malformed', {
      field: 'cannot_upload',
      reason: 'that the device cannot upload anything any more has to be said',
    });
  if (!evidence.listed_at)
    throw new AppError('malformed', {
      field: 'listed_at',
      reason: 'when the list was taken has to be said',
    });
  const after = new Date(
    Math.max(...attempts.map((attempt) => attempt.startedAt.getTime())) + uploadMs,
  );
  const listedAt = new Date(evidence.listed_at);
  if (listedAt < after || listedAt.getTime() > at.getTime() + clockSlackMs)
    throw new AppError('evidence_too_early', { field: 'listed_at', after: after.toISOString() });
  return null;
}

const bare = (text: string) => text.replaceAll('-', '').replaceAll(' ', '').toUpperCase();

const signatureOf = (evidence: Brought & { found: true }, receipt: Receipt): Signature => ({
  receiptNumber: evidence.receipt_number,
  totalReceiptNumber: evidence.total_receipt_number,
  internalData: bare(evidence.internal_data),
  receiptSignature: bare(evidence.receipt_signature),
  sdcId: evidence.sdc_id,
  mrcNumber: evidence.mrc_number ?? receipt.filed.terms.mrcNumber ?? '',
  signedAt: new Date(evidence.signed_at),
});
