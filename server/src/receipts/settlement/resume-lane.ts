import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import { lockDeviceOfBranch, moveCounter, setDeviceState } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Queue } from '../../platform/queue/queue.ts';
import {
  countOwnNumbers,
  explainAllTotals,
  explainTotals,
  listCollisions,
} from '../receipt/signature.store.ts';
import { endDoubt, takenNumberOf } from '../receipt/doubt.store.ts';
import { retryNow } from '../lane/lane.store.ts';
import { settleAttempts } from '../receipt/attempt.store.ts';
import { doubtAnother } from '../lane/doubt-another.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export type ResumeLane = (
  ctx: Context,
  branchId: string,
  given: { last_invoice_number?: string | undefined; evidence?: string | undefined },
) => Promise<void>;

/**
 * Sends again. After a collision a person says, with evidence, which number the other writer used
 * last: the counter moves behind it and the document that met the taken number is numbered anew. So
 * they do where the number may be one of several documents of ours, whatever has become of those
 * meanwhile: each of them waits for itself, and what the other writer used behind it is asked of
 * nobody else. After a jump of the total a person says, with evidence, whose the receipts are that
 * are not ours; what was signed up to then is accounted for.
 */
export const resumeLane =
  (ports: {
    record: Recorder;
    alerts: Pick<Alerts, 'raise' | 'resolve'>;
    clock: Clock;
    queue: Pick<Queue, 'wakeLane'>;
    changed(id: string): void;
  }): ResumeLane =>
  async (ctx, branchId, given) => {
    const renumbered = await ctx.transaction(async (tx) => {
      const device = await lockDeviceOfBranch(tx, branchId);
      if (!device) throw new AppError('not_found');
      if (device.state !== 'paused') throw new AppError('wrong_state', { state: device.state });
      // First: what a collision explains besides came after the last total that is known.
      if (device.problem?.code === 'total_jumped') {
        if (!given.evidence)
          throw new AppError('malformed', {
            field: 'evidence',
            reason: 'whose the receipts are that are not ours has to be said',
          });
        const { last_invoice_number: last } = given;
        if (last && BigInt(last) >= BigInt(device.nextInvoiceNumber ?? '1'))
          await moveCounter(tx, device.id, last);
        await explainAllTotals(tx, device.id);
      }
      const collisions = await listCollisions(tx, device.id);
      const met = collisions.map((each) => BigInt(each.invoiceNumber));
      const taken = takenNumberOf(device.problem);
      if (met.length > 0 || taken !== null) {
        const last = given.last_invoice_number;
        if (!last)
          throw new AppError('malformed', {
            field: 'last_invoice_number',
            reason: 'after a collision the last number is needed',
          });
        if (!given.evidence)
          throw new AppError('malformed', {
            field: 'evidence',
            reason: 'after a collision the evidence is needed',
          });
        const most = [...met, ...(taken === null ? [] : [taken])].reduce((highest, each) =>
          each > highest ? each : highest,
        );
        if (BigInt(last) < most)
          throw new AppError('malformed', {
            field: 'last_invoice_number',
            reason: `the device has taken ${most}`,
          });
        await moveCounter(tx, device.id, last);
        // Whose a number without a collision is, is said of the documents that may be signed under
        // it: here only what comes behind it is.
        const first =
          met.length > 0 ? met.reduce((least, each) => (each < least ? each : least)) : most + 1n;
        const own = await countOwnNumbers(tx, device.id, first, BigInt(last));
        await explainTotals(tx, device.id, (BigInt(last) - first + 1n - own).toString());
        const at = ports.clock.now();
        for (const doubt of collisions) {
          const receipt = (await lockReceipt(tx, doubt.id)) as Receipt;
          await settleAttempts(tx, doubt.id, 'not_ours', { invoiceNumber: doubt.invoiceNumber });
          await recordState(
            tx,
            doubt.id,
            { state: 'queued', problem: null, about: doubt.invoiceNumber },
            at,
          );
          await endDoubt(tx, doubt.id);
          await doubtAnother({ ports, tx, ctx, at }, receipt);
        }
      }
      await setDeviceState(tx, device.id, 'active', null);
      // The later of two reasons stands at the device; whoever resumes it has answered both.
      await ports.alerts.resolve(tx, ctx, device.id, [
        'number_collision',
        'total_jumped',
        ...(device.problem ? [device.problem.code] : []),
      ]);
      await retryNow(tx, device.id);
      await ports.record(tx, ctx, {
        action: 'lane.resumed',
        subject: device.id,
        before: device.problem,
        after: given,
      });
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: device.id });
      return collisions.map((doubt) => doubt.id);
    });
    for (const id of renumbered) ports.changed(id);
  };
