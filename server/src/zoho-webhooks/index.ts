export { readZohoHealth } from './zoho-health.ts';
export { deleteOldDeliveries, listDeliveries } from './delivery.store.ts';
export type { WebhookAddress } from './webhook-address.store.ts';
export {
  listWebhookAddresses,
  createWebhookAddress,
  type NewWebhookAddress,
  removeWebhookAddress,
  rotateWebhookAddress,
} from './webhook-addresses.ts';
export { installation, type PlannedPart } from './install.ts';
export { receiveDelivery, type ReceiveDelivery } from './receive-delivery.ts';
