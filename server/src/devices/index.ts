export { adoptDevice } from './adopt-device.ts';
export { initialiseDevice } from './initialise-device.ts';
export { pauseLane } from './pause-lane.ts';
export { probeView, type ProbeView } from './probe-view.ts';
export { testDevice, type TestDevice } from './test-device.ts';
