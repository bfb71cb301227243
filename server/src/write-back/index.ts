export {
  writeBackAfterSigning,
  mailReceipt,
  readSteps,
  retryWriteBack,
  writeDueReceipts,
} from './write-back.ts';
export type { Step } from './write-back.store.ts';
