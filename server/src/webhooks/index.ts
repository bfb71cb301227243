export {
  deleteOldMessages,
  listMessages,
  type WebhookMessage,
  type WebhookEndpoint,
} from './webhook.store.ts';
export { type NewEndpoint, webhookEndpoints } from './endpoints.ts';
export { queueEvent, queueReceiptEvents } from './queue-events.ts';
export { deliverDue } from './deliver-due.ts';
