export { booksOf, isOfOtherBooks } from './books-of.store.ts';
export { askAnewOf, askAnewOfExempt, holdForMarking, setElsewhere } from './elsewhere.store.ts';
export type { Elsewhere } from './setup.model.ts';
export { checkBeforeSigning } from './check-before-signing.ts';
export type { LanePorts, LaneTiming } from './lane-ports.ts';
export { usualTiming } from './lane-ports.ts';
export { type Lanes, openLanes } from './lanes.ts';
export { type Looked, type LookAtDocument, lookAtDocument } from './look-at-document.ts';
export { openReceipt, withItemCodes } from './open-receipt.ts';
export { type Prepared, type PrepareSale, prepareSale } from './prepare-sale.ts';
export {
  askForPrint,
  drawTraining,
  openLink,
  printForBooks,
  printTogether,
  readPdf,
} from './print-receipt.ts';
export { type FindUnprintable, findUnprintable } from './find-unprintable.ts';
export { drawingPages, drawingPdf, findingUnprintable } from './paper-tasks.ts';
export { findReceipt, listReceipts, listReceiptsOf, type Receipt } from './receipt.store.ts';
export { type ReceiptView, toReceiptView } from './receipt-view.ts';
export { confirmReversal, dropReversal, proposeReversal } from './reverse-lost-sale.ts';
export { type RegisterItemsOf, registerItemsOf } from './register-items-of.ts';
export { resumeLane } from './resume-lane.ts';
export { runLane } from './run-lane.ts';
export { makeEvidencePack } from './evidence-pack.ts';
export { verifyEvidence } from './verify-evidence.ts';
export { lookAtDoubt } from './look-at-doubt.ts';
export { confirmSettlement, dropSettlement, settleByPerson } from './settle-by-person.ts';
export { receiptChanges } from './wait-for-receipt.ts';
export { switchDevice } from './switch-device.ts';
export { takeOverRefund } from './take-over-refund.ts';
export { withdrawReceipt } from './withdraw-receipt.ts';
