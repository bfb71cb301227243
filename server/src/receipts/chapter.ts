import type { Alerts } from '../alerts/index.ts';
import type { ListBranchViews } from '../branches/index.ts';
import type { RegisterItems } from '../catalogue/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import type { RunJob } from '../platform/run-job.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Books } from '../ports/books.ts';
import { makeEvidencePack } from './evidence/evidence-pack.ts';
import { laneRoutes } from './lane.routes.ts';
import type { LaneTiming } from './lane/lane-timing.model.ts';
import { openLaneWork } from './lane/open-lane-work.ts';
import { switchDevice } from './lane/switch-device.ts';
import { createAndCall } from './create/create-and-call.ts';
import { type CreateReceipt, createReceipt } from './create/create-receipt.ts';
import { syncDocument } from './create/sync-document.ts';
import { openPrinting, type PrintingNeeds } from './paper/open-printing.ts';
import { runPreflight } from './prepare/preflight.ts';
import { type PrepareSale, prepareSale } from './prepare/prepare-sale.ts';
import { registerItemsOfDocument } from './prepare/register-items-of-document.ts';
import { takeOverRefund } from './prepare/take-over-refund.ts';
import { paperRoutes } from './paper.routes.ts';
import { receiptRoutes } from './receipt.routes.ts';
import { settlementRoutes } from './settlement.routes.ts';
import { getReceipt } from './receipt/get-receipt.ts';
import { receiptEvents } from './receipt/receipt-events.ts';
import { toReceiptView, type ViewReceipt } from './receipt/receipt-view.ts';
import { listReceiptsOf } from './receipt/receipt.store.ts';
import { openSettlement } from './settlement/open-settlement.ts';
import { resumeLane } from './settlement/resume-lane.ts';

type Needs = PrintingNeeds & {
  alerts: Alerts;
  jobHealth: { run: RunJob };
  businesses: { activeIds(): Promise<string[]> };
  branches: { listBranches: ListBranchViews };
  catalogue: { registerItems: RegisterItems };
  books: { documents: Books };
  vsdc: Parameters<typeof openLaneWork>[1]['vsdc'];
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
  const { drawTraining, printForBooks, ...printing } = openPrinting(runtime, needs);
  const view: ViewReceipt = (receipt, language) => toReceiptView(receipt, dialects, language);

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
    drawTraining,
    printForBooks,
    view,
    routes: routesOf(runtime, needs, {
      prepare,
      create,
      changes,
      printing,
      view,
      waitMs,
      ports: work.ports,
    }),
    jobs: [{ name: 'idle_lanes', everyMs: 5_000, run: work.lanes.sweep, atStart: true }],
    hearOut: work.hearOut,
  });
}

/** The routes of receipts: sealing, settling, printing, and what a lane is told. */
function routesOf(
  runtime: Runtime,
  needs: Needs,
  parts: {
    prepare: PrepareSale;
    create: CreateReceipt;
    changes: ReturnType<typeof receiptEvents>;
    printing: Omit<ReturnType<typeof openPrinting>, 'drawTraining' | 'printForBooks'>;
    view: ViewReceipt;
    waitMs: number;
    ports: Parameters<typeof openSettlement>[0];
  },
) {
  const { clock, queue, version, evidenceSigner } = runtime;
  const { record, alerts, dialects } = needs;
  const { prepare, create, changes, printing, view, waitMs, ports } = parts;
  const settling = openSettlement(ports);
  return [
    ...receiptRoutes({
      openReceipt: create,
      waitForReceipt: changes.waitForReceipt,
      checkBeforeSigning: runPreflight({ prepareSale: prepare, dialects, clock }),
      getReceipt,
      findReceipts: (ctx, module, documentId) =>
        ctx.transaction((tx) => listReceiptsOf(tx, module, documentId)),
      withdrawReceipt: settling.withdrawReceipt,
      takeOverRefund: takeOverRefund({ record, clock, queue }),
      view,
      waitMs,
    }),
    ...settlementRoutes({
      ...settling,
      makeEvidencePack: makeEvidencePack({ notary: evidenceSigner, clock, version, record }),
      view,
    }),
    ...paperRoutes({
      ...printing,
      getReceipt,
      qrSvg: needs.paper.qrSvg,
      contextOf: contextOfLink(runtime),
    }),
    ...laneRoutes({
      listBranches: needs.branches.listBranches,
      switchDevice: switchDevice(ports),
      resumeLane: resumeLane({ record, alerts, clock, queue, changed: changes.changed }),
    }),
  ];
}

/** Whoever opens a link to print acts for the person it was made for, if that is known. */
const contextOfLink =
  ({ contextFor }: Runtime) =>
  (businessId: string, actor: Context['actor'] | null): Context => ({
    ...contextFor('print-link')(businessId),
    ...(actor ? { actor } : {}),
  });
