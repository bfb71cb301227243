export { type DeviceInput, setNextDevice } from './set-device.ts';
export type { Device } from './device.model.ts';
export {
  activateDevice,
  findDevice,
  findDeviceOfBranch,
  findNextDevice,
  insertDevice,
  lockDeviceOfBranch,
  lockNewDevice,
  retireDevice,
  setDeviceState,
  lockDevice,
} from './device.store.ts';
export { continueRun, moveCounter, keepSetUp } from './device-counter.store.ts';
export { eraseDevices, stopLanes, stoppedLane } from './stop-lanes.store.ts';
export {
  keepDemand,
  type StoredProbe,
  setLastUpstreamContact,
  keepProbe,
  type ProbeResult,
} from './device-status.store.ts';
export { insertBranch, listBranches, findBranch } from './branch.store.ts';
export { type BranchView, findBranchView, type ListBranchViews } from './list-branches.ts';
export { compareTaxpayer, keepDeviceTaxpayer } from './device-taxpayer.store.ts';
export { keepDeviceKeys } from './store-device-keys.ts';
