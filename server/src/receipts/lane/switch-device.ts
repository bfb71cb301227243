import {
  activateDevice,
  continueRun,
  type Device,
  findNextDevice,
  lockDeviceOfBranch,
  retireDevice,
  setDeviceState,
} from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { doubtOrphans } from './doubt-abandoned-sends.ts';
import { endReversal } from './end-doubt.ts';
import type { LanePorts, LaneWork } from './lane-ports.ts';
import { type DeviceSwitch, leaveDevice } from './leave-device.ts';
import { endDoubt, holdTogether, takenNumberOf } from '../receipt/doubt.store.ts';
import { lockLane } from './lane.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { settleAttempts } from '../receipt/attempt.store.ts';
import { listCollisions } from '../receipt/signature.store.ts';
import {
  hasTestReceipt,
  leaveDoubtsToPeople,
  listQueued,
  lockReceipt,
} from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export type SwitchDevice = (ctx: Context, branchId: string, given: Given) => Promise<void>;

/** What became of the device at work, in a person's words. */
type Given = { reason?: string | undefined };

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
  (ports: LanePorts): SwitchDevice =>
  async (ctx, branchId, given) => {
    await ctx.transaction((tx) => pauseForSwitch({ ports, tx, ctx }, branchId, given));
    for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
      const changed = await ctx.transaction((tx) =>
        switchIfFree({ ports, tx, ctx }, branchId, given),
      );
      if (changed) {
        for (const id of changed) ports.changed(id);
        return;
      }
      if (waitedMs >= ports.timing.switchPatienceMs) throw new AppError('device_at_work');
      await ports.wait(lookEveryMs);
    }
  };

/**
 * Pauses the lane at work, so that it is released after the send that is on its way. Whatever stands
 * in the way is refused before that.
 */
async function pauseForSwitch(
  { ports, tx, ctx }: Omit<LaneWork, 'at'>,
  branchId: string,
  given: Given,
): Promise<void> {
  const present = await lockDeviceOfBranch(tx, branchId);
  if (!present) throw new AppError('not_found');
  await checkSwitch(tx, present, await findNextDevice(tx, branchId), given);
  if (present.state !== 'active') return;
  await setDeviceState(tx, present.id, 'paused', { code: 'device_paused' });
  await ports.record(tx, ctx, {
    action: 'lane.paused',
    subject: present.id,
    after: { because: 'switch' },
  });
}

/** Refuses a switch that something stands in the way of; returns the device that follows. */
async function checkSwitch(
  tx: Tx,
  present: Device,
  next: Device | null,
  { reason }: Given,
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

/** Switches, and returns the receipts that it has changed; null: a send is on its way. */
async function switchIfFree(
  work: Omit<LaneWork, 'at'>,
  branchId: string,
  given: Given,
): Promise<string[] | null> {
  const { ports, tx } = work;
  const { old, lane } = await lockBoth(tx, branchId);
  const next = await checkSwitch(tx, old, await findNextDevice(tx, branchId), given);
  const at = ports.clock.now();
  if (lane.laneHolder && lane.laneUntil && lane.laneUntil > at) return null;
  if (lane.openAttempt !== null && ports.underWay.has(lane.openAttempt)) return null;
  return putInPlace({ ...work, at, old, next, lane }, given);
}

/** Locks both lanes: locks of several are taken in the order of their ids. */
async function lockBoth(tx: Tx, branchId: string): Promise<{ old: Device; lane: LaneDevice }> {
  const found = await findNextDevice(tx, branchId);
  if (!found?.succeeds) throw new AppError('next_device_unready');
  const lanes = new Map<string, LaneDevice>();
  for (const id of [found.id, found.succeeds].toSorted())
    lanes.set(id, (await lockLane(tx, id)) as LaneDevice);
  const old = (await lockDeviceOfBranch(tx, branchId)) as Device;
  const lane = lanes.get(found.succeeds) as LaneDevice;
  if (old.id !== lane.id || lane.state !== 'paused')
    throw new AppError('wrong_state', { state: lane.state });
  return { old, lane };
}

async function putInPlace(change: DeviceSwitch, given: Given): Promise<string[]> {
  const { ports, tx, ctx, at, old, next, lane } = change;
  // Whoever sent it is gone: nobody will ever say how it ended.
  const orphans = await doubtOrphans(change, lane);
  await retireDevice(tx, old.id, at);
  await continueRun(tx, next.id);
  await activateDevice(tx, next.id, at);
  const counts = { moved: 0, closed: 0, doubtful: 0 };
  const queued = await listQueued(tx, old.id);
  await holdTogether(tx, old.id, null, queued);
  for (const id of queued) counts[await leaveDevice(change, id)] += 1;
  const collided = await closeCollisions(change);
  counts.closed += collided.length;
  await leaveDoubtsToPeople(tx, old.id);
  // Nothing of it works any more, and so nothing would end them; but its keys are still to be seen
  // to.
  await ports.alerts.resolveAllOf(tx, ctx, old.id, ['keys_set_aside']);
  await recordSwitch(change, { ...given, ...counts });
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: next.id });
  return [...orphans, ...queued, ...collided];
}

/**
 * Closes what was left behind at a rehearsal: that none of these was signed under the number of
 * another program the device has said itself.
 */
async function closeCollisions(change: DeviceSwitch): Promise<string[]> {
  const { ports, tx, ctx, at, old } = change;
  const collisions = await listCollisions(tx, old.id);
  for (const { id, invoiceNumber } of collisions) {
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
    await endReversal(change, receipt, { code: 'device_retired' });
  }
  return collisions.map(({ id }) => id);
}

const recordSwitch = (
  { ports, tx, ctx, old, next, lane }: DeviceSwitch,
  outcome: object,
): Promise<void> =>
  ports.record(tx, ctx, {
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
      ...outcome,
    },
  });
