import { topic } from '../platform/signals.ts';

/** A business has new lists of its authority: what waits for one of them can be looked at again. */
export const listsRefreshed = topic('lists refreshed');
