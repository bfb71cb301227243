export { dueAfterSigning, readSteps, retryWriteBack, writeBackDue } from './write-back.ts';
export type { Step } from './write-back.store.ts';
