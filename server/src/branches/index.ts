export type { Device } from './device.model.ts';
export { findDevice, findDeviceOfBranch, insertBranch, insertDevice, listBranches, lockDeviceOfBranch, moveCounter, setDeviceState } from './device.store.ts';
export { type AdoptDevice, adoptDevice, type InitialiseDevice, initialiseDevice, type PauseLane, pauseLane } from './set-up-device.ts';
