export {
  dueAfterSigning,
  mailReceipt,
  readSteps,
  retryWriteBack,
  writeBackDue,
} from './write-back.ts';
export type { Step } from './write-back.store.ts';
