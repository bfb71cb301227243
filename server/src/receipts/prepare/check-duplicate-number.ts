import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import type { Device } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Books } from '../../ports/books.ts';
import { isOfOtherBooks } from '../receipt/document-organization.store.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { isNeverGiven } from '../receipt/unreadable-document.model.ts';
import { findReceiptIn } from '../receipt/receipt.store.ts';
import { forgetNotGiven, keepNotGiven, listOfNumber } from '../receipt/find-sales.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { ReadDocument } from './read-document.ts';
import { continuesRun, isTakenOver } from './take-over-refund.ts';

/** Of so many others of one number what is left in the books is looked up, one after another. */
export const numbersMost = 10;
/**
 * What is wrong with the connection and not with the one document that is read: it ends, and is
 * waited for.
 */
export const ofConnection: ProblemCode[] = [
  'books_unavailable',
  'books_limit',
  'books_reconnect',
  'books_client_refused',
  'books_not_connected',
  'books_forbidden',
];
/** What one document alone may be answered with, for ever. */
const ofOne: ProblemCode[] = ['books_unavailable', 'books_forbidden'];

/**
 * A document that was deleted in the books after it was sealed, and made again with its number, is
 * another document there and the same sale: sealed as well, it would stand twice at the authority.
 * The books keep a number to one document, so that what is left of every other one is asked of
 * them: where they do number twice, one that still stands says nothing about the others. Where it
 * cannot be seen a person is asked, and so are they about more than can be looked up; what the
 * books fail to give is waited for first, because it mostly ends.
 */
export async function checkNumber(
  ports: { books: Books; clock: Clock },
  ctx: Context,
  read: Pick<ReadDocument, 'document' | 'source'>,
  device: Device,
  others: NumberHolder[],
): Promise<StoredProblem[]> {
  const { module, id: documentId, number } = read.document;
  if (number.trim() === '' || others.length === 0) return [];
  const own = await ctx.transaction((tx) =>
    findReceiptIn(tx, device.environment, module, documentId),
  );
  if (own?.state === 'signed') return [];
  const [latest] = others;
  if (latest && others.length > numbersMost)
    return [sealedBefore(read.document, latest, { unread: true })];
  let unseen: StoredProblem | null = null;
  for (const other of others) {
    const found = await lookUp(ports, ctx, read, other);
    if (found === 'gone') return [sealedBefore(read.document, other, {})];
    // One that is known to be gone is asked about before one that could not be seen: the answer
    // holds for all of them.
    if (found !== 'stands') unseen ??= sealedBefore(read.document, other, found);
  }
  return unseen ? [unseen] : [];
}

type NumberHolder = Awaited<ReturnType<typeof listOfNumber>>[number];
/** Why it cannot be seen what became of a document. */
type Unseen = { unread: true; not_given_id?: string };

const sealedBefore = (
  { module, number }: BooksDocument,
  other: { receipt: string },
  more: Partial<Unseen>,
): StoredProblem => ({
  code: 'number_sealed_before',
  field: 'document_number',
  document_number: number,
  receipt: other.receipt,
  ...more,
  ...(module === 'creditnotes' ? { module } : {}),
});

/** Says whether another document of the number still stands in the books. */
async function lookUp(
  { books, clock }: { books: Books; clock: Clock },
  ctx: Context,
  { document: { module }, source }: Pick<ReadDocument, 'document' | 'source'>,
  other: NumberHolder,
): Promise<'stands' | 'gone' | Unseen> {
  const key = { module, documentId: other.documentId };
  // Whether it still stands in books that are not connected any more cannot be seen.
  if (await ctx.transaction((tx) => isOfOtherBooks(tx, key, source.organizationId)))
    return { unread: true };
  const read = await books
    .readDocument(source, module, other.documentId)
    .catch(async (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      if (!ofConnection.includes(error.code)) return { unread: true } as const;
      // The document itself was given a moment ago: if this one fails again and again, it is this
      // one that cannot be given.
      if (ofOne.includes(error.code) && (await isNeverGivenOf(ctx, other.id, clock.now())))
        return { unread: true, not_given_id: other.documentId } as const;
      throw error;
    });
  if ('unread' in read) return read;
  if (other.isNotGiven) await ctx.transaction((tx) => forgetNotGiven(tx, other.id));
  return read.is === 'missing' || read.document.status === 'void' ? 'gone' : 'stands';
}

const isNeverGivenOf = async (ctx: Context, receiptId: string, at: Date): Promise<boolean> =>
  isNeverGiven(await ctx.transaction((tx) => keepNotGiven(tx, receiptId, at)), at);

/**
 * A sale that a device before the present one has signed: its refund needs a person's word that it
 * is taken there.
 */
export const checkTakeover = (
  ctx: Context,
  sale: Receipt,
  device: Device,
): Promise<StoredProblem[]> =>
  ctx.transaction(async (tx) => {
    const about = {
      field: 'sale_receipt_id',
      sale_receipt_id: sale.id,
      invoice_number: sale.invoiceNumber,
      sdc_id: sale.signature?.sdcId,
    };
    if (!(await continuesRun(tx, sale))) return [{ code: 'refund_run_broken', ...about }];
    return (await isTakenOver(tx, sale.id, device.id))
      ? []
      : [{ code: 'refund_needs_takeover', ...about }];
  });
