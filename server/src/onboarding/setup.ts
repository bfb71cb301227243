import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import type { Recorder } from '../audit/index.ts';
import {
  compareTaxpayer,
  type Device,
  type StoredProbe,
  findDeviceOfBranch,
  listBranches,
} from '../branches/index.ts';
import type { TestDevice } from '../devices/index.ts';
import {
  checkGoLive,
  keepLaterGoLive,
  getBusiness,
  type SetupMarks,
  updateBusinessRow,
  type Business,
} from '../businesses/index.ts';
import type { RefreshLists } from '../catalogue/index.ts';
import type { ConnectionState } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Books } from '../ports/books.ts';
import type { SeenOrganization } from '../ports/accounts.ts';
import type { PrepareSale, Receipt } from '../receipts/index.ts';

type StepName = 'business' | 'vsdc' | 'zoho' | 'rehearsal';
type Step = {
  state: 'open' | 'done' | 'broken';
  problem: StoredProblem | null;
  checkedAt: string | null;
};
type RehearsalEntry = NonNullable<SetupMarks['rehearsal']>['entries'][number];

type Ports = {
  clock: Clock;
  record: Recorder;
  books: Books;
  testDevice: TestDevice;
  setDevice(
    ctx: Context,
    ask: {
      branch_id?: string;
      address: string;
      serial: string;
      environment: 'sandbox' | 'production';
      dialect: string;
    },
  ): Promise<string>;
  initialiseDevice(ctx: Context, branchId: string): Promise<void>;
  adoptDevice(
    ctx: Context,
    branchId: string,
    known: { sdc_id: string; mrc_number: string; last_invoice_number: string },
  ): Promise<void>;
  readZohoState(ctx: Context, withName: boolean): Promise<ConnectionState>;
  connectByCode(
    ctx: Context,
    ask: object,
    keptGrantId: string | null,
    keep: (grantId: string) => Promise<void>,
  ): Promise<{ grantId: string; organizations: SeenOrganization[] }>;
  prepareSale: PrepareSale;
  seal(ctx: Context, documentId: string): Promise<Receipt>;
  refreshLists: RefreshLists;
  findTaxpayer(ctx: Context, taxpayerId: string): Promise<{ name: string | null }>;
  registerItemsOf(ctx: Context, documentId: string): Promise<StoredProblem | null>;
  drawTraining(ctx: Context): Promise<Buffer>;
  activate(ctx: Context): Promise<void>;
};

const order: StepName[] = ['business', 'vsdc', 'zoho', 'rehearsal'];
const triesMax = 12;

/**
 * Four steps from a registered business to its first rehearsal. Nothing is remembered as done that
 * can be asked: each look tries the device and Zoho again, so that a step turns red when its thing
 * breaks.
 */
export const setup = (ports: Ports) => {
  const look = async (ctx: Context) => {
    const { business, device } = await ctx.transaction(async (tx) => {
      const head = (await listBranches(tx))[0];
      return {
        business: await getBusiness(tx),
        device: head?.device ? await findDeviceOfBranch(tx, head.id) : null,
      };
    });
    const [vsdc, zoho] = await Promise.all([
      device ? vsdcStep(ctx, device) : open(),
      zohoStep(ctx),
    ]);
    // Looked at after the device was asked: what it tells of its taxpayer came with its answer.
    const difference = await ctx.transaction(
      async (tx) =>
        (await listBranches(tx)).find((branch) => branch.device?.difference)?.device?.difference ??
        null,
    );
    const rehearsal = business.setup.rehearsal;
    const steps: Record<StepName, Step> = {
      business: difference
        ? { state: 'broken', problem: difference, checkedAt: business.setup.business ?? null }
        : business.setup.business
          ? { state: 'done', problem: null, checkedAt: business.setup.business }
          : open(),
      vsdc,
      zoho,
      rehearsal: rehearsal
        ? {
            state: rehearsal.entries.some((each) => each.state === 'failed') ? 'broken' : 'done',
            problem: null,
            checkedAt: rehearsal.at,
          }
        : open(),
    };
    return { business, device, steps };
  };

  const vsdcStep = async (
    ctx: Context,
    { branchId, state, problem }: Pick<Device, 'branchId' | 'state' | 'problem'>,
  ): Promise<Step> => {
    const probe = await ports.testDevice(ctx, branchId);
    const isGood = probe.result === 'fine' || probe.result === 'offline_soon';
    if (isGood && state !== 'new') return { state: 'done', problem: null, checkedAt: probe.at };
    return {
      state: state === 'new' ? 'open' : 'broken',
      problem: (state === 'new' ? problem : null) ?? problemOf(probe),
      checkedAt: probe.at,
    };
  };

  const zohoStep = async (ctx: Context): Promise<Step> => {
    const at = ports.clock.now().toISOString();
    try {
      const state = await ports.readZohoState(ctx, true);
      return state.status === 'none' ? open() : { state: 'done', problem: null, checkedAt: at };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { state: 'broken', problem: error.problem, checkedAt: at };
    }
  };

  const view = async (ctx: Context) => {
    const { business, device, steps } = await look(ctx);
    const shown = (step: Step) => ({
      state: step.state,
      problem: step.problem && describeProblem(step.problem, ctx.language),
      checked_at: step.checkedAt,
    });
    return {
      steps: {
        business: shown(steps.business),
        vsdc: shown(steps.vsdc),
        zoho: shown(steps.zoho),
        rehearsal: shown(steps.rehearsal),
      },
      next: order.find((name) => steps[name].state !== 'done') ?? null,
      environment: device?.environment ?? null,
      rehearsal: business.setup.rehearsal?.entries ?? [],
    };
  };

  /** A step needs those before it, as they are now and not as they once were. */
  const needs = async (ctx: Context, name: StepName) => {
    const { business, device, steps } = await look(ctx);
    const missing = order
      .slice(0, order.indexOf(name))
      .find((each) => steps[each].state !== 'done');
    if (missing)
      throw new AppError('setup_order', {
        field: missing,
        ...(steps[missing].problem ? { because: steps[missing].problem?.code } : {}),
      });
    return { business, device };
  };

  const mark = (ctx: Context, change: (business: Business) => Partial<Business>, action: string) =>
    ctx.transaction(async (tx) => {
      const before = await getBusiness(tx, true);
      const after = { ...before, ...change(before) };
      const now = ports.clock.now();
      await updateBusinessRow(tx, after, now);
      await keepLaterGoLive(tx, { before: before.goLiveDate, after: after.goLiveDate, now });
      await compareTaxpayer(tx, after);
      await ports.record(tx, ctx, { action, subject: ctx.businessId, after: after.setup });
    });

  return {
    status: view,
    async business(
      ctx: Context,
      is: { location: string; phone_number: string; vat_registered: boolean; go_live_date: string },
    ) {
      await ctx.transaction((tx) => checkGoLive(tx, is.go_live_date));
      await mark(
        ctx,
        (before) => ({
          location: is.location,
          phone: is.phone_number,
          isVatRegistered: is.vat_registered,
          goLiveDate: is.go_live_date,
          setup: { ...before.setup, business: ports.clock.now().toISOString() },
        }),
        'setup.business',
      );
      return view(ctx);
    },
    async vsdc(
      ctx: Context,
      ask: {
        address: string;
        serial: string;
        environment: 'sandbox' | 'production';
        dialect: string;
        adopt?: { sdc_id: string; mrc_number: string; last_invoice_number: string } | undefined;
      },
    ) {
      await needs(ctx, 'vsdc');
      const { adopt, ...device } = ask;
      const branchId = await ports.setDevice(ctx, device);
      const isNew = await ctx.transaction(
        async (tx) => (await findDeviceOfBranch(tx, branchId))?.state === 'new',
      );
      if (isNew && adopt) await ports.adoptDevice(ctx, branchId, adopt);
      else if (isNew) {
        const probe = await ports.testDevice(ctx, branchId);
        // Whatever is wrong with the address stands in the step; only a VSDC that answers is
        // initialised.
        if (probe.result === 'fine' || probe.result === 'not_initialised')
          await ports.initialiseDevice(ctx, branchId);
      }
      return view(ctx);
    },
    async zoho(ctx: Context, ask: { organization_id?: string | undefined }) {
      const { business } = await needs(ctx, 'zoho');
      // Kept the moment there is one: a code works once, and whatever fails after it must not leave
      // a grant nobody knows of.
      const keep = (grantId: string) =>
        mark(ctx, (before) => ({ setup: { ...before.setup, grant: grantId } }), 'setup.zoho');
      const { organizations } = await ports.connectByCode(
        ctx,
        ask,
        business.setup.grant ?? null,
        keep,
      );
      return { setup: await view(ctx), organizations };
    },
    /**
     * On a sandbox device an invoice is signed. On a production device nothing is: a rehearsal must
     * not become a legal act.
     */
    async rehearse(ctx: Context, documentId: string | undefined) {
      const { business, device } = await needs(ctx, 'rehearsal');
      if (!device) throw new AppError('device_missing');
      const entries: RehearsalEntry[] = [];
      const run = async (what: string, work: () => Promise<string>) => {
        try {
          entries.push({ what, state: 'done', detail: await work() });
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          entries.push({
            what,
            state: 'failed',
            detail: describeProblem(error.problem, ctx.language).title,
          });
        }
      };
      let chosen: string | null = documentId ?? null;
      await run('code_lists', async () => {
        const refreshed = await ports.refreshLists(ctx, device.id);
        if (refreshed.is === 'failed')
          throw new AppError(refreshed.problem.code, refreshed.problem);
        return device.serial;
      });
      await run('taxpayer', async () => {
        const { name } = await ports.findTaxpayer(ctx, business.taxpayerId);
        if (name === null) throw new AppError('taxpayer_unknown');
        return name;
      });
      await run('preflight', async () => {
        // On a production device nothing is sealed here, so that nothing has to be confirmed
        // either.
        const found = await firstReady(
          ctx,
          chosen,
          device.environment === 'production'
            ? { confirm: ['before_production', 'was_exempt'] }
            : {},
        );
        chosen = found.id;
        return found.number;
      });
      if (chosen && entries.at(-1)?.state === 'done') {
        const id = chosen;
        if (device.environment === 'sandbox')
          await run('signature', async () => {
            const receipt = await ports.seal(ctx, id);
            if (receipt.state !== 'signed')
              throw new AppError(
                receipt.problem?.code ?? 'device_unreachable',
                receipt.problem ?? {},
              );
            return `${receipt.documentNumber}: ${receipt.signature?.receiptNumber ?? ''}/${receipt.signature?.totalReceiptNumber ?? ''}`;
          });
        else {
          await run('items', async () => {
            const problem = await ports.registerItemsOf(ctx, id);
            if (problem) throw new AppError(problem.code, problem);
            return '';
          });
          await run(
            'training_print',
            async () => `${(await ports.drawTraining(ctx)).length} bytes`,
          );
        }
      }
      await mark(
        ctx,
        (before) => ({
          setup: { ...before.setup, rehearsal: { at: ports.clock.now().toISOString(), entries } },
        }),
        'setup.rehearsal',
      );
      if (entries.every((each) => each.state === 'done')) await ports.activate(ctx);
      return view(ctx);
    },
  };

  /**
   * The document a person named, else the first of the latest ones that could be sealed as it is.
   */
  async function firstReady(
    ctx: Context,
    documentId: string | null,
    answers: Parameters<PrepareSale>[3],
  ): Promise<{ id: string; number: string }> {
    const { organizationId, grantId } = await ports.readZohoState(ctx, false);
    if (!organizationId || !grantId) throw new AppError('books_not_connected');
    const { settings } = await ctx.transaction((tx) => getBusiness(tx));
    const recent = documentId
      ? [{ id: documentId }]
      : await ports.books.readRecent(
          {
            businessId: ctx.businessId,
            organizationId,
            grantId,
            purpose: 'sync',
            customFields: settings.custom_fields,
          },
          triesMax,
        );
    let finding: StoredProblem | null = null;
    for (const { id } of recent) {
      const prepared = await ports.prepareSale(ctx, 'invoices', id, answers, null);
      if (prepared.filed) return { id, number: prepared.document.number };
      finding ??= prepared.findings[0] ?? null;
    }
    throw new AppError(finding?.code ?? 'document_unknown', finding ?? {});
  }
};

export type Setup = ReturnType<typeof setup>;

const open = (): Step => ({ state: 'open', problem: null, checkedAt: null });

/** The device's last test as one of our problems. */
function problemOf(probe: StoredProbe): StoredProblem | null {
  switch (probe.result) {
    case 'fine':
    case 'offline_soon':
    case 'not_initialised':
      return probe.result === 'not_initialised' ? { code: 'device_missing' } : null;
    case 'address_refused':
      return { code: 'device_address_refused' };
    case 'other_taxpayer':
      return { code: 'device_other_taxpayer' };
    default:
      return { code: 'device_unreachable', reason: probe.result };
  }
}
