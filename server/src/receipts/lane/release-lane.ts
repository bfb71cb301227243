import type { Context } from '../../context.ts';
import type { LanePorts } from './lane-ports.ts';
import { lockLane, releaseLane } from './lane.store.ts';

/** Lets the lane go and, where there is a next time, has it called again then. */
export const release = (
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
  until: Date | null,
): Promise<Date | null> =>
  ctx.transaction(async (tx) => {
    const lane = await lockLane(tx, deviceId);
    if (lane?.laneHolder === ports.worker) await releaseLane(tx, deviceId, until);
    if (until)
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: deviceId }, until);
    return until;
  });

export const waitAndRelease = (ports: LanePorts, ctx: Context, deviceId: string, ms: number) =>
  release(ports, ctx, deviceId, new Date(ports.clock.now().getTime() + ms));
