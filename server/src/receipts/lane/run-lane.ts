import { type Device, findDevice } from '../../branches/index.ts';
import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import { doubtOrphans } from './doubt-abandoned-sends.ts';
import type { LanePorts, LaneRun } from './lane-ports.ts';
import type { LaneDevice } from './lane.model.ts';
import { extendLease, lockLane } from './lane.store.ts';
import { nextStep, type Step } from './next-step.ts';
import { sendAttempt } from './send-attempt.ts';
import { probeDevice } from './probe-device.ts';
import { registerHeadItems } from './register-head-items.ts';
import { refreshDocument } from './refresh-document.ts';
import { releaseLease } from './release-lease.ts';

/** Returns when to run the lane next; null: something else will wake it. */
export type RunLane = (ctx: Context, deviceId: string) => Promise<Date | null>;

/** When a lane goes on, and whether its lease has been released already. */
type LaneEnd = { until: Date | null; isReleased: boolean };

/**
 * Works a device's lane until nothing may go: one document at a time, in order. The lease on the
 * device's row makes it the only one over any number of processes; every number is given and every
 * outcome recorded under that row's lock, so that two lanes by mistake would still not send two
 * documents under one number.
 */
export const runLane =
  (ports: LanePorts): RunLane =>
  async (ctx, deviceId) => {
    const device = await acquireLease(ports, ctx, deviceId);
    if (!device) return null;
    const dialect = ports.dialects.of(device.dialect);
    let isSurprised = false;
    try {
      const end = await workLane(ports, { ctx, device, dialect, isServing: false });
      return end.isReleased ? end.until : releaseLease(ports, ctx, deviceId, end.until);
    } catch (error) {
      ports.log.error(
        { business_id: ctx.businessId, device_id: deviceId, error: (error as Error).stack },
        'a lane stopped by surprise',
      );
      isSurprised = true;
      await ports.worked(ctx, deviceId, error as Error);
      const until = fromNow(ports, ports.timing.retryFirstMs);
      return releaseLease(ports, ctx, deviceId, until).catch(() => null);
    } finally {
      if (!isSurprised) await ports.worked(ctx, deviceId, null);
    }
  };

async function workLane(ports: LanePorts, start: LaneRun): Promise<LaneEnd> {
  const { ctx, device } = start;
  let run = start;
  let decided: Step | null = null;
  for (;;) {
    const step: Step = decided ?? (await ctx.transaction((tx) => nextStep(ports, run, tx, null)));
    decided = null;
    switch (step.do) {
      case 'stop':
        return { until: null, isReleased: true };
      case 'wait':
        return { until: step.until, isReleased: true };
      case 'probe':
        run = { ...run, isServing: await probeDevice(ports, run, step.named) };
        if (!run.isServing)
          return { until: fromNow(ports, ports.timing.retryMaxMs), isReleased: false };
        break;
      case 'register': {
        const until = await registerHeadItems(ports, run, step.head);
        if (until) return { until, isReleased: true };
        break;
      }
      case 'read':
        await refreshDocument(ports, ctx, device.id, step.head);
        break;
      case 'send': {
        const { after, next } = await sendAttempt(ports, run, step);
        decided = next;
        ports.changed(step.sending.receiptId);
        if (after.is === 'stop') return { until: null, isReleased: false };
        if (after.is === 'wait') return { until: after.until, isReleased: false };
      }
    }
  }
}

const fromNow = ({ clock }: LanePorts, ms: number): Date => new Date(clock.now().getTime() + ms);

/**
 * Acquires the lane's lease, unless another worker holds it. Sends that a gone worker began become
 * doubts.
 */
async function acquireLease(
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
): Promise<Device | null> {
  const changed: string[] = [];
  const device = await ctx.transaction(async (tx) => {
    const lane = await lockLane(tx, deviceId);
    const at = ports.clock.now();
    if (!lane || !(await mayWork(tx, lane))) return null;
    if (isHeldByAnother(lane, ports.worker, at)) {
      // The holder checks for work once more before it releases the lease. This call, at the
      // lease's end, covers a holder that crashed.
      await ports.queue.wakeLane(
        tx,
        { business_id: ctx.businessId, device_id: deviceId },
        lane.laneUntil,
      );
      return null;
    }
    changed.push(...(await doubtOrphans({ ports, tx, ctx, at }, lane)));
    await extendLease(tx, deviceId, ports.worker, new Date(at.getTime() + ports.timing.leaseMs));
    return findDevice(tx, deviceId);
  });
  for (const id of changed) ports.changed(id);
  return device;
}

/**
 * Says whether anything may be sent at all: nothing is in the name of a business that is suspended
 * or closed. Its documents keep their places.
 */
const mayWork = async (tx: Tx, lane: LaneDevice): Promise<boolean> =>
  lane.state === 'active' && ['active', 'pending'].includes((await getBusiness(tx)).status);

const isHeldByAnother = (
  lane: LaneDevice,
  worker: string,
  now: Date,
): lane is LaneDevice & { laneUntil: Date } =>
  lane.laneHolder !== null &&
  lane.laneHolder !== worker &&
  lane.laneUntil !== null &&
  lane.laneUntil > now;
