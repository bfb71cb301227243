export { deleteOldPairings } from './pairing.store.ts';
export { pairings } from './pairings.ts';
export { checkZohoUser } from './check-zoho-user.ts';
