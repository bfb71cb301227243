import { AppError } from '../../platform/app-error.ts';
import { findKeptSignature } from '../lane/signature-in-stored-answer.ts';
import type { Brought } from './evidence.model.ts';
import { checkEvidence } from './check-evidence.ts';
import type { Offer } from './settlement-case.ts';

/**
 * What stands in the kept answer, as if a person had copied it: judged, told and confirmed like
 * everything that one brings.
 */
export function keptEvidence({
  ports,
  receipt,
  attempts,
}: Pick<Offer, 'ports' | 'receipt' | 'attempts'>): Brought & { found: true } {
  const kept = findKeptSignature(
    ports.dialects.of(receipt.dialect),
    attempts,
    receipt.invoiceNumber,
  );
  if (!kept)
    throw new AppError('wrong_state', { reason: 'no answer that is kept holds a whole signature' });
  const { signature: s } = kept;
  return {
    found: true,
    source: `the device’s own answer, kept with the send ${kept.attemptId}`,
    receipt_number: s.receiptNumber,
    total_receipt_number: s.totalReceiptNumber,
    internal_data: s.internalData,
    receipt_signature: s.receiptSignature,
    sdc_id: s.sdcId,
    mrc_number: s.mrcNumber,
    signed_at: s.signedAt.toISOString(),
    invoice_number: receipt.invoiceNumber ?? undefined,
  };
}

/**
 * The signature of a kept answer, where a person could settle the doubt with it; null: there is
 * none, or it cannot be this document's.
 */
export async function offerKept(offer: Offer): Promise<(Brought & { found: true }) | null> {
  const { state, problem } = offer.receipt;
  if (state !== 'in_doubt' || problem?.code === 'number_collision') return null;
  try {
    const evidence = keptEvidence(offer);
    await checkEvidence(offer, evidence);
    return evidence;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}
