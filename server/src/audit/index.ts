export {
  type PlatformActor,
  type PlatformRecorder,
  platformRecorder,
} from './record-platform.store.ts';
export { type Entry, type Recorder, recorder, whoDid } from './record.store.ts';
export {
  type ChainedEntry,
  type Follower,
  hashOfEntry,
  listChain,
  listEntries,
  type SealedEntry,
  sealTrail,
  type TrailFilter,
} from './seal-trail.ts';
export { type TrailCheck, verifyTrail } from './verify-trail.ts';
export { checkHead, headsIn, type PublishedHead, publishHead } from './publish-head.ts';
export { openSealer, type Sealer } from './sealer.ts';
