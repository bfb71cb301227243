import type { AuditListener } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import { findReceipt } from '../receipts/index.ts';
import { insertMessage, listEndpoints } from './webhook.store.ts';

/** What the trail calls it, and what those who are told call it. */
const events: Record<string, string> = {
  'receipt.opened': 'receipt.opened',
  'receipt.signed': 'receipt.signed',
  'receipt.refused': 'receipt.refused',
  'receipt.doubted': 'receipt.in_doubt',
  'receipt.answer_lost': 'receipt.in_doubt',
  'receipt.withdrawn': 'receipt.withdrawn',
  'receipt.settled_not_signed': 'receipt.settled',
};

/**
 * Follows the trail: what happened to a receipt is told to whoever asked for it, once it stands in
 * the chain.
 */
export const queueReceiptEvents =
  (ports: { clock: Clock; newId: NewId; touch(businessId: string): void }): AuditListener =>
  async (tx, ctx, entries) => {
    const told = entries.flatMap((entry) =>
      events[entry.action] ? [{ entry, event: events[entry.action] as string }] : [],
    );
    if (told.length === 0) return;
    const webhookEndpoints = await listEndpoints(tx);
    if (webhookEndpoints.length === 0) return;
    for (const { entry, event } of told) {
      const receipt = await findReceipt(tx, entry.subject);
      if (!receipt) continue;
      const { signature } = receipt;
      const body = JSON.stringify({
        type: event,
        timestamp: entry.at,
        data: {
          receipt_id: receipt.id,
          module: receipt.module,
          document_id: receipt.documentId,
          document_number: receipt.documentNumber,
          kind: receipt.kind,
          environment: receipt.environment,
          state: receipt.state,
          total: receipt.filed.sale.total,
          currency: receipt.filed.sale.currency,
          ...(event === 'receipt.signed' && signature
            ? {
                receipt_number: signature.receiptNumber,
                total_receipt_number: signature.totalReceiptNumber,
                label: signature.label,
                sdc_id: signature.sdcId,
                receipt_signature: signature.receiptSignature,
                verification_url: signature.verificationUrl,
                signed_at: signature.signedAt.toISOString(),
              }
            : {}),
        },
      });
      for (const endpoint of webhookEndpoints.filter((each) => each.events.includes(event)))
        await insertMessage(
          tx,
          ctx.businessId,
          { id: ports.newId('webhook_message'), endpointId: endpoint.id, event, body },
          ports.clock.now(),
        );
    }
    ports.touch(ctx.businessId);
  };

/** Queues an event that is not about a receipt, in the caller's transaction. */
export const queueEvent =
  (ports: { clock: Clock; newId: NewId; touch(businessId: string): void }) =>
  async (tx: Tx, ctx: Context, event: string, data: object): Promise<void> => {
    const endpoints = (await listEndpoints(tx)).filter((each) => each.events.includes(event));
    const at = ports.clock.now();
    const body = JSON.stringify({ type: event, timestamp: at.toISOString(), data });
    for (const { id } of endpoints)
      await insertMessage(
        tx,
        ctx.businessId,
        { id: ports.newId('webhook_message'), endpointId: id, event, body },
        at,
      );
    if (endpoints.length > 0) ports.touch(ctx.businessId);
  };
