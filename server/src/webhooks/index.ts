export {
  deleteOldMessages,
  listMessages,
  type WebhookMessage,
  type WebhookEndpoint,
} from './webhook.store.ts';
export {
  type NewEndpoint,
  queueEvent,
  deliverDue,
  subscribers,
  queueReceiptEvents,
} from './webhooks.ts';
