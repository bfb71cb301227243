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

/** Each step looks first whether it stands there already: done twice is done once. */
export function writer(
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
      if (error instanceof AppError && error.code === 'books_forbidden') return false;
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
