import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../../platform/db/database.ts';
import { json, query } from '../../platform/db/query.ts';
import { decideState } from './record-state.ts';
import { searchWordsOf } from '../../platform/search-words.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import type { Receipt } from './receipt-row.ts';
import { customerWord } from './find-sales.store.ts';

/** What a receipt is found by: its document's number, the buyer, and whose it is. */
export const wordsOfReceipt = (receipt: Pick<Receipt, 'documentNumber' | 'filed'>): string =>
  searchWordsOf(
    receipt.documentNumber,
    receipt.filed.sale.buyer.name,
    customerWord(receipt.filed.sale.customerId),
  );

/** Beside what is filed, for the index that finds the last rate of a currency. */
export const currencyOf = (filed: SigningInput): string | null =>
  filed.sale.foreign?.currency ?? null;

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
  `jsonb_build_object('signing_input', ${receipt}.signing_input, 'document_hash', ${receipt}.document_hash, 'document_number', ${receipt}.document_number, 'document_date', ${receipt}.document_date,
     'sale_receipt_id', ${receipt}.sale_receipt_id, 'words', ${receipt}.words, 'foreign_currency', ${receipt}.foreign_currency)`;

/**
 * What sends that may have left were made of stays with them, where the receipt is about to say
 * something else.
 */
const keepSent = (sale: string) => `with kept as (
  update attempt a set sent = ${contentOf('r')} from receipt r
   where r.id = $1 and r.signing_input is distinct from ${sale}::jsonb and a.business_id = r.business_id and a.receipt_id = r.id and a.may_have_left and a.sent is null)`;

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
     update receipt set signing_input = back.sent->'signing_input', document_hash = back.sent->>'document_hash', document_number = back.sent->>'document_number',
         document_date = (back.sent->>'document_date')::date, sale_receipt_id = back.sent->>'sale_receipt_id', words = back.sent->>'words',
         foreign_currency = back.sent->>'foreign_currency'
       from back where id = $1`,
    [receiptId, invoiceNumber],
  );

/**
 * Puts a refused or withdrawn receipt back in the lane of its own device, as the same receipt, at
 * the end.
 */
export async function requeueReceipt(
  tx: Tx,
  id: string,
  content: Requeued,
  at: Date,
): Promise<void> {
  const state = await decideState(tx, id, 'queued');
  await query(
    tx,
    `${keepSent('$3')} update receipt set state = $12, problem = null, invoice_number = null, tries = 0, next_try_at = null, queued_at = $2, read_at = $2, updated_at = $2,
       signing_input = $3, document_hash = $4, answers = $5, document_number = $6, document_date = $7, sale_receipt_id = $8, needs_registering = $9, words = $10, foreign_currency = $11 where id = $1`,
    [
      id,
      at,
      json(content.filed),
      content.documentHash,
      json(content.answers),
      content.documentNumber,
      content.documentDate,
      content.saleReceiptId,
      content.needsRegistering,
      wordsOfReceipt(content),
      currencyOf(content.filed),
      state,
    ],
  );
}

/**
 * Closes a receipt of which nothing can be signed any more at a device that is not its document's
 * now, for the one with that id that is opened at the other device in the same transaction.
 */
export const moveReceipt = async (
  tx: Tx,
  id: string,
  movedTo: string,
  problem: StoredProblem,
  at: Date,
) => {
  // Whatever it may be signed under, the one that stands for it takes up.
  const state = await decideState(tx, id, 'withdrawn', { isMoved: true });
  await query(
    tx,
    'update receipt set state = $5, moved_to = $2, problem = $3, invoice_number = null, next_try_at = null, updated_at = $4 where id = $1',
    [id, movedTo, json(problem), at, state],
  );
};

/**
 * The same for one that stands already and was closed before, itself or by way of others, for the
 * one that is closed now: it is closed for none any more. Of a document each receipt is closed for
 * the next one, and the last one stands: this one goes from its place to the end, and whatever was
 * closed for it is closed for the one that came after it.
 */
export async function moveReceiptBack(
  tx: Tx,
  id: string,
  standing: Pick<Receipt, 'id' | 'module' | 'documentId' | 'movedTo'>,
  problem: StoredProblem,
  at: Date,
): Promise<void> {
  // No two are ever closed for the same one, not even between two statements: closed for none that
  // there is, it is in nobody's way.
  const between =
    "update receipt set moved_to = '-' where module = $2 and document_id = $3 and moved_to = $1 returning id";
  const [before] = await query<{ id: string }>(tx, between, [
    standing.id,
    standing.module,
    standing.documentId,
  ]);
  await moveReceipt(tx, id, standing.id, problem, at);
  await query(tx, 'update receipt set moved_to = null where id = $1', [standing.id]);
  if (before)
    await query(tx, 'update receipt set moved_to = $2 where id = $1', [
      before.id,
      standing.movedTo,
    ]);
}

/**
 * What the lane read anew before sending again. It is readable: how often it was asked for in vain
 * counts no more, nor what was said of it while it stood aside for that; what its device has said
 * stays until the device says something else.
 */
export async function refreshReceipt(
  tx: Tx,
  id: string,
  content: Pick<
    Receipt,
    'filed' | 'documentHash' | 'answers' | 'documentNumber' | 'documentDate' | 'saleReceiptId'
  > & { needsRegistering: boolean },
  at: Date,
): Promise<void> {
  await query(
    tx,
    `${keepSent('$2')} update receipt set signing_input = $2, document_hash = $3, document_number = $4, document_date = $5, read_at = $6, needs_registering = $7, words = $8,
       foreign_currency = $9, answers = $10, sale_receipt_id = $11, tries = 0, next_try_at = null,
       problem = case when invoice_number is null and read_at is null then null else problem end where id = $1`,
    [
      id,
      json(content.filed),
      content.documentHash,
      content.documentNumber,
      content.documentDate,
      at,
      content.needsRegistering,
      wordsOfReceipt(content),
      currencyOf(content.filed),
      json(content.answers),
      content.saleReceiptId,
    ],
  );
}
