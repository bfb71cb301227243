import type { Tx } from '../../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';
import type { KeptAnswer } from './stored-answer.ts';
import type { SecondSignature } from './second-signature.model.ts';

/** As the receipt's row carries them, oldest first: numbers as text. */
export const secondSignaturesOf = (receipt: string): string => `
  (select jsonb_agg(to_jsonb(x) - '{business_id,response,response_raw}'::text[] || jsonb_build_object('invoice_number', x.invoice_number::text,
      'receipt_number', x.receipt_number::text, 'total_receipt_number', x.total_receipt_number::text) order by x.ordinal, x.heard_at, x.receipt_signature)
     from second_signature x where x.business_id = ${receipt}.business_id and x.receipt_id = ${receipt}.id)`;

export const toSecondSignatures = (stored: unknown): SecondSignature[] =>
  (fromJson<Record<string, unknown>[] | null>(stored) ?? []).map((row) => ({
    receiptNumber: row.receipt_number as string,
    totalReceiptNumber: row.total_receipt_number as string,
    internalData: row.internal_data as string,
    receiptSignature: row.receipt_signature as string,
    sdcId: row.sdc_id as string,
    mrcNumber: row.mrc_number as string,
    signedAt: toDate(row.signed_at),
    attemptId: row.attempt_id as string,
    deviceId: row.device_id as string,
    invoiceNumber: row.invoice_number as string,
    verificationUrl: row.verification_url as string,
    label: row.label as string,
    heardAt: toDate(row.heard_at),
    settledAs: row.settled_as as SecondSignature['settledAs'],
    settledEvidence: row.settled_evidence,
    settledAt: toDateOrNull(row.settled_at),
  }));

/**
 * Keeps it beside its receipt, and its number from being given again: the device has used it, and
 * its place in the total. One that is open contests the receipt.
 */
export async function keepSecond(
  tx: Tx,
  businessId: string,
  receiptId: string,
  second: Omit<SecondSignature, 'settledEvidence'> & {
    response: KeptAnswer | null;
    settledEvidence?: unknown;
  },
): Promise<void> {
  await query(
    tx,
    `insert into second_signature (business_id, receipt_id, receipt_signature, attempt_id, device_id, environment, invoice_number, receipt_number,
       total_receipt_number, internal_data, sdc_id, mrc_number, signed_at, verification_url, label, response, response_raw, heard_at, settled_as, settled_evidence, settled_at)
     values ($1, $2, $3, $4, $5, (select environment from device where business_id = $1 and id = $5), $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
    [
      businessId,
      receiptId,
      second.receiptSignature,
      second.attemptId,
      second.deviceId,
      second.invoiceNumber,
      second.receiptNumber,
      second.totalReceiptNumber,
      second.internalData,
      second.sdcId,
      second.mrcNumber,
      second.signedAt,
      second.verificationUrl,
      second.label,
      second.response?.text,
      second.response?.raw,
      second.heardAt,
      second.settledAs,
      json(second.settledEvidence ?? null),
      second.settledAt,
    ],
  );
  await query(
    tx,
    `update device set free_numbers = array_remove(free_numbers, $2::bigint), burnt_numbers = array_remove(burnt_numbers, $2::bigint),
       total_base = case when total_base is null or total_base = $3::bigint - 1 then $3::bigint else total_base end,
       last_total_receipt_number = greatest(last_total_receipt_number, $3::bigint) where id = $1`,
    [second.deviceId, second.invoiceNumber, second.totalReceiptNumber],
  );
  if (second.settledAt === null)
    await query(tx, 'update receipt set contested = true, updated_at = $2 where id = $1', [
      receiptId,
      second.heardAt,
    ]);
}

/** A person has settled it; nothing contests the receipt any more once none is open. */
export async function settleSecond(
  tx: Tx,
  receiptId: string,
  receiptSignature: string,
  word: { as: 'receipt' | 'undone'; evidence: unknown; at: Date },
): Promise<void> {
  await query(
    tx,
    'update second_signature set settled_as = $3, settled_evidence = $4, settled_at = $5 where receipt_id = $1 and receipt_signature = $2',
    [receiptId, receiptSignature, word.as, json(word.evidence), word.at],
  );
  await contestWhileOpen(tx, receiptId, word.at);
}

/** The refund that undid a lost sale has answered what was heard of it meanwhile. */
export async function settleReversed(
  tx: Tx,
  receiptId: string,
  invoiceNumber: string,
  evidence: unknown,
  at: Date,
): Promise<void> {
  await query(
    tx,
    "update second_signature set settled_as = 'reversed', settled_evidence = $3, settled_at = $4 where receipt_id = $1 and invoice_number = $2 and settled_at is null",
    [receiptId, invoiceNumber, json(evidence), at],
  );
  await contestWhileOpen(tx, receiptId, at);
}

const contestWhileOpen = (tx: Tx, receiptId: string, at: Date) =>
  query(
    tx,
    'update receipt set contested = exists (select 1 from second_signature x where x.receipt_id = $1 and x.settled_at is null), updated_at = $2 where id = $1',
    [receiptId, at],
  );

/**
 * Goes along with a document whose receipt is closed for another one: what contests the first
 * contests the second.
 */
export async function moveSeconds(
  tx: Tx,
  fromReceiptId: string,
  toReceiptId: string,
): Promise<void> {
  const moved = await query(
    tx,
    'update second_signature set receipt_id = $2 where receipt_id = $1 and settled_at is null returning 1 as yes',
    [fromReceiptId, toReceiptId],
  );
  if (moved.length > 0)
    await query(tx, 'update receipt set contested = (id = $2) where id in ($1, $2)', [
      fromReceiptId,
      toReceiptId,
    ]);
}

/**
 * Whether a late signature stands under a number of a device: then it is known whose the number is.
 */
export const isSignedLateUnder = async (
  tx: Tx,
  deviceId: string,
  invoiceNumber: string,
): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as yes from second_signature where device_id = $1 and invoice_number = $2 limit 1',
    [deviceId, invoiceNumber],
  )) !== null;

/** With the answers they stand in, for whoever has to show them. */
export async function listAnswers(tx: Tx, receiptId: string): Promise<Map<string, KeptAnswer>> {
  const rows = await query<{
    receipt_signature: string;
    response: string | null;
    response_raw: Buffer | null;
  }>(
    tx,
    'select receipt_signature, response, response_raw from second_signature where receipt_id = $1 and response is not null',
    [receiptId],
  );
  return new Map(
    rows.map((row) => [
      row.receipt_signature,
      { text: row.response as string, raw: row.response_raw },
    ]),
  );
}
