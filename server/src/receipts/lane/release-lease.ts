import type { Context } from '../../context.ts';
import type { LanePorts } from './lane-ports.ts';
import { clearLease, lockLane } from './lane.store.ts';

/** Releases the lane's lease and, where there is a next time, has the lane called again then. */
export const releaseLease = (
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
  until: Date | null,
): Promise<Date | null> =>
  ctx.transaction(async (tx) => {
    const lane = await lockLane(tx, deviceId);
    if (lane?.laneHolder === ports.worker) await clearLease(tx, deviceId, until);
    if (until)
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: deviceId }, until);
    return until;
  });
