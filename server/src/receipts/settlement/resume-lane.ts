import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import {
  type Device,
  lockDeviceOfBranch,
  moveCounter,
  setDeviceState,
} from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
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
import { rangeOf } from './foreign-numbers.model.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

type Given = { last_invoice_number?: string | undefined; evidence?: string | undefined };
type Ports = {
  record: Recorder;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  clock: Clock;
  queue: Pick<Queue, 'wakeLane'>;
  changed(id: string): void;
};
type ResumeWork = { ports: Ports; tx: Tx; ctx: Context };

export type ResumeLane = (ctx: Context, branchId: string, given: Given) => Promise<void>;

/**
 * Sends again. After a collision a person says, with evidence, which number the other writer used
 * last: the counter moves behind it and the document that met the taken number is numbered anew. So
 * they do where the number may be one of several documents of ours, whatever has become of those
 * meanwhile: each of them waits for itself, and what the other writer used behind it is asked of
 * nobody else. After a jump of the total a person says, with evidence, whose the receipts are that
 * are not ours; what was signed up to then is accounted for.
 */
export const resumeLane =
  (ports: Ports): ResumeLane =>
  async (ctx, branchId, given) => {
    const renumbered = await ctx.transaction((tx) => resume({ ports, tx, ctx }, branchId, given));
    for (const id of renumbered) ports.changed(id);
  };

/** Resumes the lane, and returns the receipts that get another number. */
async function resume(work: ResumeWork, branchId: string, given: Given): Promise<string[]> {
  const { ports, tx, ctx } = work;
  const device = await lockDeviceOfBranch(tx, branchId);
  if (!device) throw new AppError('not_found');
  if (device.state !== 'paused') throw new AppError('wrong_state', { state: device.state });
  // First: what a collision explains besides came after the last total that is known.
  if (device.problem?.code === 'total_jumped') await explainJump(tx, device, given);
  const collisions = await listCollisions(tx, device.id);
  const met = collisions.map((each) => BigInt(each.invoiceNumber));
  const taken = takenNumberOf(device.problem);
  if (met.length > 0 || taken !== null) {
    const last = lastNumberOf(given);
    const { first, most } = rangeOf(met, taken);
    if (last < most) throw malformed('last_invoice_number', `the device has taken ${most}`);
    await moveCounter(tx, device.id, last.toString());
    const own = await countOwnNumbers(tx, device.id, first, last);
    await explainTotals(tx, device.id, (last - first + 1n - own).toString());
    await renumber({ ...work, at: ports.clock.now() }, collisions);
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
}

async function explainJump(tx: Tx, device: Device, given: Given): Promise<void> {
  if (!given.evidence)
    throw malformed('evidence', 'whose the receipts are that are not ours has to be said');
  const { last_invoice_number: last } = given;
  if (last && BigInt(last) >= BigInt(device.nextInvoiceNumber ?? '1'))
    await moveCounter(tx, device.id, last);
  await explainAllTotals(tx, device.id);
}

/** Returns the last number the other writer has used, as a person says with evidence. */
function lastNumberOf({ last_invoice_number: last, evidence }: Given): bigint {
  if (!last) throw malformed('last_invoice_number', 'after a collision the last number is needed');
  if (!evidence) throw malformed('evidence', 'after a collision the evidence is needed');
  return BigInt(last);
}

async function renumber(
  work: ResumeWork & { at: Date },
  collisions: { id: string; invoiceNumber: string }[],
): Promise<void> {
  const { tx, at } = work;
  for (const { id, invoiceNumber } of collisions) {
    const receipt = (await lockReceipt(tx, id)) as Receipt;
    await settleAttempts(tx, id, 'not_ours', { invoiceNumber });
    await recordState(tx, id, { state: 'queued', problem: null, about: invoiceNumber }, at);
    await endDoubt(tx, id);
    await doubtAnother(work, receipt);
  }
}

const malformed = (field: string, reason: string) => new AppError('malformed', { field, reason });
