export * as alerts from './alerts.contract.ts';
export * as access from './access.contract.ts';
export * as branches from './branches.contract.ts';
export * as businesses from './businesses.contract.ts';
export * as mappings from './mappings.contract.ts';
export * as notices from './webhooks.contract.ts';
export * as oauth from './oauth.contract.ts';
export * as receipts from './receipts.contract.ts';
export * as trail from './audit-log.contract.ts';
export * as zoho from './zoho.contract.ts';
export * as zohoSignIn from './zoho-sign-in.contract.ts';
export {
  bodyKbOf,
  type Endpoint,
  type Guard,
  type InputOf,
  type OutputOf,
  type QueryOf,
} from './endpoint.ts';
