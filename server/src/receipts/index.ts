export { booksOf, isOfOtherBooks } from './receipt/books-of.store.ts';
export {
  askAnewOf,
  askAnewOfExempt,
  holdForMarking,
  setElsewhere,
} from './receipt/elsewhere.store.ts';
export type { Elsewhere } from './sale/setup.model.ts';
export { runPreflight } from './prepare/preflight.ts';
export type { LanePorts } from './lane/lane-ports.ts';
export { type LaneTiming, usualTiming } from './lane/lane-timing.model.ts';
export { type Lanes, openLanes } from './lane/lanes.ts';
export { type SyncDocument, syncDocument } from './open/sync-document.ts';
export { createReceipt } from './open/create-receipt.ts';
export { type PrepareSale, prepareSale } from './prepare/prepare-sale.ts';
export { requestPrint, redeemPrintLink } from './paper/print-link.ts';
export { drawTraining } from './paper/training-receipt.ts';
export { printForBooks, printTogether, readPdf } from './paper/print-receipt.ts';
export { findUnprintable } from './prepare/find-unprintable.ts';
export { drawingPages, drawingPdf, findingUnprintable } from './paper/paper-tasks.ts';
export { findReceipt, listReceipts, listReceiptsOf } from './receipt/receipt.store.ts';
export type { Receipt } from './receipt/receipt-row.ts';
export { type ReceiptView, toReceiptView } from './receipt/receipt-view.ts';
export { confirmReversal, dropReversal, proposeReversal } from './settlement/reverse-lost-sale.ts';
export { registerItemsOfDocument } from './prepare/register-items-of-document.ts';
export { resumeLane } from './settlement/resume-lane.ts';
export { runLane } from './lane/run-lane.ts';
export { makeEvidencePack } from './evidence/evidence-pack.ts';
export { verifyEvidence } from './evidence/verify-evidence.ts';
export { describeDoubt } from './settlement/describe-doubt.ts';
export {
  confirmSettlement,
  dropSettlement,
  settleWithEvidence,
} from './settlement/settle-with-evidence.ts';
export { receiptEvents } from './receipt/receipt-events.ts';
export { switchDevice } from './lane/switch-device.ts';
export { takeOverRefund } from './prepare/take-over-refund.ts';
export { withdrawReceipt } from './lane/withdraw-receipt.ts';
