import type { AuditListener } from '../audit/index.ts';
import { type BusinessSettings, getBusiness } from '../businesses/index.ts';
import type { Clock } from '../platform/clock.ts';
import { findReceipt, type Receipt } from '../receipts/index.ts';
import { insertSteps, order, type StepName } from './write-back.store.ts';

/**
 * Follows the trail: once a signature is sealed there, what is to be written to its document is
 * due.
 */
export const writeBackAfterSigning =
  (ports: { clock: Clock; touch(businessId: string): void }): AuditListener =>
  async (tx, ctx, entries) => {
    const signed = entries.filter((entry) => entry.action === 'receipt.signed');
    if (signed.length === 0) return;
    const { settings } = await getBusiness(tx);
    // Without a connection just now it is due all the same, and waits until there is one.
    if (!settings.write_back) return;
    for (const { subject } of signed) {
      const receipt = await findReceipt(tx, subject);
      if (receipt)
        await insertSteps(
          tx,
          ctx.businessId,
          receipt.id,
          stepsOf(receipt, settings),
          ports.clock.now(),
        );
    }
    ports.touch(ctx.businessId);
  };

/**
 * A test receipt of a branch that seals for real by now: written late, it would stand in the place
 * of the real one.
 */
export const isPast = (receipt: Pick<Receipt, 'environment' | 'isDeviceRetired'>): boolean =>
  receipt.environment === 'sandbox' && receipt.isDeviceRetired;

/**
 * A credit note takes no attachment in Zoho's API, and nothing of a refund is mailed: it gets its
 * fields, where it has them, and a comment.
 */
export function stepsOf(receipt: Receipt, settings: BusinessSettings): StepName[] {
  if (isPast(receipt)) return [];
  if (receipt.module !== 'invoices' || receipt.kind !== 'sale') return ['custom_fields', 'comment'];
  // What a sandbox device signed is nothing to send a buyer.
  return order.filter(
    (step) => step !== 'mail' || (settings.mail_after_seal && receipt.environment === 'production'),
  );
}
