import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';
import type { Reverses } from '../sale/signing-input.model.ts';

export type Reversal = {
  receiptId: string;
  /** What the lost receipt was signed under. */
  invoiceNumber: string;
  reasonCode: string;
  source: string;
  proposedBy: string;
  proposedName: string;
  proposedAt: Date;
  confirmedBy: string | null;
  confirmedName: string | null;
  confirmedAt: Date | null;
  reversalReceiptId: string | null;
  reversedAt: Date | null;
};

export async function findReversal(tx: Tx, receiptId: string): Promise<Reversal | null> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select receipt_id, invoice_number::text, reason_code, source, proposed_by, proposed_name, proposed_at, confirmed_by, confirmed_name, confirmed_at,
       reversal_receipt_id, reversed_at
       from reversal where receipt_id = $1`,
    [receiptId],
  );
  return (
    row && {
      receiptId: row.receipt_id as string,
      invoiceNumber: row.invoice_number as string,
      reasonCode: row.reason_code as string,
      source: row.source as string,
      proposedBy: row.proposed_by as string,
      proposedName: row.proposed_name as string,
      proposedAt: toDate(row.proposed_at),
      confirmedBy: row.confirmed_by as string | null,
      confirmedName: row.confirmed_name as string | null,
      confirmedAt: toDateOrNull(row.confirmed_at),
      reversalReceiptId: row.reversal_receipt_id as string | null,
      reversedAt: toDateOrNull(row.reversed_at),
    }
  );
}

export type Proposal = Pick<
  Reversal,
  | 'receiptId'
  | 'invoiceNumber'
  | 'reasonCode'
  | 'source'
  | 'proposedBy'
  | 'proposedName'
  | 'proposedAt'
>;

/** A proposal, in the place of an earlier one that came to nothing. */
export const putProposal = (tx: Tx, businessId: string, proposal: Proposal) =>
  query(
    tx,
    `insert into reversal (business_id, receipt_id, invoice_number, reason_code, source, proposed_by, proposed_name, proposed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (business_id, receipt_id) do update set invoice_number = excluded.invoice_number, reason_code = excluded.reason_code, source = excluded.source,
       proposed_by = excluded.proposed_by, proposed_name = excluded.proposed_name, proposed_at = excluded.proposed_at,
       confirmed_by = null, confirmed_name = null, confirmed_at = null, reversal_receipt_id = null`,
    [
      businessId,
      proposal.receiptId,
      proposal.invoiceNumber,
      proposal.reasonCode,
      proposal.source,
      proposal.proposedBy,
      proposal.proposedName,
      proposal.proposedAt,
    ],
  );

export const confirmProposal = (
  tx: Tx,
  receiptId: string,
  person: { id: string; name: string },
  reversalReceiptId: string,
  at: Date,
) =>
  query(
    tx,
    'update reversal set confirmed_by = $2, confirmed_name = $3, confirmed_at = $4, reversal_receipt_id = $5 where receipt_id = $1',
    [receiptId, person.id, person.name, at, reversalReceiptId],
  );

export const dropProposal = (tx: Tx, receiptId: string) =>
  query(
    tx,
    'delete from reversal where receipt_id = $1 and confirmed_by is null and reversed_at is null',
    [receiptId],
  );

/**
 * A refund has undone it, on the word that this refund was confirmed on: a later proposal may have
 * taken the place of that one, or been taken back, before the refund was known to be signed.
 */
export async function markReversed(
  tx: Tx,
  businessId: string,
  reversed: Reverses & { reversalReceiptId: string },
  at: Date,
): Promise<void> {
  const { receiptId, invoiceNumber, reversalReceiptId, word } = reversed;
  if (word)
    await query(
      tx,
      `insert into reversal (business_id, receipt_id, invoice_number, reason_code, source, proposed_by, proposed_name, proposed_at, confirmed_by, confirmed_name,
         confirmed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (business_id, receipt_id) do update set invoice_number = excluded.invoice_number, reason_code = excluded.reason_code,
         source = excluded.source, proposed_by = excluded.proposed_by, proposed_name = excluded.proposed_name, proposed_at = excluded.proposed_at,
         confirmed_by = excluded.confirmed_by, confirmed_name = excluded.confirmed_name, confirmed_at = excluded.confirmed_at`,
      [
        businessId,
        receiptId,
        invoiceNumber,
        word.reasonCode,
        word.source,
        word.proposedBy,
        word.proposedName,
        word.proposedAt,
        word.confirmedBy,
        word.confirmedName,
        word.confirmedAt,
      ],
    );
  await query(
    tx,
    'update reversal set reversed_at = $2, reversal_receipt_id = $3 where receipt_id = $1',
    [receiptId, at, reversalReceiptId],
  );
}

/** Whether a refund has undone it: the document is undone in this way once. */
export const isReversed = async (tx: Tx, receiptId: string): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as yes from reversal where receipt_id = $1 and reversed_at is not null',
    [receiptId],
  )) !== null;
