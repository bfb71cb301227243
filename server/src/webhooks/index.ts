export { listMessages, type WebhookMessage, type WebhookEndpoint } from './webhook.store.ts';
export { type NewEndpoint, webhookEndpoints } from './endpoints.ts';
