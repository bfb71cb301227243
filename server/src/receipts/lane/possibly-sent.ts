import type { Tx } from '../../platform/db/database.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { provablyNotLeft } from '../receipt/receipt.model.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { isUndoneSoon } from '../receipt/second-signature.model.ts';

/**
 * Whether the refund that undoes a lost sale may be at the device. A signature of the sale that
 * came then and became its receipt would make a good sale here of one that the authority has
 * undone. So the signature is kept until the end of the refund is known. If the refund is signed,
 * it has undone the sale, which is sold anew once, as if its signature had never been heard; if it
 * is never signed, the sale stands (`endReversal`). A refund of which nothing can have left holds
 * nothing up: the lane withdraws it.
 */
export async function isRefundOut(
  tx: Tx,
  receipt: Receipt,
  { invoiceNumber }: { invoiceNumber: string },
  at: Date,
): Promise<boolean> {
  if (!isUndoneSoon(receipt, invoiceNumber)) return false;
  return mayHaveLeft(
    tx,
    (await lockReceipt(tx, receipt.undoing?.receipt_id as string)) as Receipt,
    at,
  );
}

export async function mayHaveLeft(tx: Tx, receipt: Receipt, at: Date): Promise<boolean> {
  const own = (await listAttempts(tx, receipt.id, at)).filter(
    (attempt) => attempt.invoiceNumber === receipt.invoiceNumber,
  );
  return receipt.state === 'in_doubt' || !provablyNotLeft(own);
}
