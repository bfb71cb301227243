import type { StoredProblem } from '@muhuri/shared/problems';
import type { Alerts } from '../alerts/index.ts';
import type { AuditListener, Recorder } from '../audit/index.ts';
import { type BusinessSettings, getBusiness } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { acknowledgeChange } from '../document-sync/index.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { BooksAccess } from '../ports/books.ts';
import type { BooksWriting, Written } from '../ports/books-writing.ts';
import { findReceipt, isOfOtherBooks, type Receipt } from '../receipts/index.ts';
import { commentText, fieldValues, fileName } from './receipt-text.model.ts';
import {
  beginStep,
  insertSteps,
  listSteps,
  order,
  retrySteps,
  setStep,
  type Step,
  type StepName,
  claimReceipt,
} from './write-back.store.ts';

type Ports = {
  writing: BooksWriting;
  /**
   * The print that goes to the document in Zoho, the original (0) or a copy; the same one each time
   * it is asked for.
   */
  printForBooks(
    ctx: Context,
    receiptId: string,
    isMailed: boolean,
  ): Promise<{ number: number; pdf: Buffer }>;
  localTime(at: Date, dialect: string): string;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  record: Recorder;
  clock: Clock;
  log: Log;
};

const leaseMs = 5 * 60_000;
const retryFirstMs = 10_000;
const retryMaxMs = 3_600_000;
/**
 * What Zoho understands and refuses is tried a few times, in case somebody is just repairing it,
 * and then told to a person.
 */
const refusalsMax = 4;
/** Answers after which no mail has left, for certain. */
const notMailed = [
  'zoho_limit',
  'zoho_refused',
  'zoho_forbidden',
  'zoho_reconnect',
  'zoho_client_refused',
  'zoho_not_connected',
  'document_unknown',
  'document_of_other_books',
];

/**
 * Follows the trail: once a signature is sealed there, what is to be written to its document is
 * due.
 */
export const writeBackAfterSigning =
  (ports: { clock: Clock; touch(businessId: string): void }): AuditListener =>
  async (tx, ctx, entries) => {
    const signed = entries.filter((entry) => entry.action === 'receipt.signed');
    if (signed.length === 0) return;
    const { settings } = await getBusiness(tx);
    // Without a connection just now it is due all the same, and waits until there is one.
    if (!settings.write_back) return;
    for (const { subject } of signed) {
      const receipt = await findReceipt(tx, subject);
      if (receipt)
        await insertSteps(
          tx,
          ctx.businessId,
          receipt.id,
          stepsOf(receipt, settings),
          ports.clock.now(),
        );
    }
    ports.touch(ctx.businessId);
  };

/**
 * A test receipt of a branch that seals for real by now: written late, it would stand in the place
 * of the real one.
 */
const isPast = (receipt: Pick<Receipt, 'environment' | 'isDeviceRetired'>): boolean =>
  receipt.environment === 'sandbox' && receipt.isDeviceRetired;

/**
 * A credit note takes no attachment in Zoho's API, and nothing of a refund is mailed: it gets its
 * fields, where it has them, and a comment.
 */
function stepsOf(receipt: Receipt, settings: BusinessSettings): StepName[] {
  if (isPast(receipt)) return [];
  if (receipt.module !== 'invoices' || receipt.kind !== 'sale') return ['custom_fields', 'comment'];
  // What a sandbox device signed is nothing to send a buyer.
  return order.filter(
    (step) => step !== 'mail' || (settings.mail_after_seal && receipt.environment === 'production'),
  );
}

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
  const write = isOfOthers ? ofOtherBooks : writer(ports, ctx, access, receipt, settings, isMailed);
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
  new Date(
    ports.clock.now().getTime() +
      Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(step.tries, 12)),
  );

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
      'zoho_refused',
      'zoho_forbidden',
      'seal_field_missing',
      'document_unknown',
      'document_of_other_books',
      'work_stopped',
    ].includes(problem.code);
    if (isRefusal && tried.tries >= refusalsMax) return { ...failed(problem), tries: tried.tries };
    return { ...tried, nextAt: later(ports, step), isPassing: !isRefusal };
  }
}

/**
 * Written to other books than those it is of, it would be written to nothing, or to another
 * document.
 */
const toOthers = async (): Promise<never> => {
  throw new AppError('document_of_other_books', { field: 'document_id' });
};
const ofOtherBooks = {
  custom_fields: toOthers,
  attachment: toOthers,
  comment: toOthers,
  mail: toOthers,
};

/** Each step looks first whether it stands there already: done twice is done once. */
function writer(
  ports: Ports,
  ctx: Context,
  access: BooksAccess,
  receipt: Receipt,
  settings: BusinessSettings,
  isMailed: boolean,
): Record<StepName, () => Promise<'done' | 'skipped'>> {
  const signature = receipt.signature;
  if (!signature) throw new Error('nothing is written back before there is a signature');
  const sealed = {
    documentNumber: receipt.documentNumber,
    environment: receipt.environment,
    signature,
  };
  const localTime = ports.localTime(signature.signedAt, receipt.dialect);
  const { module, documentId } = receipt;
  const look = async (): Promise<Written> => {
    const written = await ports.writing.readWritten(access, module, documentId);
    if (!written) throw new AppError('document_unknown', { field: 'document_id' });
    return written;
  };
  /** Our own change is known from here on, and does not come back as work. */
  const known = async (written: Written): Promise<void> => {
    if (written.modifiedAt)
      await ctx.transaction((tx) =>
        acknowledgeChange(tx, { module, documentId }, written.modifiedAt as Date),
      );
  };
  const attach = async (goesInMail: boolean, goesWithMail: boolean): Promise<'done'> => {
    const { number, pdf: bytes } = await ports.printForBooks(ctx, receipt.id, goesInMail);
    const name = fileName(sealed, number > 0);
    if ((await look()).files.some((each) => each.name === name)) return 'done';
    await ports.writing.attach(access, documentId, { name, bytes, goesWithMail });
    await known(await look());
    return 'done';
  };
  /**
   * Those of the fields that credit notes have as well; nothing where a change of the note itself
   * is waiting to be dealt with.
   */
  const onNote = async (wanted: Record<string, string>): Promise<Record<string, string>> => {
    if (receipt.drift) return {};
    const has = await ports.writing.listNoteFields(access);
    return Object.fromEntries(Object.entries(wanted).filter(([name]) => has.includes(name)));
  };
  /**
   * A permission given before this was written about does not allow it: the comment says the same,
   * and a new consent brings it.
   */
  const writeNote = (values: Record<string, string>): Promise<boolean> =>
    ports.writing.writeNoteFields(access, documentId, values).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'zoho_forbidden') return false;
      throw error;
    });
  return {
    async custom_fields() {
      const wanted = fieldValues(settings, sealed, localTime);
      if (Object.keys(wanted).length === 0) return 'skipped';
      const values = module === 'invoices' ? wanted : await onNote(wanted);
      if (Object.keys(values).length === 0) return 'skipped';
      const isThere = (written: Written, name: string) => written.fields[name] === values[name];
      const before = await look();
      if (Object.keys(values).every((name) => isThere(before, name))) return 'done';
      if (module === 'invoices') await ports.writing.writeFields(access, documentId, values);
      else if (!(await writeNote(values))) return 'skipped';
      const after = await look();
      await known(after);
      // Zoho passes over a field it does not know: renamed or deleted there since.
      const missing = Object.keys(values).filter((name) => !isThere(after, name));
      if (missing.length > 0) throw new AppError('seal_field_missing', { fields: missing });
      return 'done';
    },
    async attachment() {
      // Where the mail is to bring the buyer the original, a copy attached before it stays behind.
      return attach(isMailed, isMailed || receipt.originalPaper !== 'mail');
    },
    async comment() {
      const text = commentText(sealed, localTime);
      if ((await ports.writing.listComments(access, module, documentId)).includes(text))
        return 'done';
      await ports.writing.comment(access, module, documentId, text);
      return 'done';
    },
    async mail() {
      if (receipt.originalPaper === 'mail' && !receipt.original) await attach(true, true);
      if (!(await ports.writing.mail(access, documentId))) return 'skipped';
      // It is mailed: whatever goes wrong now must not have it mailed again. What is not known here
      // is only looked at once more.
      await look().then(known, () => {});
      return 'done';
    },
  };
}

type AskPorts = Pick<Ports, 'clock' | 'record'> & { touch(businessId: string): void };

/**
 * Steps of a sealed document that a person asked for: those that failed are due again, those never
 * due are due now.
 */
async function askFor(
  ports: AskPorts,
  ctx: Context,
  receiptId: string,
  action: string,
  stepsFor: (receipt: Receipt, settings: BusinessSettings) => StepName[],
): Promise<Step[]> {
  const steps = await ctx.transaction(async (tx) => {
    const receipt = await findReceipt(tx, receiptId);
    if (!receipt) throw new AppError('not_found');
    if (!receipt.signature) throw new AppError('not_signed', { state: receipt.state });
    const wanted = stepsFor(receipt, (await getBusiness(tx)).settings);
    const at = ports.clock.now();
    await retrySteps(tx, receiptId, action === 'written.mail_asked', at);
    await insertSteps(tx, ctx.businessId, receiptId, wanted, at);
    await ports.record(tx, ctx, { action, subject: receiptId });
    return listSteps(tx, receiptId);
  });
  ports.touch(ctx.businessId);
  return steps;
}

/** Has Zoho mail a sealed invoice with its receipt; once, unless the mail before has failed. */
export const mailReceipt = (ports: AskPorts) => (ctx: Context, receiptId: string) =>
  askFor(ports, ctx, receiptId, 'written.mail_asked', ({ module, kind, environment }) => {
    if (module !== 'invoices' || kind !== 'sale') throw new AppError('mail_of_refund');
    if (environment === 'sandbox') throw new AppError('test_receipt_only');
    return ['attachment', 'mail'];
  });

/** Has everything the business wants written tried again, but a mail that may have left. */
export const retryWriteBack = (ports: AskPorts) => (ctx: Context, receiptId: string) =>
  askFor(ports, ctx, receiptId, 'written.retried', stepsOf);

/** The steps of a receipt, for whoever wants to see them. */
export const readSteps = async (ctx: Context, receiptId: string): Promise<Step[]> =>
  ctx.transaction(async (tx) => {
    if (!(await findReceipt(tx, receiptId))) throw new AppError('not_found');
    return listSteps(tx, receiptId);
  });
