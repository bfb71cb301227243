export {
  addBranch,
  type DeviceInput,
  type NextDeviceInput,
  setDevice,
  setNextDevice,
  updateBranch,
} from './change-branch.ts';
export type { Device } from './device.model.ts';
export {
  activateDevice,
  continueRun,
  eraseDevices,
  findDevice,
  findDeviceOfBranch,
  findNextDevice,
  insertBranch,
  insertDevice,
  keepDemand,
  listBranches,
  lockDeviceOfBranch,
  lockNewDevice,
  moveCounter,
  retireDevice,
  setDeviceState,
  stopLanes,
  stoppedLane,
  type StoredProbe,
  setLastUpstreamContact,
} from './device.store.ts';
export type { BranchView } from './list-branches.ts';
export { type ProbeView, probeView } from './probe-view.ts';
export { compareTaxpayer } from './taxpayer.store.ts';
export { adoptDevice, initialiseDevice, pauseLane } from './set-up-device.ts';
export { type TestDevice, testDevice } from './test-device.ts';
