export { adoptDevice } from './adopt-device.ts';
export { pauseLane } from './pause-lane.ts';
export { type ProbeView } from './probe-view.ts';
export { type TestDevice } from './test-device.ts';
