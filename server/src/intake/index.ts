export { readZohoHealth } from './zoho-health.ts';
export { deleteOldDeliveries, listDeliveries } from './delivery.store.ts';
export { type DocumentKey, acknowledgeChange, leaveToPerson } from './document.store.ts';
export type { WebhookAddress } from './webhook-address.store.ts';
export {
  closeMonth,
  countUnsettled,
  longestDue,
  describeRow,
  listDocuments,
  sealedElsewhere,
  type WorklistQuery,
  type ListedRow,
  type Month,
} from './list-documents.ts';
export { rowKey } from './worklist.store.ts';
export {
  listWebhookAddresses,
  createWebhookAddress,
  type NewWebhookAddress,
  removeWebhookAddress,
  rotateWebhookAddress,
} from './webhook-addresses.ts';
export { installation, type PlannedPart } from './install.ts';
export { markElsewhere, unmarkElsewhere } from './mark-elsewhere.ts';
export { retryAfterFix } from './retry-after-fix.ts';
export { processDueDocuments } from './process-due-documents.ts';
export { type PollResult, pollDocuments } from './poll-documents.ts';
export { receiveDelivery, type ReceiveDelivery } from './receive-delivery.ts';
