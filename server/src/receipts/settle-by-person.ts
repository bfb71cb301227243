import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { afterDoubt, followUp, recordingOf, settleNotSigned } from './end-attempt.ts';
import type { LanePorts } from './lane-ports.ts';
import { endDoubt, isSignatureKnown, isTotalKnown, listAttempts, lockLane, recordSigned } from './lane.store.ts';
import { findReceipt, lockReceipt, type Receipt } from './receipt.store.ts';
import { isBeingReversed } from './reversal.store.ts';
import type { Signature } from './sale.model.ts';

export type Evidence =
  | {
      found: true;
      source: string;
      receipt_number: string;
      total_receipt_number: string;
      internal_data: string;
      receipt_signature: string;
      sdc_id: string;
      mrc_number?: string | undefined;
      signed_at: string;
    }
  | { found: false; source: string };

export type SettleByPerson = (ctx: Context, receiptId: string, evidence: Evidence) => Promise<Receipt>;

// Clocks of server and device differ a little.
const clockSlackMs = 10 * 60_000;

/**
 * A person with the right to settle brings what the authority holds: the receipt of a doubt, or that it holds nothing under the
 * number. What does not fit the device and its counters is not stored; what is stored names its source in the trail.
 */
export const settleByPerson =
  (ports: LanePorts): SettleByPerson =>
  async (ctx, receiptId, evidence) => {
    const settled = await ctx.transaction(async (tx) => {
      const found = await findReceipt(tx, receiptId);
      if (!found) throw new AppError('not_found');
      const device = await lockLane(tx, found.deviceId);
      const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
      const code = receipt.problem?.code;
      if (!device || receipt.state !== 'in_doubt' || receipt.invoiceNumber === null || code === 'number_collision')
        throw new AppError('wrong_state', { state: receipt.state });
      // Once its reversal is on the way the data come too late: recorded now, the document would stand for nothing.
      if (await isBeingReversed(tx, receiptId)) throw new AppError('reversal_under_way');
      const at = ports.clock.now();
      const attempts = await listAttempts(tx, receiptId, at);
      const last = attempts.at(-1);
      if (!last || attempts.some((attempt) => attempt.endedAt === null)) throw new AppError('wrong_state', { reason: 'a send is under way' });
      if (!evidence.found) {
        const isOver = attempts.every((attempt) => attempt.isSocketClosed);
        // Only once the device itself has definitely refused the last resend; before that the first request may still arrive.
        if (code !== 'maybe_signed' || !isOver || last.outcome !== 'refused')
          throw new AppError('wrong_state', { reason: 'the device has not refused the document after the doubt' });
        const problem = { code: 'device_refused', device_code: last.deviceCode ?? '', device_text: last.deviceText ?? '' } as const;
        await settleNotSigned(ports, tx, ctx, receipt, problem, evidence.source, at);
      } else {
        const dialect = ports.dialects.of(receipt.dialect);
        const signature = signatureOf(evidence, receipt);
        const earliest = (attempts[0]?.startedAt.getTime() ?? 0) - clockSlackMs;
        if (!dialect.checkEvidence(signature)) throw new AppError('evidence_mismatch', { field: 'receipt_signature' });
        if (device.sdcId !== null && signature.sdcId !== device.sdcId) throw new AppError('evidence_mismatch', { field: 'sdc_id' });
        if (signature.signedAt.getTime() < earliest || signature.signedAt.getTime() > at.getTime() + clockSlackMs)
          throw new AppError('evidence_mismatch', { field: 'signed_at' });
        if (await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId)) throw new AppError('evidence_mismatch', { field: 'receipt_signature' });
        if (await isTotalKnown(tx, signature.totalReceiptNumber, signature.sdcId)) throw new AppError('evidence_mismatch', { field: 'total_receipt_number' });
        const sending = { attemptId: last.id, invoiceNumber: receipt.invoiceNumber };
        const recording = recordingOf(ports, dialect, receipt, sending, signature, null, at);
        await recordSigned(tx, ctx.businessId, {
          ...recording,
          source: 'person',
          evidence: { ...evidence, by: ctx.actor.id },
          actor: { type: ctx.actor.type, id: ctx.actor.id },
        });
        await endDoubt(tx, receipt.id);
        await followUp(ports, tx, ctx, receipt, at);
        await afterDoubt(ports, tx, ctx, receipt.deviceId);
      }
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: receipt.deviceId });
      return (await findReceipt(tx, receiptId)) as Receipt;
    });
    ports.changed(receiptId);
    return settled;
  };

const bare = (text: string) => text.replaceAll('-', '').replaceAll(' ', '').toUpperCase();

const signatureOf = (evidence: Evidence & { found: true }, receipt: Receipt): Signature => ({
  receiptNumber: evidence.receipt_number,
  totalReceiptNumber: evidence.total_receipt_number,
  internalData: bare(evidence.internal_data),
  receiptSignature: bare(evidence.receipt_signature),
  sdcId: evidence.sdc_id,
  mrcNumber: evidence.mrc_number ?? receipt.filed.filing.mrcNumber ?? '',
  signedAt: new Date(evidence.signed_at),
});
