export {
  type OperatorLogActor,
  type OperatorLogRecorder,
  operatorLogRecorder,
} from './operator-log.store.ts';
export { type Entry, type Recorder, recorder, whoDid } from './audit-log.store.ts';
export {
  type ChainedEntry,
  type AuditListener,
  hashOfEntry,
  listChain,
  listEntries,
  type PlacedEntry,
  chainAuditLog,
  type AuditFilter,
  type AuditEntry,
} from './chain-audit-log.ts';
export { type AuditCheck, verifyAuditLog } from './verify-audit-log.ts';
export { checkHead, headsIn, type PublishedHead, publishHead } from './publish-head.ts';
export { openAuditChainer, type AuditChainer } from './audit-chainer.ts';
