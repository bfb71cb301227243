export { type Branding, type Business, type BusinessSettings, defaultSettings, type SetupMarks } from './business.model.ts';
export { eraseKey, getBusiness, insertBusiness, updateBusinessRow } from './business.store.ts';
export { getConfig, updateConfig } from './config-of-business.ts';
export { checkImage } from './check-image.ts';
export type { BusinessTotals, DirectoryEntry } from './directory.model.ts';
export {
  findDirectoryEntry,
  insertDirectoryEntry,
  listActiveBusinessIds,
  listDirectory,
  putTotals,
  setDirectoryStatus,
  setOrganization,
  sumTotals,
  updateDirectoryEntry,
} from './directory.store.ts';
