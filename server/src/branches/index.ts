export {
  addBranch,
  type DeviceInput,
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
  insertDevice,
  keepDemand,
  lockDeviceOfBranch,
  lockNewDevice,
  moveCounter,
  retireDevice,
  setDeviceState,
  stopLanes,
  stoppedLane,
  type StoredProbe,
  setLastUpstreamContact,
  keepSetUp,
  lockDevice,
  keepProbe,
  type ProbeResult,
} from './device.store.ts';
export { insertBranch, listBranches, findBranch } from './branch.store.ts';
export {
  type BranchView,
  findBranchView,
  type ListBranchViews,
  listBranchViews,
} from './list-branches.ts';
export { compareTaxpayer, keepDeviceTaxpayer } from './taxpayer.store.ts';
export { keepDeviceKeys } from './keep-device-keys.ts';
