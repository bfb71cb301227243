import {
  activateDevice,
  continueRun,
  type Device,
  findNextDevice,
  lockDeviceOfBranch,
  retireDevice,
  setDeviceState,
} from '../../branches/index.ts';
import { hasUnregistered } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { doubtOrphans } from './doubt-orphans.ts';
import { endReversal } from './end-doubt.ts';
import type { LanePorts } from './lane-ports.ts';
import {
  beginDoubt,
  endDoubt,
  holdTogether,
  makeDoubtful,
  takenNumberOf,
} from '../receipt/doubt.store.ts';
import { giveBackNumber, lockLane, readAnew } from './lane.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { listAttempts, settleAttempts } from '../receipt/attempt.store.ts';
import { listCollisions } from '../receipt/signature.store.ts';
import { moveTo } from './move-receipt.ts';
import { provablyNotLeft } from '../receipt/receipt.model.ts';
import {
  hasTestReceipt,
  leaveDoubtsToPeople,
  listQueued,
  lockReceipt,
} from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

type Ports = LanePorts;

export type SwitchDevice = (
  ctx: Context,
  branchId: string,
  given: { reason?: string | undefined },
) => Promise<void>;

const lookEveryMs = 100;

/**
 * Puts the prepared device of a branch in the place of the one at work: to production after a
 * rehearsal, or in the place of a device that is gone. Under the locks of both lanes, with no send
 * open at the old one, whose waiting documents are closed with nothing sent: after a rehearsal for
 * good, since until this moment another system sealed for real; otherwise they go on at the
 * successor, whose run begins behind everything ever frozen on the branch. What may have been
 * signed at the old device stays its own, and is settled by evidence: from now on nothing is ever
 * sent to it. Errors: `next_device_unready`, `rehearsal_missing`, `collision_open`, `total_jumped`,
 * `device_at_work`.
 */
export const switchDevice =
  (ports: Ports): SwitchDevice =>
  async (ctx, branchId, given) => {
    await ctx.transaction((tx) => pause(ports, tx, ctx, branchId, given));
    for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
      const touched = await ctx.transaction((tx) => switchIfFree(ports, tx, ctx, branchId, given));
      if (touched) {
        for (const id of touched) ports.changed(id);
        return;
      }
      if (waitedMs >= ports.timing.switchPatienceMs) throw new AppError('device_at_work');
      await ports.wait(lookEveryMs);
    }
  };

/**
 * Whatever stands in the way is said before the lane is paused; paused, it lets go after the send
 * that is on its way.
 */
async function pause(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  branchId: string,
  given: { reason?: string | undefined },
): Promise<void> {
  const present = await lockDeviceOfBranch(tx, branchId);
  if (!present) throw new AppError('not_found');
  await checkWays(tx, present, await findNextDevice(tx, branchId), given);
  if (present.state !== 'active') return;
  await setDeviceState(tx, present.id, 'paused', { code: 'device_paused' });
  await ports.record(tx, ctx, {
    action: 'lane.paused',
    subject: present.id,
    after: { because: 'switch' },
  });
}

async function checkWays(
  tx: Tx,
  present: Device,
  next: Device | null,
  { reason }: { reason?: string | undefined },
): Promise<Device> {
  if (!next || next.sdcId === null) throw new AppError('next_device_unready');
  const isRehearsed = present.environment === 'sandbox' && next.environment === 'production';
  if (isRehearsed && !(await hasTestReceipt(tx, present.branchId)))
    throw new AppError('rehearsal_missing');
  if (!isRehearsed && !reason)
    throw new AppError('malformed', {
      field: 'reason',
      reason: 'what became of the device at work has to be said',
    });
  if (
    !isRehearsed &&
    ((await listCollisions(tx, present.id)).length > 0 || takenNumberOf(present.problem) !== null)
  )
    throw new AppError('collision_open');
  // Whose the receipts are that are not ours is asked of this device, and would be forgotten with
  // it.
  if (!isRehearsed && present.problem?.code === 'total_jumped')
    throw new AppError('total_jumped', present.problem);
  return next;
}

/** The receipts it touched, or null while a send is on its way. */
async function switchIfFree(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  branchId: string,
  given: { reason?: string | undefined },
): Promise<string[] | null> {
  const found = await findNextDevice(tx, branchId);
  if (!found?.succeeds) throw new AppError('next_device_unready');
  // Locks of several lanes are taken in the order of their ids.
  const lanes = new Map<string, LaneDevice>();
  for (const id of [found.id, found.succeeds].toSorted())
    lanes.set(id, (await lockLane(tx, id)) as LaneDevice);
  const old = (await lockDeviceOfBranch(tx, branchId)) as Device;
  const lane = lanes.get(found.succeeds) as LaneDevice;
  if (old.id !== lane.id || lane.state !== 'paused')
    throw new AppError('wrong_state', { state: lane.state });
  const next = await checkWays(tx, old, await findNextDevice(tx, branchId), given);
  const at = ports.clock.now();
  if (lane.laneHolder && lane.laneUntil && lane.laneUntil > at) return null;
  if (lane.openAttempt !== null && ports.underWay.has(lane.openAttempt)) return null;
  const touched: string[] = [];
  // Whoever sent it is gone: nobody will ever say how it ended.
  touched.push(...(await doubtOrphans({ ports, tx, ctx, at }, lane)));
  await retireDevice(tx, old.id, at);
  await continueRun(tx, next.id);
  await activateDevice(tx, next.id, at);
  const goesOn = old.environment === next.environment;
  const counts = { moved: 0, closed: 0, doubtful: 0 };
  const queued = await listQueued(tx, old.id);
  await holdTogether(tx, old.id, null, queued);
  for (const id of queued) {
    counts[await leave(ports, tx, ctx, id, goesOn ? next : null, lane, at)] += 1;
    touched.push(id);
  }
  // Left behind at a rehearsal: that none of these was signed under the number of another program
  // the device has said itself.
  for (const { id, invoiceNumber } of await listCollisions(tx, old.id)) {
    const receipt = (await lockReceipt(tx, id)) as Receipt;
    await settleAttempts(tx, id, 'not_ours', { invoiceNumber });
    await recordState(
      tx,
      id,
      { state: 'withdrawn', problem: { code: 'device_retired' }, about: invoiceNumber },
      at,
    );
    await endDoubt(tx, id);
    await ports.record(tx, ctx, {
      action: 'receipt.withdrawn',
      subject: id,
      after: { because: 'device_retired', taken_number: invoiceNumber },
    });
    await endReversal({ ports, tx, ctx, at }, receipt, { code: 'device_retired' });
    counts.closed += 1;
    touched.push(id);
  }
  await leaveDoubtsToPeople(tx, old.id);
  // Nothing of it works any more, and so nothing would end them; but its keys are still to be seen
  // to.
  await ports.alerts.resolveAllOf(tx, ctx, old.id, ['keys_set_aside']);
  await ports.record(tx, ctx, {
    action: 'device.switched',
    subject: next.id,
    before: {
      device_id: old.id,
      serial: old.serial,
      environment: old.environment,
      sdc_id: old.sdcId,
      next_invoice_number: lane.nextInvoiceNumber,
    },
    after: {
      serial: next.serial,
      environment: next.environment,
      sdc_id: next.sdcId,
      ...given,
      ...counts,
    },
  });
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: next.id });
  return touched;
}

/**
 * A document that waited at the old device: nothing of it is sent there any more, and what may have
 * left is a doubt.
 */
async function leave(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  id: string,
  next: Device | null,
  lane: LaneDevice,
  at: Date,
): Promise<'moved' | 'closed' | 'doubtful'> {
  const receipt = (await lockReceipt(tx, id)) as Receipt;
  const { invoiceNumber } = receipt;
  const own = (await listAttempts(tx, id, at)).filter(
    (attempt) => attempt.invoiceNumber === invoiceNumber,
  );
  if (invoiceNumber !== null && !provablyNotLeft(own)) {
    await makeDoubtful(tx, id, invoiceNumber);
    const problem = { code: 'maybe_signed' } as const;
    await beginDoubt(
      tx,
      id,
      { problem, invoiceNumber, nextTryAt: null, totalBefore: lane.lastTotal },
      at,
    );
    await ports.record(tx, ctx, {
      action: 'receipt.doubted',
      subject: id,
      before: { state: receipt.state },
      after: problem,
    });
    return 'doubtful';
  }
  if (invoiceNumber !== null) await giveBackNumber(tx, receipt.deviceId, invoiceNumber);
  // A reversal undoes what one device has signed, under that device's number: it goes nowhere else.
  if (!next || receipt.filed.terms.reverses) {
    await recordState(
      tx,
      id,
      { state: 'withdrawn', problem: { code: 'device_retired' }, about: invoiceNumber },
      at,
    );
    await ports.record(tx, ctx, {
      action: 'receipt.withdrawn',
      subject: id,
      after: { because: 'device_retired', returned_number: invoiceNumber },
    });
    await endReversal({ ports, tx, ctx, at }, receipt, { code: 'device_retired' });
    return 'closed';
  }
  const { sale } = receipt.filed;
  const codes = sale.lines.map((line) => line.itemCode);
  const opened = await moveTo(ports, tx, ctx, receipt, {
    filed: receipt.filed,
    documentHash: receipt.documentHash,
    answers: receipt.answers,
    documentNumber: receipt.documentNumber,
    documentDate: receipt.documentDate,
    branchId: next.branchId,
    deviceId: next.id,
    saleReceiptId: receipt.saleReceiptId,
    needsRegistering: await hasUnregistered(tx, next.id, codes),
  });
  // Nothing is frozen of what was read for the old device.
  await readAnew(tx, opened);
  return 'moved';
}
