import { findDevice } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import { listAttempts, type UnderWay } from '../receipt/attempt.store.ts';
import { sendInDoubt } from '../receipt/receipt.model.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import { findReceipt, readDoubt } from '../receipt/receipt.store.ts';
import { offerKept } from './evidence-from-answer.ts';

export type DescribeDoubt = (ctx: Context, receiptId: string) => Promise<Doubt>;
type Doubt = Awaited<ReturnType<ReturnType<typeof describeDoubt>>>;

/**
 * Everything a person needs who has to find out what became of a document: the exact request, every
 * send and what came back, and the device's counter before the doubt and now. Times in UTC.
 */
export const describeDoubt =
  (ports: { clock: Clock; dialects: Dialects; underWay: UnderWay }) =>
  (ctx: Context, receiptId: string) =>
    ctx.transaction(async (tx) => {
      const receipt = await findReceipt(tx, receiptId);
      if (!receipt) throw new AppError('not_found');
      const { since, totalBefore, nextTryAt } = await readDoubt(tx, receiptId);
      const device = await findDevice(tx, receipt.deviceId);
      const at = ports.clock.now();
      const attempts = await listAttempts(tx, receiptId, at, ports.underWay);
      const offered = device && (await offerKept({ ports, tx, receipt, device, attempts, at }));
      const own = attempts.filter((attempt) => attempt.invoiceNumber === receipt.invoiceNumber);
      return {
        invoice_number: receipt.invoiceNumber,
        request: (sendInDoubt(attempts, receipt.invoiceNumber) ?? own.at(-1))?.request ?? null,
        since: since?.toISOString() ?? null,
        /** When the same bytes are sent again; null: nothing more happens by itself. */
        next_try_at: receipt.state === 'in_doubt' ? (nextTryAt?.toISOString() ?? null) : null,
        total_before: totalBefore,
        total_now: device?.lastTotalReceiptNumber ?? null,
        sdc_id: device?.sdcId ?? null,
        /** A whole signature from an answer that is kept: to be confirmed instead of typed. */
        offered,
        sends: attempts.map((attempt) => ({
          invoice_number: attempt.invoiceNumber,
          is_resend: attempt.isResend,
          started_at: attempt.startedAt.toISOString(),
          ended_at: attempt.endedAt?.toISOString() ?? null,
          outcome: attempt.outcome,
          device_code: attempt.deviceCode,
          device_text: attempt.deviceText,
          answer: attempt.response?.text ?? null,
          may_still_answer: !attempt.isSocketClosed,
        })),
      };
    });
