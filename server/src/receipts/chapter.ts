import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { ListBranchViews } from '../branches/index.ts';
import type { RegisterItems } from '../catalogue/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import type { RunJob } from '../platform/run-job.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Books } from '../ports/books.ts';
import type { Calendar } from '../ports/calendar.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import { makeEvidencePack } from './evidence/evidence-pack.ts';
import { laneRoutes } from './lane.routes.ts';
import type { LaneTiming } from './lane/lane-timing.model.ts';
import { openLaneWork } from './lane/open-lane-work.ts';
import { switchDevice } from './lane/switch-device.ts';
import { withdrawReceipt } from './lane/withdraw-receipt.ts';
import { createAndCall } from './open/create-and-call.ts';
import { createReceipt } from './open/create-receipt.ts';
import { syncDocument } from './open/sync-document.ts';
import type { Paper } from './paper/open-paper.ts';
import { redeemPrintLink, requestPrint } from './paper/print-link.ts';
import { printForBooks, printTogether, readPdf } from './paper/print-receipt.ts';
import { drawTraining } from './paper/training-receipt.ts';
import { runPreflight } from './prepare/preflight.ts';
import { prepareSale } from './prepare/prepare-sale.ts';
import { registerItemsOfDocument } from './prepare/register-items-of-document.ts';
import { takeOverRefund } from './prepare/take-over-refund.ts';
import { receiptRoutes } from './receipt.routes.ts';
import { getReceipt } from './receipt/get-receipt.ts';
import { receiptEvents } from './receipt/receipt-events.ts';
import { toReceiptView } from './receipt/receipt-view.ts';
import { listReceiptsOf } from './receipt/receipt.store.ts';
import type { Receipt } from './receipt/receipt-row.ts';
import { describeDoubt } from './settlement/describe-doubt.ts';
import { resumeLane } from './settlement/resume-lane.ts';
import { confirmReversal, dropReversal, proposeReversal } from './settlement/reverse-lost-sale.ts';
import {
  confirmSettlement,
  dropSettlement,
  settleWithEvidence,
} from './settlement/settle-with-evidence.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  jobHealth: { run: RunJob };
  businesses: { activeIds(): Promise<string[]> };
  branches: { listBranches: ListBranchViews };
  catalogue: { registerItems: RegisterItems };
  books: { documents: Books };
  dialects: Dialects;
  vsdc: Parameters<typeof openLaneWork>[1]['vsdc'];
  paper: Paper;
  calendar: Calendar;
  timing: LaneTiming;
};
/** What may be other than usual. */
type Overrides = {
  lanesMax?: number;
  /** How long whoever asks for a receipt waits for it. */
  waitMs?: number;
};

/** Opens the chapter that makes receipts: prepares, has them signed, prints and settles them. */
export async function openReceipts(runtime: Runtime, needs: Needs, overrides: Overrides) {
  const { clock, newId, queue, worker } = runtime;
  const { record, alerts, dialects } = needs;
  const { registerItems } = needs.catalogue;
  const { waitMs = 10_000 } = overrides;
  const changes = receiptEvents();
  const prepare = prepareSale({
    books: needs.books.documents,
    dialects,
    clock,
    findUnprintable: needs.paper.findUnprintable,
    day: needs.calendar.dayIn,
  });
  const work = await openLaneWork(runtime, {
    record,
    alerts,
    dialects,
    vsdc: needs.vsdc,
    timing: needs.timing,
    registerItems,
    prepareSale: prepare,
    changed: changes.changed,
    businessIds: needs.businesses.activeIds,
    runJob: needs.jobHealth.run,
    lanesMax: overrides.lanesMax,
  });
  const creating = { prepareSale: prepare, dialects, queue, record, alerts, clock, newId };
  const create = createAndCall(createReceipt(creating), work.lanes, runtime.statements.jobMs);
  const printing = printingPorts(runtime, needs);
  const view = (receipt: Receipt, language: string) => toReceiptView(receipt, dialects, language);

  return chapter({
    prepareSale: prepare,
    syncDocument: syncDocument(creating),
    createAndWait: async (ctx: Context, documentId: string) =>
      changes.waitForReceipt(
        ctx,
        await create(ctx, { module: 'invoices', document_id: documentId }, false),
        waitMs,
      ),
    registerItemsOf: registerItemsOfDocument({
      prepareSale: prepare,
      registerItems,
      dialects,
      newId,
      clock,
      worker,
    }),
    drawTraining: drawTraining(printing),
    printForBooks: printForBooks(printing),
    view,
    routes: [
      ...receiptRoutes({
        ...settling(runtime, needs, work.ports),
        openReceipt: create,
        waitForReceipt: changes.waitForReceipt,
        checkBeforeSigning: runPreflight({ prepareSale: prepare, dialects, clock }),
        getReceipt,
        findReceipts: (ctx, module, documentId) =>
          ctx.transaction((tx) => listReceiptsOf(tx, module, documentId)),
        takeOverRefund: takeOverRefund({ record, clock, queue }),
        askForPrint: requestPrint(printing),
        printTogether: printTogether(printing),
        readPdf: readPdf(printing),
        openLink: redeemPrintLink(printing),
        qrSvg: needs.paper.qrSvg,
        view,
        contextOf: (businessId, actor) => ({
          ...runtime.contextFor('print-link')(businessId),
          ...(actor ? { actor } : {}),
        }),
        waitMs,
      }),
      ...laneRoutes({
        listBranches: needs.branches.listBranches,
        switchDevice: switchDevice(work.ports),
        resumeLane: resumeLane({ record, alerts, clock, queue, changed: changes.changed }),
      }),
    ],
    jobs: [{ name: 'idle_lanes', everyMs: 5_000, run: work.lanes.sweep, atStart: true }],
    hearOut: work.hearOut,
  });
}

function printingPorts({ clock, newId, version }: Runtime, needs: Needs) {
  const { dialects, record, paper, calendar } = needs;
  const { draw, drawForBrowser } = paper;
  const { localTime } = calendar;
  return { dialects, clock, newId, record, version, draw, drawForBrowser, localTime };
}

/** What people say of receipts whose end nobody heard. */
function settling(
  { clock, version, evidenceSigner }: Runtime,
  { dialects, record }: Needs,
  ports: Awaited<ReturnType<typeof openLaneWork>>['ports'],
) {
  return {
    withdrawReceipt: withdrawReceipt(ports),
    settleByPerson: settleWithEvidence(ports),
    confirmSettlement: confirmSettlement(ports),
    dropSettlement: dropSettlement(ports),
    lookAtDoubt: describeDoubt({ clock, dialects, underWay: ports.underWay }),
    makeEvidencePack: makeEvidencePack({ notary: evidenceSigner, clock, version, record }),
    proposeReversal: proposeReversal(ports),
    confirmReversal: confirmReversal(ports),
    dropReversal: dropReversal(ports),
  };
}
