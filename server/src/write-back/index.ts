export { writeBackAfterSigning } from './due-steps.ts';
export { mailReceipt, readSteps, retryWriteBack } from './ask-for-steps.ts';
export { writeDueReceipts } from './write-back.ts';
export type { Step } from './write-back.store.ts';
