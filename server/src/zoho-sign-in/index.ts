export { deleteOldPairings } from './pairing.store.ts';
export { pairings } from './pairings.ts';
export { stillThere } from './still-there.ts';
