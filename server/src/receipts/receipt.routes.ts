import { receipts } from '@muhuri/shared/contract/index';
import { AppError } from '../platform/app-error.ts';
import { answer, type Call, FileAnswer, WithStatus } from '../platform/http/answer.ts';
import type { CheckBeforeSigning } from './check-before-signing.ts';
import type { OpenReceipt } from './open-receipt.ts';
import type { OpenLink, PrintReceipt, PrintTogether, ReadPdf } from './print-receipt.ts';
import type { ReceiptView } from './receipt-view.ts';
import type { ConfirmReversal, ProposeReversal } from './reverse-lost-sale.ts';
import type { MakeEvidencePack } from './evidence-pack.ts';
import type { LookAtDoubt } from './look-at-doubt.ts';
import type { ConfirmSettlement, Evidence, SettleByPerson } from './settle-by-person.ts';
import type { TakeOverRefund } from './take-over-refund.ts';
import type { WaitForReceipt } from './wait-for-receipt.ts';
import type { WithdrawReceipt } from './withdraw-receipt.ts';

type Receipt = Awaited<ReturnType<OpenReceipt>>;

type Use = {
  openReceipt: OpenReceipt;
  waitForReceipt: WaitForReceipt;
  checkBeforeSigning: CheckBeforeSigning;
  getReceipt(ctx: Call['ctx'], id: string): Promise<Receipt>;
  findReceipts(ctx: Call['ctx'], module: string, documentId: string): Promise<Receipt[]>;
  withdrawReceipt: WithdrawReceipt;
  settleByPerson: SettleByPerson;
  takeOverRefund: TakeOverRefund;
  confirmSettlement: ConfirmSettlement;
  dropSettlement: ConfirmSettlement;
  lookAtDoubt: LookAtDoubt;
  makeEvidencePack: MakeEvidencePack;
  proposeReversal: ProposeReversal;
  confirmReversal: ConfirmReversal;
  dropReversal: ConfirmReversal;
  printReceipt: PrintReceipt;
  printTogether: PrintTogether;
  readPdf: ReadPdf;
  openLink: OpenLink;
  qrSvg(text: string): Promise<string>;
  view(receipt: Receipt, language: string): ReceiptView;
  contextOf(businessId: string): Call['ctx'];
  waitMs: number;
};

export const receiptRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  return [
    answer(receipts.preflight)((call, { query }) => use.checkBeforeSigning(call.ctx, query.module, query.document_id)),
    answer(receipts.openReceipt)(async (call, { input }) => {
      const opened = await use.openReceipt(call.ctx, input, call.isReplay);
      const receipt = await use.waitForReceipt(call.ctx, opened, use.waitMs);
      return new WithStatus(receipt.state === 'queued' ? 202 : 200, use.view(receipt, call.language));
    }),
    answer(receipts.findReceipt)(async (call, { query }) => {
      const found = await use.findReceipts(call.ctx, query.module, query.document_id);
      return { receipts: found.map((receipt) => use.view(receipt, call.language)), next_cursor: null };
    }),
    answer(receipts.getReceipt)(async (call) => use.view(await use.getReceipt(call.ctx, id(call)), call.language)),
    answer(receipts.withdrawReceipt)(async (call) => use.view(await use.withdrawReceipt(call.ctx, id(call)), call.language)),
    answer(receipts.attachEvidence)(async (call, { input }) => use.view(await use.settleByPerson(call.ctx, id(call), input as Evidence), call.language)),
    answer(receipts.takeOverRefund)(async (call, { input }) => use.view(await use.takeOverRefund(call.ctx, id(call), input), call.language)),
    answer(receipts.confirmEvidence)(async (call) => use.view(await use.confirmSettlement(call.ctx, id(call)), call.language)),
    answer(receipts.dropEvidence)(async (call) => use.view(await use.dropSettlement(call.ctx, id(call)), call.language)),
    answer(receipts.readDoubt)((call) => use.lookAtDoubt(call.ctx, id(call))),
    answer(receipts.evidencePack)(async (call) => {
      const { name, file } = await use.makeEvidencePack(call.ctx, id(call));
      return new FileAnswer(JSON.stringify(file, null, 2), 'application/json', name);
    }),
    answer(receipts.proposeReversal)(async (call, { input }) => use.view(await use.proposeReversal(call.ctx, id(call), input), call.language)),
    answer(receipts.confirmReversal)(async (call) => use.view(await use.confirmReversal(call.ctx, id(call)), call.language)),
    answer(receipts.dropReversal)(async (call) => use.view(await use.dropReversal(call.ctx, id(call)), call.language)),
    answer(receipts.printReceipt)(async (call, { input }) => {
      const { print, link, until } = await use.printReceipt(call.ctx, id(call), input.paper);
      return {
        print_id: print.id,
        number: print.number,
        copy: print.number > 0,
        paper: print.paper,
        url: `/api/v1/prints/${link}`,
        expires_at: until.toISOString(),
      };
    }),
    answer(receipts.printTogether)(
      async (call, { input }) => new FileAnswer(await use.printTogether(call.ctx, input.receipt_ids), 'application/pdf', 'receipts.pdf'),
    ),
    answer(receipts.receiptPdf)(async (call, { query }) => {
      const receipt = await use.getReceipt(call.ctx, id(call));
      const print = await use.readPdf(call.ctx, receipt.id, query.paper);
      return new FileAnswer(print.pdf, 'application/pdf', `${fileName(receipt.documentNumber)}.pdf`);
    }),
    answer(receipts.receiptQr)(async (call) => {
      const receipt = await use.getReceipt(call.ctx, id(call));
      if (!receipt.signature) throw new AppError('not_signed', { state: receipt.state });
      return new FileAnswer(await use.qrSvg(receipt.signature.verificationUrl), 'image/svg+xml');
    }),
    answer(receipts.openPrint)(async (call) => {
      const print = await use.openLink(call.params.link as string, use.contextOf);
      return new FileAnswer(print.pdf, 'application/pdf', 'receipt.pdf');
    }),
  ];
};

const fileName = (text: string) => text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60) || 'receipt';
