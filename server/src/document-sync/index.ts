export { type DocumentKey, acknowledgeChange, leaveToPerson } from './document.store.ts';
export { retryAfterFix } from './retry-after-fix.ts';
export { processDueDocuments } from './process-due-documents.ts';
export { type PollResult, pollDocuments } from './poll-documents.ts';
