export {
  type Branding,
  type Business,
  type BusinessSettings,
  defaultSettings,
  isExempt,
  type SetupMarks,
  wasExemptWhenMade,
} from './business.model.ts';
export {
  checkGoLive,
  keepLaterGoLive,
  raiseEarliestGoLive,
  raiseProductionSince,
} from './go-live.ts';
export {
  eraseKey,
  getBusiness,
  holdBusiness,
  holdDataKey,
  insertBusiness,
  checkRoomForOneMore,
  updateBusinessRow,
} from './business.store.ts';
export { getSettings, type OwnBranding, type SettingsChange, updateSettings } from './settings.ts';
export { type ReadLogo } from './own-logo.ts';
export type { BusinessTotals, DirectoryEntry, PlatformTotals } from './directory.model.ts';
export {
  earliestGoLive,
  findDirectoryEntry,
  holdDirectoryEntry,
  insertDirectoryEntry,
  listBusinessIds,
  listDirectory,
  putTotals,
  setDirectoryStatus,
  setOrganization,
  sumTotals,
  updateDirectoryEntry,
} from './directory.store.ts';
