import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { BusinessSettings } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { acknowledgeChange } from '../document-sync/index.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { BooksAccess } from '../ports/books.ts';
import type { BooksWriting, Written } from '../ports/books-writing.ts';
import type { Receipt } from '../receipts/index.ts';
import { commentText, fieldValues, fileName } from './receipt-text.model.ts';
import type { StepName } from './write-back.store.ts';

export type Ports = {
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

/**
 * Written to other books than those it is of, it would be written to nothing, or to another
 * document.
 */
const toOthers = async (): Promise<never> => {
  throw new AppError('document_of_other_books', { field: 'document_id' });
};
export const ofOtherBooks = {
  custom_fields: toOthers,
  attachment: toOthers,
  comment: toOthers,
  mail: toOthers,
};

/** A signed receipt on its way into the books: where to, and in which words. */
export type Writing = {
  ports: Ports;
  ctx: Context;
  access: BooksAccess;
  receipt: Receipt;
  settings: BusinessSettings;
  /** Whether the mail to the buyer is to bring them the original. */
  isMailed: boolean;
};

/** A writing with what its texts are made of. */
type Worded = Writing & { sealed: SealedDocument; localTime: string };
type SealedDocument = Parameters<typeof commentText>[0];

/** Returns the steps. Each looks first whether it stands there already: done twice is done once. */
export function writer(writing: Writing): Record<StepName, () => Promise<'done' | 'skipped'>> {
  const { ports, receipt, isMailed } = writing;
  const { signature, documentNumber, environment } = receipt;
  if (!signature) throw new Error('nothing is written back before there is a signature');
  const worded: Worded = {
    ...writing,
    sealed: { documentNumber, environment, signature },
    localTime: ports.localTime(signature.signedAt, receipt.dialect),
  };
  return {
    custom_fields: () => writeFields(worded),
    // Where the mail is to bring the buyer the original, a copy attached before it stays behind.
    attachment: () => attach(worded, isMailed, isMailed || receipt.originalPaper !== 'mail'),
    comment: () => comment(worded),
    mail: () => mail(worded),
  };
}

async function readWritten({ ports, access, receipt }: Writing): Promise<Written> {
  const written = await ports.writing.readWritten(access, receipt.module, receipt.documentId);
  if (!written) throw new AppError('document_unknown', { field: 'document_id' });
  return written;
}

/** Our own change is known from here on, and does not come back as work. */
async function acknowledge({ ctx, receipt }: Writing, { modifiedAt }: Written): Promise<void> {
  const { module, documentId } = receipt;
  if (modifiedAt)
    await ctx.transaction((tx) => acknowledgeChange(tx, { module, documentId }, modifiedAt));
}

async function writeFields(worded: Worded): Promise<'done' | 'skipped'> {
  const { ports, access, receipt, settings, sealed, localTime } = worded;
  const wanted = fieldValues(settings, sealed, localTime);
  if (Object.keys(wanted).length === 0) return 'skipped';
  const isInvoice = receipt.module === 'invoices';
  const values = isInvoice ? wanted : await onNote(worded, wanted);
  if (Object.keys(values).length === 0) return 'skipped';
  const isThere = (written: Written, name: string) => written.fields[name] === values[name];
  const before = await readWritten(worded);
  if (Object.keys(values).every((name) => isThere(before, name))) return 'done';
  if (isInvoice) await ports.writing.writeFields(access, receipt.documentId, values);
  else if (!(await writeNote(worded, values))) return 'skipped';
  const after = await readWritten(worded);
  await acknowledge(worded, after);
  // Zoho passes over a field it does not know: renamed or deleted there since.
  const missing = Object.keys(values).filter((name) => !isThere(after, name));
  if (missing.length > 0) throw new AppError('seal_field_missing', { fields: missing });
  return 'done';
}

/**
 * Returns those of the fields that credit notes have as well; none if a change of the note itself
 * is waiting to be dealt with.
 */
async function onNote(
  { ports, access, receipt }: Writing,
  wanted: Record<string, string>,
): Promise<Record<string, string>> {
  if (receipt.drift) return {};
  const has = await ports.writing.listNoteFields(access);
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => has.includes(name)));
}

/**
 * Writes the fields of a note. A permission given before this was written about does not allow it:
 * then the comment says the same, and a new consent brings it.
 */
const writeNote = (
  { ports, access, receipt }: Writing,
  values: Record<string, string>,
): Promise<boolean> =>
  ports.writing.writeNoteFields(access, receipt.documentId, values).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'books_forbidden') return false;
    throw error;
  });

async function attach(worded: Worded, goesInMail: boolean, goesWithMail: boolean): Promise<'done'> {
  const { ports, ctx, access, receipt, sealed } = worded;
  const { number, pdf: bytes } = await ports.printForBooks(ctx, receipt.id, goesInMail);
  const name = fileName(sealed, number > 0);
  if ((await readWritten(worded)).files.some((each) => each.name === name)) return 'done';
  await ports.writing.attach(access, receipt.documentId, { name, bytes, goesWithMail });
  await acknowledge(worded, await readWritten(worded));
  return 'done';
}

async function comment(worded: Worded): Promise<'done'> {
  const { ports, access, receipt, sealed, localTime } = worded;
  const { module, documentId } = receipt;
  const text = commentText(sealed, localTime);
  if ((await ports.writing.listComments(access, module, documentId)).includes(text)) return 'done';
  await ports.writing.comment(access, module, documentId, text);
  return 'done';
}

async function mail(worded: Worded): Promise<'done' | 'skipped'> {
  const { ports, access, receipt } = worded;
  if (receipt.originalPaper === 'mail' && !receipt.original) await attach(worded, true, true);
  if (!(await ports.writing.mail(access, receipt.documentId))) return 'skipped';
  // It is mailed: whatever goes wrong now must not have it mailed again. What is not known here is
  // only looked at once more.
  await readWritten(worded).then(
    (written) => acknowledge(worded, written),
    () => {},
  );
  return 'done';
}
