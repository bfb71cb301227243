export { type OperatorLogActor, type OperatorLogRecorder } from './operator-log.store.ts';
export { type Recorder, recorder, whoDid } from './audit-log.store.ts';
export {
  type ChainedEntry,
  type AuditListener,
  hashOfEntry,
  listChain,
  listEntries,
  type AuditFilter,
  type AuditEntry,
} from './chain-audit-log.ts';
export { type AuditCheck, verifyAuditLog } from './verify-audit-log.ts';
export { checkHead, headsIn } from './publish-head.ts';
export { auditWritten } from './audit-written.ts';
