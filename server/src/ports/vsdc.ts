import type { DeviceAnswer, DeviceRequest } from './dialect/index.ts';

/** Where a device is: its address as the business gave it, and how it is reached. */
type DeviceTarget = { address: string; transport: 'direct' | 'agent' };

/**
 * What became of a request. `unreachable` only when it was provably not written. `in_doubt`: it may
 * have been read; `late` resolves when the socket is closed, with the answer if one still came; at
 * once for all but a sale.
 */
export type Sent =
  | { is: 'answered'; answer: DeviceAnswer }
  | { is: 'unreachable'; reason: string }
  | { is: 'address_refused'; reason: string }
  | { is: 'in_doubt'; reason: string; late: Promise<DeviceAnswer | null> };

/**
 * On whose behalf, and what for: a sale may be answered late and its connection stays open for
 * that; what a lane asks beside its sales never waits behind what people and programs ask. Of a
 * sale it is asked once more whether it `mayLeave`, at the last moment: connected, before the first
 * byte. Where it may not, nothing of it leaves.
 */
export type OnBehalf =
  | { businessId: string; as: 'lane' | 'question' }
  | { businessId: string; as: 'sale'; mayLeave(): boolean };

/** Carries a request to a device: one fresh connection, no retry of its own. */
export type Vsdc = {
  send(target: DeviceTarget, request: DeviceRequest, onBehalf: OnBehalf): Promise<Sent>;
};
