import type { Tx } from '../../platform/db/database.ts';
import { findSelectivePrefix } from '../../platform/db/search.ts';
import { fromJson, json, query, queryOne } from '../../platform/db/query.ts';
import { prefixesOf } from '../../platform/search-words.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import { failedAgain, type NotGiven } from './unreadable-document.model.ts';
import type { ReceiptState } from './receipt.model.ts';
import type { Receipt } from './receipt-row.ts';

/**
 * Receipts of the documents that have a word in this range. As a list made first, so that each is
 * then found by its key.
 */
export const idsByWord = (from: string, to: string): string =>
  `r.id = any(array(select x.id from search_word w, lateral
     (select o.id from receipt o where o.module = w.module and o.document_id = w.document_id offset 0) x where w.word >= ${from} and w.word < ${to}))`;
export const customerWord = (customerId: string): string =>
  customerId ? `customer:${customerId}` : '';

export type SaleCandidate = {
  id: string;
  documentId: string;
  documentNumber: string;
  documentDate: string;
  state: ReceiptState;
  total: string;
  label: string;
};

/**
 * Sales that a credit note may mean: by invoice id, by number, or the latest signed ones of the
 * same customer; of the environment that their branch seals in now: a number of a sandbox names
 * some stranger's sale at the authority.
 */
export async function findSales(
  tx: Tx,
  by:
    | { documentIds: string[] }
    | { documentNumber: string }
    | { customerId: string }
    | { receiptId: string },
): Promise<SaleCandidate[]> {
  const word =
    'documentNumber' in by
      ? prefixesOf(by.documentNumber)[0]
      : 'customerId' in by
        ? customerWord(by.customerId)
        : null;
  const rare = word ? await findSelectivePrefix(tx, [word]) : null;
  const [where, value] =
    'documentIds' in by
      ? ['r.document_id = any($1::text[])', by.documentIds]
      : 'documentNumber' in by
        ? ['r.document_number = $1', by.documentNumber]
        : 'receiptId' in by
          ? ['r.id = $1', by.receiptId]
          : ["r.signing_input->'sale'->>'customerId' = $1 and r.state = 'signed'", by.customerId];
  const rows = await query<Record<string, string>>(
    tx,
    `select r.id, r.document_id, r.document_number, r.document_date::text, r.state, r.signing_input->'sale'->>'total' as total,
       coalesce(s.receipt_number || '/' || s.total_receipt_number || s.label, '') as label
     from receipt r left join signature s on s.business_id = r.business_id and s.receipt_id = r.id
     where r.kind = 'sale' and r.moved_to is null and ${where}${rare ? ` and ${idsByWord('$2', '$3')}` : ''}
       and exists (select 1 from device p where p.business_id = r.business_id and p.branch_id = r.branch_id and p.state in ('active', 'paused') and p.environment = r.environment)
      order by r.opened_at desc limit 25`,
    [value, ...(rare ? [rare.from, rare.to] : [])],
  );
  return rows.map((row) => ({
    id: row.id as string,
    documentId: row.document_id as string,
    documentNumber: row.document_number as string,
    documentDate: row.document_date as string,
    state: row.state as ReceiptState,
    total: row.total as string,
    label: row.label as string,
  }));
}

/**
 * What the latest sealed sale in a currency was converted by, by the date of its document. A rate
 * of 1, confirmed once, is no measure for others.
 */
export async function latestSealedRate(
  tx: Tx,
  currency: string,
  environment: Receipt['environment'] | null,
): Promise<{ rate: string; date: string } | null> {
  const row = await queryOne<{ rate: string; day: string }>(
    tx,
    `select signing_input->'sale'->'foreign'->>'exchangeRate' as rate, document_date::text as day from receipt
      where foreign_currency = $1 and state = 'signed' and kind = 'sale' and environment = coalesce($2, 'production')
        and (signing_input #>> '{sale,foreign,exchangeRate}')::numeric <> 1
      order by document_date desc, id desc limit 1`,
    [currency, environment],
  );
  return row && { rate: row.rate, date: row.day };
}

/**
 * The other documents of the same number and kind that were sealed, or are about to be, at
 * whichever branch: the latest first.
 */
export async function listOfNumber(
  tx: Tx,
  document: {
    module: Receipt['module'];
    documentId: string;
    number: string;
    environment: Receipt['environment'];
    most: number;
  },
): Promise<{ id: string; documentId: string; receipt: string; isNotGiven: boolean }[]> {
  const rows = await query<{
    id: string;
    document_id: string;
    receipt: string;
    not_given: boolean;
  }>(
    tx,
    `select r.id, r.document_id, r.not_given is not null as not_given, coalesce((select s.receipt_number || '/' || s.total_receipt_number from signature s where s.business_id = r.business_id and s.receipt_id = r.id),
         r.invoice_number::text, '') as receipt
       from receipt r where r.document_number = $3 and r.module = $1 and r.document_id <> $2 and r.environment = $4 and r.moved_to is null
        and r.kind = case r.module when 'invoices' then 'sale' else 'refund' end and (r.state in ('queued', 'in_doubt', 'signed') or r.contested)
      order by r.opened_at desc, r.id desc limit $5`,
    [document.module, document.documentId, document.number, document.environment, document.most],
  );
  return rows.map((row) => ({
    id: row.id,
    documentId: row.document_id,
    receipt: row.receipt,
    isNotGiven: row.not_given,
  }));
}

/** The books have failed once more to give the document of a receipt; how that stands now. */
export async function keepNotGiven(tx: Tx, id: string, at: Date): Promise<NotGiven> {
  const row = await queryOne<{ not_given: unknown }>(
    tx,
    'select not_given from receipt where id = $1 for no key update',
    [id],
  );
  const notGiven = failedAgain(fromJson<NotGiven | null>(row?.not_given ?? null), at);
  await query(tx, 'update receipt set not_given = $2 where id = $1', [id, json(notGiven)]);
  return notGiven;
}

/** They have given it. */
export const forgetNotGiven = (tx: Tx, id: string) =>
  query(tx, 'update receipt set not_given = null where id = $1', [id]);

/**
 * The other refunds of a sale that count against it: queued, signed or in doubt; and those with a
 * late signature that nobody has settled.
 */
export async function listRefundsOf(
  tx: Tx,
  saleReceiptId: string,
  exceptId: string | null,
): Promise<SigningInput[]> {
  const rows = await query<{ signing_input: unknown }>(
    tx,
    "select signing_input from receipt where sale_receipt_id = $1 and module = 'creditnotes' and kind = 'refund' and (state in ('queued', 'signed', 'in_doubt') or contested) and id is distinct from $2",
    [saleReceiptId, exceptId],
  );
  return rows.map((row) => fromJson<SigningInput>(row.signing_input));
}
