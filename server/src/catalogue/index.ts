export { knownItemClasses, readLists } from './code-list.store.ts';
export { ensureItem, forgetRegistered, hasUnregistered } from './item.store.ts';
export { placeSince, putMapping, readMappings } from './mapping.store.ts';
export { type RegisterItems, registerItems } from './register-items.ts';
export { type RefreshLists } from './refresh-lists.ts';
export { listsRefreshed } from './lists-refreshed.ts';
