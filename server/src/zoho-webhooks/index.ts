export { readZohoHealth } from './zoho-health.ts';
export { listDeliveries } from './delivery.store.ts';
export type { WebhookAddress } from './webhook-address.store.ts';
export { type NewWebhookAddress } from './webhook-addresses.ts';
export { installation, type PlannedPart } from './install.ts';
export { type ReceiveDelivery } from './receive-delivery.ts';
