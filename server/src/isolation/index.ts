export {
  countCrossBusinessAccess,
  listCrossBusinessAccess,
} from './denied-lookup.store.ts';
export { idsInRequest, openIsolation } from './detect-access.ts';
