export { readZohoHealth } from './health.ts';
export { deleteOldDeliveries, listDeliveries } from './delivery.store.ts';
export { type DocumentKey, knowChange, leaveToPerson } from './document.store.ts';
export type { Hook } from './hook.store.ts';
export {
  closeMonth,
  countUnsettled,
  longestDue,
  lookedAt,
  listDocuments,
  sealedElsewhere,
  type ListAsk,
  type ListedRow,
  type Month,
} from './list-documents.ts';
export { rowKey } from './list.store.ts';
export { listOwnHooks, makeHook, type NewHook, removeHook, rotateHook } from './hooks.ts';
export { installation, type PlannedPart } from './install.ts';
export { markElsewhere, takeBackElsewhere } from './mark-elsewhere.ts';
export { lookAgainAfterMending } from './look-again.ts';
export { lookAtDue } from './look-at-due.ts';
export { type LookedThrough, pollDocuments } from './poll-documents.ts';
export { receiveDelivery, type ReceiveDelivery } from './receive-delivery.ts';
