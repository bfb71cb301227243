import { receipts } from '@muhuri/shared/contract/index';
import { AppError } from '../platform/app-error.ts';
import { type Call, FileResponse, route } from '../platform/http/route.ts';
import type { RedeemPrintLink, RequestPrint } from './paper/print-link.ts';
import { printPage, printPagePolicy } from './paper/print-page.ts';
import type { PrintTogether, ReadPdf } from './paper/print-receipt.ts';
import type { GetReceipt } from './receipt/get-receipt.ts';
import { fileNameOf } from './receipt/original-print.model.ts';

type Use = {
  getReceipt: GetReceipt;
  askForPrint: RequestPrint;
  printTogether: PrintTogether;
  readPdf: ReadPdf;
  openLink: RedeemPrintLink;
  qrSvg(text: string): Promise<string>;
  contextOf(businessId: string, actor: Call['ctx']['actor'] | null): Call['ctx'];
};

/** Receipts on paper, in a browser and as a file. */
export const paperRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  return [
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
