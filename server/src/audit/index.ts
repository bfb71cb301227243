export { type PlatformActor, type PlatformRecorder, platformRecorder } from './record-platform.store.ts';
export { type Entry, type Recorder, recorder } from './record.store.ts';
export {
  type ChainedEntry,
  type Follower,
  hashOfEntry,
  listChain,
  listEntries,
  type SealedEntry,
  sealTrail,
  type TrailFilter,
  verifyTrail,
} from './seal-trail.ts';
export { openSealer, type Sealer } from './sealer.ts';
