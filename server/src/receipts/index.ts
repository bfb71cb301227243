export { booksOf, isOfOtherBooks } from './books-of.store.ts';
export { askAnewOf, askAnewOfExempt, holdForMarking, setElsewhere } from './elsewhere.store.ts';
export type { Elsewhere } from './setup.model.ts';
export { runPreflight } from './preflight.ts';
export { type LanePorts, type LaneTiming, usualTiming } from './lane-ports.ts';
export { type Lanes, openLanes } from './lanes.ts';
export { type SyncedDocument, type SyncDocument, syncDocument } from './sync-document.ts';
export { createReceipt } from './create-receipt.ts';
export { withItemCodes } from './assign-item-codes.ts';
export { type Prepared, type PrepareSale, prepareSale } from './prepare-sale.ts';
export {
  requestPrint,
  drawTraining,
  redeemPrintLink,
  printForBooks,
  printTogether,
  readPdf,
} from './print-receipt.ts';
export { type FindUnprintable, findUnprintable } from './find-unprintable.ts';
export { drawingPages, drawingPdf, findingUnprintable } from './paper-tasks.ts';
export { findReceipt, listReceipts, listReceiptsOf, type Receipt } from './receipt.store.ts';
export { type ReceiptView, toReceiptView } from './receipt-view.ts';
export { confirmReversal, dropReversal, proposeReversal } from './reverse-lost-sale.ts';
export {
  type RegisterItemsOfDocument,
  registerItemsOfDocument,
} from './register-items-of-document.ts';
export { resumeLane } from './resume-lane.ts';
export { runLane } from './run-lane.ts';
export { makeEvidencePack } from './evidence-pack.ts';
export { verifyEvidence } from './verify-evidence.ts';
export { describeDoubt } from './describe-doubt.ts';
export { confirmSettlement, dropSettlement, settleWithEvidence } from './settle-with-evidence.ts';
export { receiptEvents } from './receipt-events.ts';
export { switchDevice } from './switch-device.ts';
export { takeOverRefund } from './take-over-refund.ts';
export { withdrawReceipt } from './withdraw-receipt.ts';
