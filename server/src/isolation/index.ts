export {
  type CrossBusinessAccess,
  countCrossBusinessAccess,
  listCrossBusinessAccess,
} from './denied-lookup.store.ts';
export { idsInRequest, openIsolation, type Isolation } from './detect-access.ts';
