import type { Alerts } from '../../alerts/index.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import type { Prepared } from '../prepare/prepare-sale.ts';
import { findReceiptIn, getReceipt, insertReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import { listRefundsOf } from '../receipt/find-sales.store.ts';
import { moveReceipt, type Requeued } from '../receipt/requeue.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { moveSeconds } from '../receipt/second-signature.store.ts';
import { signedTwice, whyContested } from '../receipt/second-signature.model.ts';
import { fitRefund } from '../sale/fit-refund.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import type { LanePorts, LaneWork } from './lane-ports.ts';

type MoveWork = Omit<
  LaneWork<
    Pick<LanePorts, 'newId' | 'record' | 'clock'> & { alerts: Pick<Alerts, 'raise' | 'resolve'> }
  >,
  'at'
>;

/**
 * Refuses a receipt with an open late signature: the device may have signed it, and sealed once
 * more it would be signed twice.
 */
export function mustBeUncontested(receipt: Receipt): void {
  if (!receipt.isContested) return;
  const { code, ...about } = whyContested(receipt);
  throw new AppError(code, about);
}

/**
 * Closes the receipt of a document whose device is another one by now, and opens a new one at the
 * present device. Nothing of the old one can be signed any more; device and environment of a
 * receipt never change.
 */
export async function moveTo(
  { ports, tx, ctx }: MoveWork,
  from: Pick<Receipt, 'id' | 'module' | 'documentId' | 'kind' | 'deviceId'>,
  content: Requeued,
): Promise<string> {
  const id = ports.newId('receipt');
  const at = ports.clock.now();
  await moveReceipt(tx, from.id, id, { code: 'receipt_moved' }, at);
  await insertReceipt(
    tx,
    ctx.businessId,
    { ...content, id, module: from.module, documentId: from.documentId, kind: from.kind },
    at,
  );
  await moveSeconds(tx, from.id, id);
  const moved = await getReceipt(tx, id);
  if (moved.isContested) {
    await ports.alerts.resolve(tx, ctx, from.id, ['signed_twice']);
    await ports.alerts.raise(tx, ctx, id, signedTwice(moved));
  }
  await ports.record(tx, ctx, {
    action: 'receipt.moved',
    subject: from.id,
    before: { device_id: from.deviceId },
    after: { device_id: content.deviceId, receipt_id: id },
  });
  return id;
}

/**
 * Cuts a refund to what is left of its sale, from what its document asks for. It does so under a
 * lock on the sale's row, when the refund is opened and when it is read again, so that two refunds
 * at once count each other.
 */
export async function fitUnderLock(
  tx: Tx,
  prepared: Prepared,
  filed: SigningInput,
  ownId: string | null,
): Promise<Sale> {
  const sale = await lockReceipt(tx, prepared.saleReceipt?.id as string);
  if (sale?.state !== 'signed' || sale.environment !== prepared.device?.environment)
    throw new AppError('refund_sale_unsigned', { field: 'invoice_id' });
  // The same credit note at another click: its own row is not another refund.
  const own =
    ownId ??
    (await findReceiptIn(tx, sale.environment, 'creditnotes', prepared.document.id))?.id ??
    null;
  const others = await listRefundsOf(tx, sale.id, own);
  const { refund, findings } = fitRefund(
    prepared.refund?.asked ?? filed.sale,
    sale.filed.sale,
    others.map((other) => other.sale),
    {
      isSameBuyer: prepared.refund?.isSameBuyer ?? false,
      allowsPartial: prepared.business.settings.partial_refunds,
      countsQuantities: filed.terms.demands?.includes('refund_quantities'),
    },
  );
  const [first] = findings;
  if (first) throw new AppError(first.code, { ...first, findings });
  return refund;
}
