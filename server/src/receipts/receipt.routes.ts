import { receipts } from '@muhuri/shared/contract/index';
import { AppError } from '../platform/app-error.ts';
import { route, type Call, FileResponse, WithStatus } from '../platform/http/route.ts';
import type { RunPreflight } from './prepare/preflight.ts';
import type { CreateReceipt } from './open/create-receipt.ts';
import { fileNameOf } from './receipt/original.model.ts';
import { printPage, printPagePolicy } from './paper/print-page.ts';
import type { RequestPrint, RedeemPrintLink } from './paper/print-link.ts';
import type { PrintTogether, ReadPdf } from './paper/print-receipt.ts';
import type { ReceiptView } from './receipt/receipt-view.ts';
import type {
  ConfirmReversal,
  DropReversal,
  ProposeReversal,
} from './settlement/reverse-lost-sale.ts';
import type { MakeEvidencePack } from './evidence/evidence-pack.ts';
import type { DescribeDoubt } from './settlement/describe-doubt.ts';
import type {
  ConfirmSettlement,
  DropSettlement,
  SettleWithEvidence,
} from './settlement/settle-with-evidence.ts';
import type { Evidence } from './settlement/brought-evidence.model.ts';
import type { TakeOverRefund } from './prepare/take-over-refund.ts';
import type { WaitForReceipt } from './receipt/receipt-events.ts';
import type { WithdrawReceipt } from './lane/withdraw-receipt.ts';

type Receipt = Awaited<ReturnType<CreateReceipt>>;

type Use = {
  openReceipt: CreateReceipt;
  waitForReceipt: WaitForReceipt;
  checkBeforeSigning: RunPreflight;
  getReceipt(ctx: Call['ctx'], id: string): Promise<Receipt>;
  findReceipts(ctx: Call['ctx'], module: string, documentId: string): Promise<Receipt[]>;
  withdrawReceipt: WithdrawReceipt;
  settleByPerson: SettleWithEvidence;
  takeOverRefund: TakeOverRefund;
  confirmSettlement: ConfirmSettlement;
  dropSettlement: DropSettlement;
  lookAtDoubt: DescribeDoubt;
  makeEvidencePack: MakeEvidencePack;
  proposeReversal: ProposeReversal;
  confirmReversal: ConfirmReversal;
  dropReversal: DropReversal;
  askForPrint: RequestPrint;
  printTogether: PrintTogether;
  readPdf: ReadPdf;
  openLink: RedeemPrintLink;
  qrSvg(text: string): Promise<string>;
  view(receipt: Receipt, language: string): ReceiptView;
  contextOf(businessId: string, actor: Call['ctx']['actor'] | null): Call['ctx'];
  waitMs: number;
};

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
    route(receipts.attachEvidence)(async (call, { input }) =>
      use.view(await use.settleByPerson(call.ctx, id(call), input as Evidence), call.language),
    ),
    route(receipts.takeOverRefund)(async (call, { input }) =>
      use.view(await use.takeOverRefund(call.ctx, id(call), input), call.language),
    ),
    route(receipts.confirmEvidence)(async (call, { input }) =>
      use.view(await use.confirmSettlement(call.ctx, id(call), input), call.language),
    ),
    route(receipts.dropEvidence)(async (call) =>
      use.view(await use.dropSettlement(call.ctx, id(call)), call.language),
    ),
    route(receipts.readDoubt)((call) => use.lookAtDoubt(call.ctx, id(call))),
    route(receipts.evidencePack)(async (call) => {
      const { name, file } = await use.makeEvidencePack(call.ctx, id(call));
      return new FileResponse(JSON.stringify(file, null, 2), 'application/json', name);
    }),
    route(receipts.proposeReversal)(async (call, { input }) =>
      use.view(await use.proposeReversal(call.ctx, id(call), input), call.language),
    ),
    route(receipts.confirmReversal)(async (call, { input }) =>
      use.view(await use.confirmReversal(call.ctx, id(call), input), call.language),
    ),
    route(receipts.dropReversal)(async (call) =>
      use.view(await use.dropReversal(call.ctx, id(call)), call.language),
    ),
    route(receipts.printReceipt)(async (call, { input }) => {
      const { isCopy, link, until } = await use.askForPrint(call.ctx, id(call), input);
      return {
        paper: input.paper,
        copy: isCopy,
        url: `/api/v1/prints/${link}`,
        expires_at: until.toISOString(),
      };
    }),
    route(receipts.printTogether)(
      async (call, { input }) =>
        new FileResponse(
          await use.printTogether(call.ctx, input.receipt_ids, input.paper, input.original),
          'application/pdf',
          'receipts.pdf',
        ),
    ),
    route(receipts.receiptPdf)(async (call, { query }) => {
      const receipt = await use.getReceipt(call.ctx, id(call));
      const print = await use.readPdf(call.ctx, receipt.id, query.paper);
      return new FileResponse(
        print.pdf,
        'application/pdf',
        fileNameOf(receipt.documentNumber, print),
      );
    }),
    route(receipts.receiptQr)(async (call) => {
      const receipt = await use.getReceipt(call.ctx, id(call));
      if (!receipt.signature) throw new AppError('not_signed', { state: receipt.state });
      return new FileResponse(await use.qrSvg(receipt.signature.verificationUrl), 'image/svg+xml');
    }),
    route(receipts.openPrint)(async (call, { query }) => {
      // A browser that fetches ahead of a click has opened nothing.
      if (/prefetch|prerender/i.test(call.raw.header('sec-purpose') + call.raw.header('purpose')))
        throw new AppError('not_found');
      const wantsPdf =
        query.as === 'pdf' || call.raw.header('accept').startsWith('application/pdf');
      const opened = await use.openLink(
        call.params.link as string,
        wantsPdf ? 'pdf' : 'page',
        use.contextOf,
      );
      const { forBrowser, print, documentNumber } = opened;
      if (!forBrowser)
        return new FileResponse(print.pdf, 'application/pdf', fileNameOf(documentNumber, print));
      return new FileResponse(
        printPage({ ...opened, forBrowser }, call.language),
        'text/html; charset=utf-8',
        null,
        printPagePolicy,
      );
    }),
  ];
};
