import type { StoredProblem } from '@muhuri/shared/problems';
import { getBusiness } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { BooksAccess } from '../ports/books.ts';
import { findReceipt, isOfOtherBooks, type Receipt } from '../receipts/index.ts';
import { beginStep, claimReceipt, setStep, type Step } from './write-back.store.ts';
import { ofOtherBooks, type Ports, writer } from './writer.ts';
import { isPast } from './due-steps.ts';

const leaseMs = 5 * 60_000;
const retries = { firstMs: 10_000, maxMs: 3_600_000 };
/**
 * What Zoho understands and refuses is tried a few times, in case somebody is just repairing it,
 * and then told to a person.
 */
const refusalsMax = 4;
/** Answers after which no mail has left, for certain. */
const notMailed = [
  'books_limit',
  'books_refused',
  'books_forbidden',
  'books_reconnect',
  'books_client_refused',
  'books_not_connected',
  'document_unknown',
  'document_of_other_books',
];

/**
 * Writes what is due, a receipt at a time, each step by itself. Says how many receipts were worked
 * on.
 */
export const writeDueReceipts =
  (ports: Ports) =>
  async (ctx: Context): Promise<number> => {
    const connection = await ctx.transaction(findConnection);
    if (connection?.status !== 'active') return 0;
    const access: BooksAccess = {
      businessId: ctx.businessId,
      organizationId: connection.organizationId,
      grantId: connection.grantId,
      purpose: 'write_back',
    };
    for (let count = 0; ; count++) {
      const now = ports.clock.now();
      const lease = new Date(now.getTime() + leaseMs);
      const steps = await ctx.transaction((tx) => claimReceipt(tx, now, lease));
      if (steps.length === 0) return count;
      if (!(await writeReceipt(ports, ctx, access, steps, lease))) return count;
    }
  };

/** False where Zoho takes nothing more for now: the rest waits, none of it has failed. */
async function writeReceipt(
  ports: Ports,
  ctx: Context,
  access: BooksAccess,
  steps: Step[],
  lease: Date,
): Promise<boolean> {
  const { receipt, settings, isOfOthers } = await ctx.transaction(async (tx) => {
    const found = (await findReceipt(tx, (steps[0] as Step).receiptId)) as Receipt;
    return {
      receipt: found,
      settings: (await getBusiness(tx)).settings,
      isOfOthers: await isOfOtherBooks(tx, found, access.organizationId),
    };
  });
  if (isPast(receipt)) {
    const open = steps.filter((each) => each.state === 'waiting' || each.state === 'begun');
    await ctx.transaction(async (tx) => {
      for (const step of open)
        await setStep(tx, { ...step, state: 'skipped', problem: null }, null, lease);
    });
    return true;
  }
  const isMailed = steps.some(
    (each) => each.step === 'mail' && each.state !== 'done' && each.state !== 'skipped',
  );
  const write = isOfOthers
    ? ofOtherBooks
    : writer({ ports, ctx, access, receipt, settings, isMailed });
  let isBlocked = false;
  for (const step of steps.filter((each) => each.state === 'waiting' || each.state === 'begun')) {
    const mailWaits =
      step.step === 'mail' &&
      steps.some((each) => each.step === 'attachment' && each.state !== 'done');
    const end =
      isBlocked || mailWaits
        ? { ...step, nextAt: later(ports, step) }
        : await tryStep(ports, ctx, step, write, lease);
    // Slower than its lease: another worker has the rest in hand.
    if (!end) return true;
    Object.assign(step, end);
    if (end.isPassing) isBlocked = true;
    const isOurs = await ctx.transaction(async (tx) => {
      if (!(await setStep(tx, step, end.nextAt, lease))) return false;
      if (step.state === 'failed')
        await ports.alerts.raise(tx, ctx, receipt.id, {
          code: 'write_back_failed',
          step: step.step,
          because: step.problem?.code,
        });
      if (step.state === 'done')
        await ports.record(tx, ctx, {
          action: `written.${step.step}`,
          subject: receipt.id,
          after: { document_id: receipt.documentId },
        });
      return true;
    });
    if (!isOurs) return true;
  }
  if (steps.every((each) => each.state === 'done' || each.state === 'skipped'))
    await ctx.transaction((tx) => ports.alerts.resolve(tx, ctx, receipt.id, ['write_back_failed']));
  return !isBlocked;
}

type End = Step & { nextAt: Date | null; isPassing?: boolean };
const later = (ports: Ports, step: Step) =>
  new Date(ports.clock.now().getTime() + backoffMs(step.tries, retries));

async function tryStep(
  ports: Ports,
  ctx: Context,
  step: Step,
  write: ReturnType<typeof writer>,
  lease: Date,
): Promise<End | null> {
  const failed = (problem: StoredProblem): End => ({
    ...step,
    state: 'failed',
    problem,
    nextAt: null,
  });
  // A mail is the one thing that cannot be looked for: where it may have left, a person decides,
  // and never a second mail by itself.
  if (step.step === 'mail' && step.state === 'begun') return failed({ code: 'mail_uncertain' });
  try {
    if (step.step === 'mail' && !(await ctx.transaction((tx) => beginStep(tx, step, lease))))
      return null;
    const outcome = await write[step.step]();
    return { ...step, state: outcome, problem: null, doneAt: ports.clock.now(), nextAt: null };
  } catch (error) {
    if (!(error instanceof AppError))
      ports.log.error(
        { business_id: ctx.businessId, receipt_id: step.receiptId, error: (error as Error).stack },
        'writing back failed',
      );
    const problem: StoredProblem = error instanceof AppError ? error.problem : { code: 'internal' };
    if (step.step === 'mail' && !notMailed.includes(problem.code))
      return failed({ code: 'mail_uncertain' });
    // Never tried again by itself: it would be done to another note than the one that was sealed.
    if (problem.code === 'note_changed') return failed(problem);
    const tried = { ...step, state: 'waiting' as const, tries: step.tries + 1, problem };
    const isRefusal = [
      'books_refused',
      'books_forbidden',
      'seal_field_missing',
      'document_unknown',
      'document_of_other_books',
      'work_stopped',
    ].includes(problem.code);
    if (isRefusal && tried.tries >= refusalsMax) return { ...failed(problem), tries: tried.tries };
    return { ...tried, nextAt: later(ports, step), isPassing: !isRefusal };
  }
}
