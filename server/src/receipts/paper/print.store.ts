import type { Actor } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate } from '../../platform/db/query.ts';
import type { PaperSize, OriginalPaper, Wish } from '../receipt/original-print.model.ts';

export type Print = {
  id: string;
  receiptId: string;
  /** 0 is the original, the rest are copies in their order. */
  number: number;
  paper: PaperSize;
  /** Where it went by itself; null for one that a person took. */
  wentWith: 'mail' | 'zoho' | null;
  pdf: Buffer;
  printedAt: Date;
};

const columns = 'id, receipt_id, number, paper, went_with, pdf, printed_at';
const toPrint = (row: Record<string, unknown>): Print => ({
  id: row.id as string,
  receiptId: row.receipt_id as string,
  number: row.number as number,
  paper: row.paper as PaperSize,
  wentWith: row.went_with as Print['wentWith'],
  pdf: Buffer.from(row.pdf as Buffer),
  printedAt: toDate(row.printed_at),
});

const one = async (tx: Tx, where: string, parameters: unknown[]): Promise<Print | null> => {
  const row = await queryOne(
    tx,
    `select ${columns} from print where receipt_id = $1 and ${where} order by number desc limit 1`,
    parameters,
  );
  return row && toPrint(row);
};

export const findPrint = (tx: Tx, receiptId: string, id: string) =>
  one(tx, 'id = $2', [receiptId, id]);
export const findLatestPrint = (tx: Tx, receiptId: string, paper: PaperSize) =>
  one(tx, 'paper = $2', [receiptId, paper]);
/** What went along with the document in Zoho; the original, where that was it. */
export const findSentPrint = async (tx: Tx, receiptId: string): Promise<Print | null> =>
  (await one(tx, 'went_with is not null and number = 0', [receiptId])) ??
  one(tx, 'went_with is not null', [receiptId]);

export const listPrints = async (tx: Tx, receiptId: string): Promise<Print[]> =>
  (
    await query(tx, `select ${columns} from print where receipt_id = $1 order by number`, [
      receiptId,
    ])
  ).map(toPrint);

/**
 * What the branch of a receipt has chosen for its originals, and whether this receipt's has been
 * printed.
 */
export async function readChoice(
  tx: Tx,
  receiptId: string,
): Promise<{ choice: OriginalPaper | null; hasOriginal: boolean }> {
  const row = await queryOne<{ choice: OriginalPaper | null; has_original: boolean }>(
    tx,
    `select b.original_paper as choice,
        exists (select 1 from print p where p.business_id = r.business_id and p.receipt_id = r.id and p.number = 0) as has_original
       from receipt r join branch b on b.business_id = r.business_id and b.id = r.branch_id where r.id = $1`,
    [receiptId],
  );
  return { choice: row?.choice ?? null, hasOriginal: row?.has_original ?? false };
}

export async function nextCopyNumber(tx: Tx, receiptId: string): Promise<number> {
  const row = await queryOne<{ n: number }>(
    tx,
    'select coalesce(max(number), 0) + 1 as n from print where receipt_id = $1',
    [receiptId],
  );
  return row?.n ?? 1;
}

export async function countPrintsSince(tx: Tx, receiptId: string, since: Date): Promise<number> {
  const row = await queryOne<{ n: number }>(
    tx,
    'select count(*)::int as n from print where receipt_id = $1 and printed_at > $2',
    [receiptId, since],
  );
  return row?.n ?? 0;
}

export async function insertPrint(
  tx: Tx,
  businessId: string,
  print: Print & { printedBy: string },
): Promise<void> {
  await query(
    tx,
    'insert into print (business_id, id, receipt_id, number, paper, went_with, pdf, printed_by, printed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    [
      businessId,
      print.id,
      print.receiptId,
      print.number,
      print.paper,
      print.wentWith,
      print.pdf,
      print.printedBy,
      print.printedAt,
    ],
  );
}

export type PrintLink = {
  receiptId: string;
  paper: PaperSize;
  wish: Wish;
  askedBy: Actor | null;
  printId: string | null;
};

export async function insertLink(
  tx: Tx,
  businessId: string,
  link: Omit<PrintLink, 'printId'> & { hash: string; until: Date },
  now: Date,
): Promise<void> {
  await query(tx, 'delete from print_link where business_id = $1 and until <= $2', [
    businessId,
    now,
  ]);
  await query(
    tx,
    'insert into print_link (business_id, link_hash, receipt_id, paper, wish, asked_by, until) values ($1, $2, $3, $4, $5, $6, $7)',
    [businessId, link.hash, link.receiptId, link.paper, link.wish, json(link.askedBy), link.until],
  );
}

const linkColumns =
  'receipt_id as "receiptId", paper, wish, asked_by as "askedBy", print_id as "printId"';

const linkOf = (row: PrintLink | null): PrintLink | null =>
  row && { ...row, askedBy: fromJson<Actor | null>(row.askedBy) };

export const findLink = async (tx: Tx, hash: string, now: Date): Promise<PrintLink | null> =>
  linkOf(
    await queryOne<PrintLink>(
      tx,
      `select ${linkColumns} from print_link where link_hash = $1 and until > $2`,
      [hash, now],
    ),
  );

/** Uses a link up: the second time there is nothing behind it. */
export const consumeLink = async (tx: Tx, hash: string, now: Date): Promise<PrintLink | null> =>
  linkOf(
    await queryOne<PrintLink>(
      tx,
      `delete from print_link where link_hash = $1 and until > $2 returning ${linkColumns}`,
      [hash, now],
    ),
  );
