export * as alerts from './alerts.contract.ts';
export * as access from './access.contract.ts';
export * as branches from './branches.contract.ts';
export * as businesses from './businesses.contract.ts';
export * as mappings from './mappings.contract.ts';
export * as receipts from './receipts.contract.ts';
export * as trail from './trail.contract.ts';
export type { Endpoint, Guard, InputOf, OutputOf, QueryOf } from './endpoint.ts';
