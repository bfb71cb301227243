import { type Device, findDevice } from '../../branches/index.ts';
import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { doubtOrphans } from './doubt-orphans.ts';
import type { LanePorts } from './lane-ports.ts';
import { extendLease, lockLane } from './lane.store.ts';
import { nextStep, type Step } from './next-step.ts';
import { send } from './send-attempt.ts';
import { probe } from './probe-device.ts';
import { register } from './register-head-items.ts';
import { readAgain } from './refresh-document.ts';
import { release, waitAndRelease } from './release-lane.ts';

/** Answers when the lane should be looked at again, if that is known. */
export type RunLane = (ctx: Context, deviceId: string) => Promise<Date | null>;

/**
 * Works a device's lane until nothing may go: one document at a time, in order. The lease on the
 * device's row makes it the only one over any number of processes; every number is given and every
 * outcome recorded under that row's lock, so that two lanes by mistake would still not send two
 * documents under one number.
 */
export const runLane =
  (ports: LanePorts): RunLane =>
  async (ctx, deviceId) => {
    const device = await take(ports, ctx, deviceId);
    if (!device) return null;
    const dialect = ports.dialects.of(device.dialect);
    let isServing = false;
    let isSurprised = false;
    let decided: Step | null = null;
    try {
      for (;;) {
        const step: Step =
          decided ??
          (await ctx.transaction((tx) =>
            nextStep(ports, ctx, device, dialect, isServing, tx, null),
          ));
        decided = null;
        switch (step.do) {
          case 'stop':
            return null;
          case 'wait':
            return step.until;
          case 'probe':
            isServing = await probe(ports, ctx, device, dialect, step.named);
            if (!isServing) return waitAndRelease(ports, ctx, deviceId, ports.timing.retryMaxMs);
            break;
          case 'register': {
            const wait = await register(ports, ctx, device, step.head);
            if (wait) return wait;
            break;
          }
          case 'read':
            await readAgain(ports, ctx, deviceId, step.head);
            break;
          case 'send': {
            const { after, next } = await send(ports, ctx, device, dialect, isServing, step);
            decided = next;
            ports.changed(step.sending.receiptId);
            if (after.is === 'stop') return release(ports, ctx, deviceId, null);
            if (after.is === 'wait') return release(ports, ctx, deviceId, after.until);
          }
        }
      }
    } catch (error) {
      ports.log.error(
        { business_id: ctx.businessId, device_id: deviceId, error: (error as Error).stack },
        'a lane stopped by surprise',
      );
      isSurprised = true;
      await ports.worked(ctx, deviceId, error as Error);
      return waitAndRelease(ports, ctx, deviceId, ports.timing.retryFirstMs).catch(() => null);
    } finally {
      if (!isSurprised) await ports.worked(ctx, deviceId, null);
    }
  };

/** Takes the lease, unless another worker has it. Sends that a gone worker began become doubts. */
async function take(ports: LanePorts, ctx: Context, deviceId: string): Promise<Device | null> {
  const touched: string[] = [];
  const device = await ctx.transaction(async (tx) => {
    const lane = await lockLane(tx, deviceId);
    const now = ports.clock.now();
    if (!lane || lane.state !== 'active') return null;
    // Nothing is sent in the name of a business that is suspended or closed; its documents keep
    // their places.
    if (!['active', 'pending'].includes((await getBusiness(tx)).status)) return null;
    if (
      lane.laneHolder &&
      lane.laneHolder !== ports.worker &&
      lane.laneUntil &&
      lane.laneUntil > now
    ) {
      // Whoever holds it looks once more before letting go; the call at the lease's end is for the
      // case that it never gets there.
      await ports.queue.wakeLane(
        tx,
        { business_id: ctx.businessId, device_id: deviceId },
        lane.laneUntil,
      );
      return null;
    }
    touched.push(...(await doubtOrphans({ ports, tx, ctx, at: now }, lane)));
    await extendLease(tx, deviceId, ports.worker, new Date(now.getTime() + ports.timing.leaseMs));
    return findDevice(tx, deviceId);
  });
  for (const id of touched) ports.changed(id);
  return device;
}
