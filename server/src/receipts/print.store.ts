import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';

export type Print = { id: string; receiptId: string; number: number; paper: 'a4' | '80mm'; pdf: Buffer; printedAt: Date };

const toPrint = (row: Record<string, unknown>): Print => ({
  id: row.id as string,
  receiptId: row.receipt_id as string,
  number: row.number as number,
  paper: row.paper as Print['paper'],
  pdf: Buffer.from(row.pdf as Buffer),
  printedAt: toDate(row.printed_at),
});

export async function findLatestPrint(tx: Tx, receiptId: string, paper: Print['paper']): Promise<Print | null> {
  const row = await queryOne(tx, 'select * from print where receipt_id = $1 and paper = $2 order by number desc limit 1', [receiptId, paper]);
  return row && toPrint(row);
}

export const listPrints = async (tx: Tx, receiptId: string): Promise<Print[]> =>
  (await query(tx, 'select * from print where receipt_id = $1 order by number', [receiptId])).map(toPrint);

export async function nextPrintNumber(tx: Tx, receiptId: string): Promise<number> {
  const row = await queryOne<{ n: number }>(tx, 'select count(*)::int as n from print where receipt_id = $1', [receiptId]);
  return row?.n ?? 0;
}

export async function insertPrint(
  tx: Tx,
  businessId: string,
  print: Print & { printedBy: string; linkHash: string | null; linkUntil: Date | null },
): Promise<void> {
  await query(
    tx,
    'insert into print (business_id, id, receipt_id, number, paper, pdf, printed_by, printed_at, link_hash, link_until) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    [businessId, print.id, print.receiptId, print.number, print.paper, print.pdf, print.printedBy, print.printedAt, print.linkHash, print.linkUntil],
  );
}

/** Uses a link up: the second time there is nothing behind it. */
export async function takeByLink(tx: Tx, linkHash: string, now: Date): Promise<Print | null> {
  const row = await queryOne(tx, 'update print set link_hash = null where link_hash = $1 and link_until > $2 returning *', [linkHash, now]);
  return row && toPrint(row);
}
