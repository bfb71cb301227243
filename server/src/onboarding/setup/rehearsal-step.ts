import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import type { Device } from '../../branches/index.ts';
import { type Business, getBusiness, type SetupMarks } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { PrepareSale } from '../../receipts/index.ts';
import { requireStepsBefore, viewSetup } from './read-steps.ts';
import { saveProgress } from './save-progress.ts';
import type { SetupPorts } from './setup-ports.ts';

type Entry = NonNullable<SetupMarks['rehearsal']>['entries'][number];

/** One rehearsal under way. */
type Rehearsal = { ctx: Context; business: Business; device: Device; entries: Entry[] };

/** How many of the latest documents are tried. */
const triesMax = 12;

/**
 * Rehearses the whole way of an invoice. On a sandbox device an invoice is signed. On a production
 * device nothing is signed: a rehearsal must not become a legal act.
 */
export const rehearse =
  (ports: SetupPorts) => async (ctx: Context, documentId: string | undefined) => {
    const { business, device } = await requireStepsBefore(ports, ctx, 'rehearsal');
    if (!device) throw new AppError('device_missing');
    const entries: Entry[] = [];
    const rehearsal: Rehearsal = { ctx, business, device, entries };
    await checkDevice(ports, rehearsal);
    const chosen = await chooseDocument(ports, rehearsal, documentId ?? null);
    if (chosen && device.environment === 'sandbox') await signOne(ports, rehearsal, chosen);
    else if (chosen) await printOne(ports, rehearsal, chosen);
    await saveProgress(ports, ctx, 'setup.rehearsal', (before) => ({
      setup: { ...before.setup, rehearsal: { at: ports.clock.now().toISOString(), entries } },
    }));
    if (entries.every((each) => each.state === 'done')) await ports.activate(ctx);
    return viewSetup(ports)(ctx);
  };

/** Runs one part and notes how it went; only unexpected errors are thrown. */
async function run(
  { ctx, entries }: Rehearsal,
  what: string,
  work: () => Promise<string>,
): Promise<void> {
  try {
    entries.push({ what, state: 'done', detail: await work() });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const detail = describeProblem(error.problem, ctx.language).title;
    entries.push({ what, state: 'failed', detail });
  }
}

/** Asks the device for the authority's lists and for the business's own name. */
async function checkDevice(ports: SetupPorts, rehearsal: Rehearsal): Promise<void> {
  const { ctx, business, device } = rehearsal;
  await run(rehearsal, 'code_lists', async () => {
    const refreshed = await ports.refreshLists(ctx, device.id);
    if (refreshed.is === 'failed') throw new AppError(refreshed.problem.code, refreshed.problem);
    return device.serial;
  });
  await run(rehearsal, 'taxpayer', async () => {
    const { name } = await ports.findTaxpayer(ctx, business.taxpayerId);
    if (name === null) throw new AppError('taxpayer_unknown');
    return name;
  });
}

/**
 * Chooses a document that could be signed; null if there is none. On a production device nothing is
 * signed here, so nothing has to be confirmed.
 */
async function chooseDocument(
  ports: SetupPorts,
  rehearsal: Rehearsal,
  documentId: string | null,
): Promise<string | null> {
  const { ctx, device } = rehearsal;
  let chosen: string | null = null;
  await run(rehearsal, 'preflight', async () => {
    const answers: Answers =
      device.environment === 'production' ? { confirm: ['before_production', 'was_exempt'] } : {};
    const { id, number } = await findReady(ports, ctx, documentId, answers);
    chosen = id;
    return number;
  });
  return chosen;
}

const signOne = (ports: SetupPorts, rehearsal: Rehearsal, documentId: string): Promise<void> =>
  run(rehearsal, 'signature', async () => {
    const { state, problem, documentNumber, signature } = await ports.seal(
      rehearsal.ctx,
      documentId,
    );
    if (state !== 'signed')
      throw new AppError(problem?.code ?? 'device_unreachable', problem ?? {});
    return `${documentNumber}: ${signature?.receiptNumber ?? ''}/${signature?.totalReceiptNumber ?? ''}`;
  });

/** Registers the document's items and draws a training receipt, as far as nothing is signed. */
async function printOne(
  ports: SetupPorts,
  rehearsal: Rehearsal,
  documentId: string,
): Promise<void> {
  const { ctx } = rehearsal;
  await run(rehearsal, 'items', async () => {
    const problem = await ports.registerItemsOf(ctx, documentId);
    if (problem) throw new AppError(problem.code, problem);
    return '';
  });
  await run(
    rehearsal,
    'training_print',
    async () => `${(await ports.drawTraining(ctx)).length} bytes`,
  );
}

type Answers = Parameters<PrepareSale>[3];

/** Finds the document a person named, or the first of the latest that could be signed as it is. */
async function findReady(
  ports: SetupPorts,
  ctx: Context,
  documentId: string | null,
  answers: Answers,
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
