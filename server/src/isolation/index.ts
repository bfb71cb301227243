export { countCrossBusinessAccess } from './denied-lookup.store.ts';
