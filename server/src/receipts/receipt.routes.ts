import { receipts } from '@muhuri/shared/contract/index';
import { type Call, route, WithStatus } from '../platform/http/route.ts';
import type { WithdrawReceipt } from './lane/withdraw-receipt.ts';
import type { CreateReceipt } from './create/create-receipt.ts';
import type { RunPreflight } from './prepare/preflight.ts';
import type { TakeOverRefund } from './prepare/take-over-refund.ts';
import type { GetReceipt } from './receipt/get-receipt.ts';
import type { WaitForReceipt } from './receipt/receipt-events.ts';
import type { Receipt } from './receipt/receipt-row.ts';
import type { ViewReceipt } from './receipt/receipt-view.ts';

type Use = {
  openReceipt: CreateReceipt;
  waitForReceipt: WaitForReceipt;
  checkBeforeSigning: RunPreflight;
  getReceipt: GetReceipt;
  findReceipts(ctx: Call['ctx'], module: string, documentId: string): Promise<Receipt[]>;
  withdrawReceipt: WithdrawReceipt;
  takeOverRefund: TakeOverRefund;
  view: ViewReceipt;
  waitMs: number;
};

/** Documents are checked and sealed here, and their receipts found. */
export const receiptRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  return [
    route(receipts.preflight)((call, { query }) =>
      use.checkBeforeSigning(call.ctx, query.module, query.document_id, query.sale_receipt_id),
    ),
    route(receipts.openReceipt)(async (call, { input }) => {
      const opened = await use.openReceipt(call.ctx, input, call.isReplay);
      const receipt = await use.waitForReceipt(call.ctx, opened, use.waitMs);
      return new WithStatus(
        receipt.state === 'queued' ? 202 : 200,
        use.view(receipt, call.language),
      );
    }),
    route(receipts.findReceipt)(async (call, { query }) => {
      const found = await use.findReceipts(call.ctx, query.module, query.document_id);
      return {
        receipts: found.map((receipt) => use.view(receipt, call.language)),
        next_cursor: null,
      };
    }),
    route(receipts.getReceipt)(async (call) =>
      use.view(await use.getReceipt(call.ctx, id(call)), call.language),
    ),
    route(receipts.withdrawReceipt)(async (call) =>
      use.view(await use.withdrawReceipt(call.ctx, id(call)), call.language),
    ),
    route(receipts.takeOverRefund)(async (call, { input }) =>
      use.view(await use.takeOverRefund(call.ctx, id(call), input), call.language),
    ),
  ];
};
