export { type DocumentKey, acknowledgeChange, leaveToPerson } from './document.store.ts';
export { type PollResult } from './poll-documents.ts';
export { documentsDue, keepingUp } from './sync-round.ts';
