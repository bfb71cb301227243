import type { Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';

/** The holder of a lane that was stopped under its worker. */
export const stoppedLane = 'nobody';

/**
 * Stops every lane: its worker goes no further than the send that is on its way. What waits keeps
 * its place, and is sent once the lane may be leased again.
 */
export async function stopLanes(tx: Tx): Promise<void> {
  await holdDevices(tx);
  await query(tx, 'update device set lane_holder = $1 where lane_holder is not null', [
    stoppedLane,
  ]);
}

/** Erases the keys of a closed business's devices and stops their lanes. */
export async function eraseDevices(tx: Tx): Promise<void> {
  await holdDevices(tx);
  await query(
    tx,
    "update device set secrets = null, keys_aside = null, state = case when state in ('new', 'retired') then state else 'paused' end",
  );
}

/**
 * Locks every device in the order in which a switch locks two: an update of several rows would lock
 * them as it meets them.
 */
const holdDevices = (tx: Tx) => query(tx, 'select 1 from device order by id for no key update');
