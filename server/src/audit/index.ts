export { type Entry, type Recorder, recorder } from './record.store.ts';
