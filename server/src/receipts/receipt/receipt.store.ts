import type { StoredProblem } from '@muhuri/shared/problems';
import { pageAfter } from '../../platform/db/keyset-page.ts';
import type { Tx } from '../../platform/db/database.ts';
import { containsAll, findSelectivePrefix } from '../../platform/db/search.ts';
import { json, query, queryOne, toDateOrNull } from '../../platform/db/query.ts';
import { prefixesOf } from '../../platform/search-words.ts';
import { receiptStates } from './receipt.model.ts';
import { type Receipt, select, toReceipt } from './receipt-row.ts';
import { idsByWord } from './find-sales.store.ts';
import { currencyOf, wordsOfReceipt } from './requeue.store.ts';

export const findReceipt = (tx: Tx, id: string) => one(tx, `${select} where r.id = $1`, [id]);

/** The same of one that is known to exist. */
export const getReceipt = async (tx: Tx, id: string): Promise<Receipt> =>
  (await findReceipt(tx, id)) as Receipt;
const kindOf = (module: string) => (module === 'invoices' ? 'sale' : 'refund');
/**
 * The receipt of a document: the sale of an invoice, the refund of a credit note. A test receipt
 * stands for it only while its branch is at its rehearsal; what a sandbox device signed that has
 * gone is no receipt of the document at all.
 */
export const findReceiptOf = (tx: Tx, module: string, documentId: string) =>
  one(
    tx,
    `${select} where r.module = $1 and r.document_id = $2 and r.kind = $3 and coalesce(r.moved_to, '') = '' and (r.environment = 'production' or d.state <> 'retired')
      order by r.environment limit 1`,
    [module, documentId, kindOf(module)],
  );
/** The same at devices of one environment, retired ones included. */
export const findReceiptIn = (
  tx: Tx,
  environment: Receipt['environment'],
  module: string,
  documentId: string,
) =>
  one(
    tx,
    `${select} where r.module = $1 and r.document_id = $2 and r.kind = $3 and r.environment = $4 and coalesce(r.moved_to, '') = ''`,
    [module, documentId, kindOf(module), environment],
  );
/**
 * Whether a sandbox device has signed a document, or may have: until its business was in production
 * another system sealed it for real.
 */
export const isRehearsed = async (tx: Tx, module: string, documentId: string): Promise<boolean> =>
  (await queryOne(
    tx,
    "select 1 as yes from receipt where module = $1 and document_id = $2 and environment = 'sandbox' and state in ('signed', 'in_doubt') limit 1",
    [module, documentId],
  )) !== null;
/** The refund that undoes the lost sale of an invoice, if there is one. */
export const findReversalReceipt = (
  tx: Tx,
  documentId: string,
  environment: Receipt['environment'],
) =>
  one(
    tx,
    `${select} where r.module = 'invoices' and r.document_id = $1 and r.kind = 'refund' and r.environment = $2 and coalesce(r.moved_to, '') = ''`,
    [documentId, environment],
  );
/**
 * Every receipt of a document: its own and, after a reversal, the refund that undid the lost one.
 */
export async function listReceiptsOf(
  tx: Tx,
  module: string,
  documentId: string,
): Promise<Receipt[]> {
  return (
    await query(
      tx,
      `${select} where r.module = $1 and r.document_id = $2 order by r.opened_at, r.id`,
      [module, documentId],
    )
  ).map(toReceipt);
}
export const lockReceipt = (tx: Tx, id: string) =>
  one(tx, `${select} where r.id = $1 for update of r`, [id]);

async function one(tx: Tx, text: string, parameters: unknown[]): Promise<Receipt | null> {
  const row = await queryOne(tx, text, parameters);
  return row && toReceipt(row);
}

/**
 * Without an environment: what counts where its branch seals now; test receipts only until it has
 * gone to production.
 */
export type ReceiptPage = {
  limit: number;
  after: { at: string; id: string } | null;
  state?: string | undefined;
  search?: string | undefined;
  environment?: 'sandbox' | 'production' | undefined;
};

/**
 * Returns a page of receipts, newest first. What is searched for is found by its rarest word, or,
 * where every word is in many, met soon on the way through all of them.
 */
export async function listReceipts(tx: Tx, page: ReceiptPage): Promise<Receipt[]> {
  const beginnings = page.search ? prefixesOf(page.search) : null;
  // Nothing but signs: no word begins with that.
  if (beginnings?.length === 0) return [];
  const rare = beginnings && (await findSelectivePrefix(tx, beginnings));
  const where = [
    pageAfter('receipt', 'r.opened_at', 'r.id', '$1', '$2'),
    inEnvironment(page.environment),
    ...inState(page.state),
    ...(rare ? [idsByWord('$5', '$6')] : []),
    ...(beginnings ? [containsAll('r.words', '$4')] : []),
  ];
  const { at, id } = page.after ?? { at: null, id: null };
  const rows = await query(
    tx,
    `${select} where ${where.join(' and ')} order by r.opened_at desc, r.id desc limit $3`,
    [
      at,
      id,
      page.limit,
      ...(beginnings ? [beginnings] : []),
      ...(rare ? [rare.from, rare.to] : []),
    ],
  );
  return rows.map(toReceipt);
}

const inEnvironment = (environment: ReceiptPage['environment']): string =>
  environment
    ? `r.environment = '${environment === 'sandbox' ? 'sandbox' : 'production'}'`
    : "(r.environment = 'production' or d.state <> 'retired')";

/** A state stands as text in the statement, so that an index of that state is chosen. */
const inState = (state: string | undefined): string[] =>
  state ? [`r.state = '${receiptStates.find((each) => each === state) ?? ''}'`] : [];

/** Opens the one receipt of a document; false where it exists already. */
export async function insertReceipt(
  tx: Tx,
  businessId: string,
  receipt: Pick<
    Receipt,
    | 'id'
    | 'module'
    | 'documentId'
    | 'kind'
    | 'documentNumber'
    | 'documentDate'
    | 'branchId'
    | 'deviceId'
    | 'filed'
    | 'documentHash'
    | 'answers'
    | 'saleReceiptId'
  > & { needsRegistering: boolean },
  at: Date,
): Promise<boolean> {
  const rows = await query(
    tx,
    `insert into receipt (business_id, id, module, document_id, kind, document_number, document_date, branch_id, device_id, signing_input, document_hash, answers,
       sale_receipt_id, needs_registering, state, queued_at, read_at, opened_at, updated_at, words, foreign_currency, environment)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15, 'queued', $14, $14, $14, $14, $16, $17,
       (select environment from device where business_id = $1 and id = $9))
     on conflict (business_id, module, document_id, kind, environment, coalesce(moved_to, '')) do nothing returning id`,
    [
      businessId,
      receipt.id,
      receipt.module,
      receipt.documentId,
      receipt.kind,
      receipt.documentNumber,
      receipt.documentDate,
      receipt.branchId,
      receipt.deviceId,
      json(receipt.filed),
      receipt.documentHash,
      json(receipt.answers),
      receipt.saleReceiptId,
      at,
      receipt.needsRegistering,
      wordsOfReceipt(receipt),
      currencyOf(receipt.filed),
    ],
  );
  return rows.length > 0;
}

/** Whether a sandbox device of a branch has signed anything. */
export const hasTestReceipt = async (tx: Tx, branchId: string): Promise<boolean> =>
  (await queryOne(
    tx,
    "select 1 as yes from receipt where branch_id = $1 and environment = 'sandbox' and kind = 'sale' and state = 'signed' limit 1",
    [branchId],
  )) !== null;

/** What waits at a device, in the order of its lane. */
export const listQueued = async (tx: Tx, deviceId: string): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      "select id from receipt where device_id = $1 and state = 'queued' order by queued_at, id",
      [deviceId],
    )
  ).map((row) => row.id);

/** The doubts of a device that nothing is sent to any more: nothing happens to them by itself. */
export const leaveDoubtsToPeople = (tx: Tx, deviceId: string) =>
  query(tx, "update receipt set next_try_at = null where device_id = $1 and state = 'in_doubt'", [
    deviceId,
  ]);

/**
 * Whether a device still takes documents; held so until the transaction ends, so that it cannot be
 * retired between the look and the row that is opened at it.
 */
export const holdDevice = async (tx: Tx, deviceId: string): Promise<boolean> =>
  (
    await queryOne<{ state: string }>(tx, 'select state from device where id = $1 for key share', [
      deviceId,
    ])
  )?.state !== 'retired';

/**
 * Since when a receipt is in doubt, the device's counter before that, and when it is asked again.
 */
export async function readDoubt(
  tx: Tx,
  id: string,
): Promise<{ since: Date | null; totalBefore: string | null; nextTryAt: Date | null }> {
  const row = await queryOne(
    tx,
    'select doubt_since, total_before_doubt::text as total, next_try_at from receipt where id = $1',
    [id],
  );
  return {
    since: toDateOrNull(row?.doubt_since),
    totalBefore: (row?.total as string | null) ?? null,
    nextTryAt: toDateOrNull(row?.next_try_at),
  };
}

/** What is shown with it has changed. */
export const touchReceipt = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update receipt set updated_at = $2 where id = $1', [id, at]);

export const setDrift = (tx: Tx, id: string, drift: StoredProblem | null, at: Date) =>
  query(tx, 'update receipt set drift = $2, updated_at = $3 where id = $1', [id, json(drift), at]);
