import type { StoredProblem } from '@muhuri/shared/problems';
import { AppError } from '../../platform/app-error.ts';
import { isSignatureKnown, isTotalKnown } from '../receipt/signature.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import type { Brought } from './evidence.model.ts';
import { checkClaim, checkNotFound, mismatch } from './check-evidence.model.ts';
import { doubtOf, type Offer } from './settlement-case.ts';

/** Rejects evidence that contradicts our records; returns the signature if it contains one. */
export async function checkEvidence(offer: Offer, evidence: Brought): Promise<Signature | null> {
  if (evidence.found === true) return checkSignature(offer, evidence);
  throwIf(checkNotFound(evidence, doubtOf(offer), offer.at));
  return null;
}

async function checkSignature(
  offer: Offer,
  evidence: Brought & { found: true },
): Promise<Signature> {
  const { ports, tx, receipt, device, at } = offer;
  const signature = signatureOf(evidence, receipt);
  const isWellFormed = ports.dialects.of(receipt.dialect).sales.checkEvidence(signature);
  const { sdcId, environment } = device;
  throwIf(checkClaim({ evidence, signature, isWellFormed, sdcId, doubt: doubtOf(offer), at }));
  const issuer = { environment, sdcId: signature.sdcId };
  if (await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId))
    throwIf(mismatch('receipt_signature'));
  if (await isTotalKnown(tx, signature.totalReceiptNumber, issuer))
    throwIf(mismatch('total_receipt_number'));
  return signature;
}

function throwIf(problem: StoredProblem | null): void {
  if (!problem) return;
  const { code, ...extra } = problem;
  throw new AppError(code, extra);
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
