export { knownItemClasses, readLists } from './code-list.store.ts';
export { type FindTaxpayer, findTaxpayer } from './find-taxpayer.ts';
export { ensureItem, forgetRegistered, hasUnregistered } from './item.store.ts';
export { type GetMappings, getMappings, type PutMappings, putMappings } from './map.ts';
export { putMapping, readMappings } from './mapping.store.ts';
export { type RegisterItems, registerItems } from './register-items.ts';
export { type SyncLists, syncLists } from './sync-lists.ts';
export { listNames } from './list-names.ts';
