export { booksOf, isOfOtherBooks } from './receipt/document-organization.store.ts';
export {
  askAnewOf,
  askAnewOfExempt,
  holdForMarking,
  setElsewhere,
} from './receipt/sealed-elsewhere.store.ts';
export type { Elsewhere } from './sale/sale-setup.model.ts';
export type { LanePorts } from './lane/lane-ports.ts';
export { laneTiming, type LaneTiming, usualTiming } from './lane/lane-timing.model.ts';
export { type Lanes, openLanes } from './lane/lanes.ts';
export { type SyncDocument } from './create/sync-document.ts';
export { createReceipt } from './create/create-receipt.ts';
export { type PrepareSale, prepareSale } from './prepare/prepare-sale.ts';
export { findReceipt, listReceipts } from './receipt/receipt.store.ts';
export type { Receipt } from './receipt/receipt-row.ts';
export { type ReceiptView } from './receipt/receipt-view.ts';
export { resumeLane } from './settlement/resume-lane.ts';
export { runLane } from './lane/run-lane.ts';
export { verifyEvidence } from './evidence/verify-evidence.ts';
export { confirmSettlement, settleWithEvidence } from './settlement/settle-with-evidence.ts';
export { switchDevice } from './lane/switch-device.ts';
export { takeOverRefund } from './prepare/take-over-refund.ts';
export { withdrawReceipt } from './lane/withdraw-receipt.ts';
export { openPaper } from './paper/open-paper.ts';
