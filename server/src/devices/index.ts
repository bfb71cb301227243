export { adoptDevice, type AdoptDevice } from './adopt-device.ts';
export { initialiseDevice, type InitialiseDevice } from './initialise-device.ts';
export { pauseLane, type PauseLane } from './pause-lane.ts';
export { probeView, type ProbeView } from './probe-view.ts';
export { testDevice, type TestDevice } from './test-device.ts';
