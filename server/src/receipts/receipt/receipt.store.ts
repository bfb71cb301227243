import type { KeptAnswers } from '../sale/answers.model.ts';
import type { OriginalPaper } from './original.model.ts';
import type { StoredProblem } from '@muhuri/shared/problems';
import { pageAfter } from '../../platform/db/page-after.ts';
import type { Tx } from '../../platform/db/database.ts';
import { findSelectivePrefix, containsAll } from '../../platform/db/search.ts';
import { fromJson, json, query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';
import { prefixesOf, searchWordsOf } from '../../platform/search-words.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import { failedAgain, type NotGiven } from './not-given.model.ts';
import { type ReceiptState, receiptStates } from './receipt.model.ts';
import type { Signature } from '../../model/sale.model.ts';
import type { SecondSignature } from './second-signature.model.ts';
import { secondSignaturesOf, toSecondSignatures } from './second-signature.store.ts';

export type StoredSignature = Signature & {
  verificationUrl: string;
  label: string;
  source: 'device' | 'late_answer' | 'read_back' | 'person';
};

/** As it stands in its table. */
export type StoredReversal = {
  invoice_number: string;
  reason_code: string;
  source: string;
  proposed_by: string;
  proposed_name: string;
  proposed_at: string;
  confirmed_by: string | null;
  confirmed_name: string | null;
  confirmed_at: string | null;
  reversal_receipt_id: string | null;
  reversed_at: string | null;
  /** How its refund stands. */
  refund_state: ReceiptState | null;
  refund_problem: StoredProblem | null;
};

export type Receipt = {
  id: string;
  module: 'invoices' | 'creditnotes';
  documentId: string;
  kind: 'sale' | 'refund';
  documentNumber: string;
  documentDate: string;
  branchId: string;
  branchCode: string;
  deviceId: string;
  dialect: string;
  /**
   * Of the device it was opened at, like that device for good: what a sandbox device signs is a
   * test receipt.
   */
  environment: 'sandbox' | 'production';
  isDeviceRetired: boolean;
  /** The receipt that took its place at the device's successor; it holds nothing any more. */
  movedTo: string | null;
  /** Why nothing at all goes to its device: it tells another taxpayer, or is paused. */
  laneStop: StoredProblem | null;
  /** Another document of its device is in doubt. */
  isBehindDoubt: boolean;
  filed: SigningInput;
  documentHash: string;
  answers: KeptAnswers;
  saleReceiptId: string | null;
  state: ReceiptState;
  invoiceNumber: string | null;
  problem: StoredProblem | null;
  drift: StoredProblem | null;
  tries: number;
  openedAt: Date;
  updatedAt: Date;
  prints: number;
  /** The one original, once it is printed, and what the branch has chosen for its originals. */
  original: { paper: string; went_with: 'mail' | 'zoho' | null; printed_at: string } | null;
  originalPaper: OriginalPaper | null;
  /** Of a sale whose data were lost: who proposed and confirmed to undo it, and what came of it. */
  reversal: StoredReversal | null;
  /**
   * The refund that undoes it, while it waits or may be signed, and the number it names. Found by
   * what it says itself: a later proposal forgets it.
   */
  undoing: { receipt_id: string; invoice_number: string } | null;
  /** What one person says the authority holds, until a second one has confirmed it. */
  settlement: {
    evidence: unknown;
    proposed_by: string;
    proposed_name: string;
    proposed_at: string;
  } | null;
  signature: StoredSignature | null;
  /**
   * Signatures that came late, settled or not; contested while one is not: nothing more of the
   * document is sealed until a person has settled it.
   */
  secondSignatures: SecondSignature[];
  isContested: boolean;
};

const select = `
  select r.id, r.module, r.document_id, r.kind, r.document_number, r.document_date::text, r.branch_id, b.branch_code, r.device_id, d.dialect, r.environment, r.moved_to, d.state as device_state, d.problem as device_problem, d.difference as device_difference,
    exists (select 1 from receipt o where o.business_id = r.business_id and o.device_id = r.device_id and o.state = 'in_doubt' and o.id <> r.id) as has_doubt,
    r.sale, r.document_hash, r.answers, r.sale_receipt_id, r.state, r.invoice_number::text, r.problem, r.drift, r.tries, r.opened_at, r.updated_at,
    (select to_jsonb(v) - 'business_id' || jsonb_build_object('refund_state', f.state, 'refund_problem', f.problem) from reversal v
       left join receipt f on f.business_id = v.business_id and f.id = v.reversal_receipt_id where v.business_id = r.business_id and v.receipt_id = r.id) as reversal,
    (select jsonb_build_object('receipt_id', f.id, 'invoice_number', f.sale->'filing'->'reverses'->>'invoiceNumber') from receipt f
      where r.kind = 'sale' and f.business_id = r.business_id and f.module = r.module and f.document_id = r.document_id and f.kind = 'refund'
        and f.environment = r.environment and coalesce(f.moved_to, '') = '' and f.state in ('queued', 'in_doubt')
        and f.sale->'filing'->'reverses'->>'receiptId' = r.id) as undoing,
    (select to_jsonb(t) - 'business_id' from settlement t where t.business_id = r.business_id and t.receipt_id = r.id) as settlement,
    (select count(*)::int from print p where p.business_id = r.business_id and p.receipt_id = r.id) as prints, b.original_paper,
    (select jsonb_build_object('paper', p.paper, 'went_with', p.went_with, 'printed_at', p.printed_at)
       from print p where p.business_id = r.business_id and p.receipt_id = r.id and p.number = 0) as original,
    s.receipt_number::text, s.total_receipt_number::text, s.internal_data, s.receipt_signature, s.sdc_id, s.mrc_number, s.signed_at, s.verification_url, s.label, s.source,
    r.contested, ${secondSignaturesOf('r')} as second_signatures
  from receipt r
  join branch b on b.business_id = r.business_id and b.id = r.branch_id
  join device d on d.business_id = r.business_id and d.id = r.device_id
  left join signature s on s.business_id = r.business_id and s.receipt_id = r.id`;

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

function toReceipt(row: Record<string, unknown>): Receipt {
  return {
    id: row.id as string,
    module: row.module as Receipt['module'],
    documentId: row.document_id as string,
    kind: row.kind as Receipt['kind'],
    documentNumber: row.document_number as string,
    documentDate: row.document_date as string,
    branchId: row.branch_id as string,
    branchCode: row.branch_code as string,
    deviceId: row.device_id as string,
    dialect: row.dialect as string,
    environment: row.environment as Receipt['environment'],
    isDeviceRetired: row.device_state === 'retired',
    movedTo: row.moved_to as string | null,
    laneStop:
      fromJson<StoredProblem | null>(row.device_difference) ??
      (row.device_state === 'paused'
        ? (fromJson<StoredProblem | null>(row.device_problem) ?? { code: 'device_paused' })
        : null),
    isBehindDoubt: row.has_doubt as boolean,
    filed: fromJson(row.sale),
    documentHash: row.document_hash as string,
    answers: fromJson(row.answers),
    saleReceiptId: row.sale_receipt_id as string | null,
    state: row.state as ReceiptState,
    invoiceNumber: row.invoice_number as string | null,
    problem: fromJson(row.problem),
    drift: fromJson(row.drift),
    tries: row.tries as number,
    openedAt: toDate(row.opened_at),
    updatedAt: toDate(row.updated_at),
    prints: row.prints as number,
    original: fromJson(row.original),
    originalPaper: row.original_paper as OriginalPaper | null,
    reversal: fromJson(row.reversal),
    undoing: fromJson(row.undoing),
    settlement: fromJson(row.settlement),
    secondSignatures: toSecondSignatures(row.second_signatures),
    isContested: row.contested as boolean,
    signature:
      row.receipt_signature === null
        ? null
        : {
            receiptNumber: row.receipt_number as string,
            totalReceiptNumber: row.total_receipt_number as string,
            internalData: row.internal_data as string,
            receiptSignature: row.receipt_signature as string,
            sdcId: row.sdc_id as string,
            mrcNumber: row.mrc_number as string,
            signedAt: toDateOrNull(row.signed_at) as Date,
            verificationUrl: row.verification_url as string,
            label: row.label as string,
            source: row.source as StoredSignature['source'],
          },
  };
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
 * A page of receipts, newest first. A state stands as text in the statement, so that an index of
 * that state is chosen; what is searched for is found by its rarest word, or, where every word is
 * in many, met soon on the way through all of them.
 */
export async function listReceipts(tx: Tx, page: ReceiptPage): Promise<Receipt[]> {
  const beginnings = page.search ? prefixesOf(page.search) : null;
  // Nothing but signs: no word begins with that.
  if (beginnings?.length === 0) return [];
  const rare = beginnings && (await findSelectivePrefix(tx, beginnings));
  const where = [
    pageAfter('receipt', 'r.opened_at', 'r.id', '$1', '$2'),
    page.environment
      ? `r.environment = '${page.environment === 'sandbox' ? 'sandbox' : 'production'}'`
      : "(r.environment = 'production' or d.state <> 'retired')",
    ...(page.state
      ? [`r.state = '${receiptStates.find((each) => each === page.state) ?? ''}'`]
      : []),
    ...(rare ? [idsByWord('$5', '$6')] : []),
    ...(beginnings ? [containsAll('r.words', '$4')] : []),
  ];
  const rows = await query(
    tx,
    `${select} where ${where.join(' and ')} order by r.opened_at desc, r.id desc limit $3`,
    [
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
      ...(beginnings ? [beginnings] : []),
      ...(rare ? [rare.from, rare.to] : []),
    ],
  );
  return rows.map(toReceipt);
}

/**
 * Receipts of the documents that have a word in this range. As a list made first, so that each is
 * then found by its key.
 */
const idsByWord = (from: string, to: string): string =>
  `r.id = any(array(select x.id from search_word w, lateral
     (select o.id from receipt o where o.module = w.module and o.document_id = w.document_id offset 0) x where w.word >= ${from} and w.word < ${to}))`;

/** What a receipt is found by: its document's number, the buyer, and whose it is. */
const wordsOfReceipt = (of: Pick<Receipt, 'documentNumber' | 'filed'>): string =>
  searchWordsOf(
    of.documentNumber,
    of.filed.sale.buyer.name,
    customerWord(of.filed.sale.customerId),
  );
const customerWord = (customerId: string): string => (customerId ? `customer:${customerId}` : '');

/** Beside what is filed, for the index that finds the last rate of a currency. */
const currencyOf = (filed: SigningInput): string | null => filed.sale.foreign?.currency ?? null;

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
    `insert into receipt (business_id, id, module, document_id, kind, document_number, document_date, branch_id, device_id, sale, document_hash, answers,
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

export type Requeued = Pick<
  Receipt,
  | 'filed'
  | 'documentHash'
  | 'answers'
  | 'documentNumber'
  | 'documentDate'
  | 'branchId'
  | 'deviceId'
  | 'saleReceiptId'
> & {
  needsRegistering: boolean;
};

const contentOf = (receipt: string) =>
  `jsonb_build_object('sale', ${receipt}.sale, 'document_hash', ${receipt}.document_hash, 'document_number', ${receipt}.document_number, 'document_date', ${receipt}.document_date,
     'sale_receipt_id', ${receipt}.sale_receipt_id, 'words', ${receipt}.words, 'foreign_currency', ${receipt}.foreign_currency)`;

/**
 * What sends that may have left were made of stays with them, where the receipt is about to say
 * something else.
 */
const keepSent = (sale: string) => `with kept as (
  update attempt a set sent = ${contentOf('r')} from receipt r
   where r.id = $1 and r.sale is distinct from ${sale}::jsonb and a.business_id = r.business_id and a.receipt_id = r.id and a.may_have_left and a.sent is null)`;

/**
 * A document in doubt about a number says what was sent under it last, also where it has been read
 * anew since: with that it is signed, should it be. Read anew it is again once the doubt has ended
 * otherwise.
 */
export const restoreSent = (tx: Tx, receiptId: string, invoiceNumber: string) =>
  query(
    tx,
    `with back as (
       select last.sent from (select a.sent from attempt a where a.receipt_id = $1 and a.invoice_number = $2 and a.may_have_left
                       order by a.ordinal desc, a.started_at desc, a.id desc limit 1) last where sent is not null),
     kept as (update attempt a set sent = ${contentOf('r')} from receipt r, back
               where r.id = $1 and a.business_id = r.business_id and a.receipt_id = r.id and a.may_have_left and a.sent is null),
     present as (update attempt a set sent = null from back where a.receipt_id = $1 and a.sent = back.sent)
     update receipt set sale = back.sent->'sale', document_hash = back.sent->>'document_hash', document_number = back.sent->>'document_number',
         document_date = (back.sent->>'document_date')::date, sale_receipt_id = back.sent->>'sale_receipt_id', words = back.sent->>'words',
         foreign_currency = back.sent->>'foreign_currency'
       from back where id = $1`,
    [receiptId, invoiceNumber],
  );

/**
 * Puts a refused or withdrawn receipt back in the lane of its own device, as the same receipt, at
 * the end.
 */
export async function requeueReceipt(tx: Tx, id: string, as: Requeued, at: Date): Promise<void> {
  await query(
    tx,
    `${keepSent('$3')} update receipt set state = 'queued', problem = null, invoice_number = null, tries = 0, next_try_at = null, queued_at = $2, read_at = $2, updated_at = $2,
       sale = $3, document_hash = $4, answers = $5, document_number = $6, document_date = $7, sale_receipt_id = $8, needs_registering = $9, words = $10, foreign_currency = $11 where id = $1`,
    [
      id,
      at,
      json(as.filed),
      as.documentHash,
      json(as.answers),
      as.documentNumber,
      as.documentDate,
      as.saleReceiptId,
      as.needsRegistering,
      wordsOfReceipt(as),
      currencyOf(as.filed),
    ],
  );
}

/**
 * Closes a receipt of which nothing can be signed any more at a device that is not its document's
 * now, for the one with that id that is opened at the other device in the same transaction.
 */
export const moveReceipt = (tx: Tx, id: string, to: string, problem: StoredProblem, at: Date) =>
  query(
    tx,
    "update receipt set state = 'withdrawn', moved_to = $2, problem = $3, invoice_number = null, next_try_at = null, updated_at = $4 where id = $1",
    [id, to, json(problem), at],
  );

/**
 * The same for one that stands already and was closed before, itself or by way of others, for the
 * one that is closed now: it is closed for none any more. Of a document each receipt is closed for
 * the next one, and the last one stands: this one goes from its place to the end, and whatever was
 * closed for it is closed for the one that came after it.
 */
export async function moveReceiptBack(
  tx: Tx,
  id: string,
  to: Pick<Receipt, 'id' | 'module' | 'documentId' | 'movedTo'>,
  problem: StoredProblem,
  at: Date,
): Promise<void> {
  // No two are ever closed for the same one, not even between two statements: closed for none that
  // there is, it is in nobody's way.
  const between =
    "update receipt set moved_to = '-' where module = $2 and document_id = $3 and moved_to = $1 returning id";
  const [before] = await query<{ id: string }>(tx, between, [to.id, to.module, to.documentId]);
  await moveReceipt(tx, id, to.id, problem, at);
  await query(tx, 'update receipt set moved_to = null where id = $1', [to.id]);
  if (before)
    await query(tx, 'update receipt set moved_to = $2 where id = $1', [before.id, to.movedTo]);
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
 * What the lane read anew before sending again. It is readable: how often it was asked for in vain
 * counts no more, nor what was said of it while it stood aside for that; what its device has said
 * stays until the device says something else.
 */
export async function refreshReceipt(
  tx: Tx,
  id: string,
  as: Pick<
    Receipt,
    'filed' | 'documentHash' | 'answers' | 'documentNumber' | 'documentDate' | 'saleReceiptId'
  > & { needsRegistering: boolean },
  at: Date,
): Promise<void> {
  await query(
    tx,
    `${keepSent('$2')} update receipt set sale = $2, document_hash = $3, document_number = $4, document_date = $5, read_at = $6, needs_registering = $7, words = $8,
       foreign_currency = $9, answers = $10, sale_receipt_id = $11, tries = 0, next_try_at = null,
       problem = case when invoice_number is null and read_at is null then null else problem end where id = $1`,
    [
      id,
      json(as.filed),
      as.documentHash,
      as.documentNumber,
      as.documentDate,
      at,
      as.needsRegistering,
      wordsOfReceipt(as),
      currencyOf(as.filed),
      json(as.answers),
      as.saleReceiptId,
    ],
  );
}

/** How often something was tried is counted within one state. */
export async function setReceiptState(
  tx: Tx,
  id: string,
  is: {
    state: ReceiptState;
    problem: StoredProblem | null;
    invoiceNumber: string | null;
    nextTryAt?: Date | null;
  },
  at: Date,
): Promise<void> {
  await query(
    tx,
    `update receipt set state = $2, problem = $3, invoice_number = $4, next_try_at = $5, updated_at = $6, tries = case when state = $2 then tries else 0 end
      where id = $1`,
    [id, is.state, json(is.problem), is.invoiceNumber, is.nextTryAt ?? null, at],
  );
}

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
          : ["r.sale->'sale'->>'customerId' = $1 and r.state = 'signed'", by.customerId];
  const rows = await query<Record<string, string>>(
    tx,
    `select r.id, r.document_id, r.document_number, r.document_date::text, r.state, r.sale->'sale'->>'total' as total,
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
    `select sale->'sale'->'foreign'->>'exchangeRate' as rate, document_date::text as day from receipt
      where foreign_currency = $1 and state = 'signed' and kind = 'sale' and environment = coalesce($2, 'production')
        and (sale #>> '{sale,foreign,exchangeRate}')::numeric <> 1
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
  of: {
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
    [of.module, of.documentId, of.number, of.environment, of.most],
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
  const rows = await query<{ sale: unknown }>(
    tx,
    "select sale from receipt where sale_receipt_id = $1 and module = 'creditnotes' and kind = 'refund' and (state in ('queued', 'signed', 'in_doubt') or contested) and id is distinct from $2",
    [saleReceiptId, exceptId],
  );
  return rows.map((row) => fromJson<SigningInput>(row.sale));
}
