export { knownItemClasses, readLists } from './code-list.store.ts';
export { findTaxpayer } from './find-taxpayer.ts';
export { ensureItem, forgetRegistered, hasUnregistered } from './item.store.ts';
export { getMappings, putMappings } from './mappings.ts';
export { placeSince, putMapping, readMappings } from './mapping.store.ts';
export { type RegisterItems, registerItems } from './register-items.ts';
export { refreshDueLists, type RefreshLists, refreshLists } from './refresh-lists.ts';
export { readListsView } from './lists-view.ts';
export { readBookNames } from './book-names.ts';
