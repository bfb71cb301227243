import type { Receipt } from './receipt-row.ts';
import type { Tx } from '../../platform/db/database.ts';
import { json, query, queryOne, sendWithoutWaiting } from '../../platform/db/query.ts';
import type { KeptAnswer } from './stored-answer.ts';
import type { Signature } from '../../model/sale.model.ts';
import { mayBeSigned } from './doubt.store.ts';

/** A signature as it is recorded, with the receipt it makes and whoever brought it. */
export type SignedReceipt = {
  attemptId: string;
  receiptId: string;
  deviceId: string;
  invoiceNumber: string;
  signature: Signature;
  verificationUrl: string;
  label: string;
  source: 'device' | 'late_answer' | 'read_back' | 'person';
  evidence: unknown;
  response: KeptAnswer | null;
  at: Date;
  auditId: string;
  actor: { type: string; id: string };
};

/**
 * The attempt's outcome, the signature, the receipt's state, the device's counters and the trail:
 * one statement, one transaction.
 */
export async function recordSigned(
  tx: Tx,
  businessId: string,
  signed: SignedReceipt,
): Promise<void> {
  const s = signed.signature;
  await sendWithoutWaiting(
    tx,
    `with a as (update attempt set outcome = coalesce(outcome, 'signed'), ended_at = coalesce(ended_at, $16), socket_closed_at = coalesce(socket_closed_at, $16), resolution = 'signed',
                  response = case when id = $2 then coalesce($17, response) else response end,
                  response_raw = case when id = $2 and $17::text is not null then $23::bytea else response_raw end
                where business_id = $1 and receipt_id = $3 and (id = $2 or (resolution is null or resolution = 'doubtful') and outcome in ('in_doubt', 'number_taken'))),
          s as (insert into signature (business_id, receipt_id, device_id, invoice_number, receipt_number, total_receipt_number, internal_data, receipt_signature, sdc_id,
                  mrc_number, signed_at, verification_url, label, source, evidence, recorded_at, environment)
                values ($1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $18, $14, $15, $16, (select environment from device where business_id = $1 and id = $4))),
          r as (update receipt set state = 'signed', problem = null, invoice_number = $5, next_try_at = null, doubt_since = null, updated_at = $16 where business_id = $1 and id = $3),
          d as (update device set last_total_receipt_number = greatest(last_total_receipt_number, $7),
                  total_base = case when total_base is null or total_base = $7 - 1 then $7 else total_base end,
                  totals_explained = case when total_base = last_total_receipt_number and total_base = $7 - 1 then 0 else totals_explained end, last_contact_at = $16, lane_tries = 0,
                  open_attempt = nullif(open_attempt, $2) where business_id = $1 and id = $4)
     insert into audit (business_id, id, at, actor_type, actor_id, action, subject, after)
     values ($1, $19, $16, $20, $21, 'receipt.signed', $3, $22)`,
    [
      businessId,
      signed.attemptId,
      signed.receiptId,
      signed.deviceId,
      signed.invoiceNumber,
      s.receiptNumber,
      s.totalReceiptNumber,
      s.internalData,
      s.receiptSignature,
      s.sdcId,
      s.mrcNumber,
      s.signedAt,
      signed.verificationUrl,
      signed.source,
      json(signed.evidence),
      signed.at,
      signed.response?.text,
      signed.label,
      signed.auditId,
      signed.actor.type,
      signed.actor.id,
      json({
        invoice_number: signed.invoiceNumber,
        receipt_number: s.receiptNumber,
        total_receipt_number: s.totalReceiptNumber,
        source: signed.source,
      }),
      signed.response?.raw,
    ],
  );
}

/**
 * How many receipts of the device are nobody's that we know of: totals up to its last one without a
 * signature here, less those that our open doubts, and what is on its way just now, may have used
 * since, and those that were explained. Where there are none, everything up to now is accounted
 * for; what was explained beyond that has a total that we have not seen yet. Of several that are in
 * doubt about one number at most one was signed. A device that was set up anew counts on: what its
 * row before has signed, or may have, is as much ours.
 */
export async function countStrangers(tx: Tx, deviceId: string): Promise<number> {
  const row = await queryOne<{ missing: string; doubts: string }>(
    tx,
    `with seen as (
       select d.id, d.last_total_receipt_number - d.total_base - d.totals_explained - (select count(*) from (
                select business_id, environment, sdc_id, total_receipt_number from signature
                union select business_id, environment, sdc_id, total_receipt_number from second_signature) s
                where s.business_id = d.business_id and s.environment = d.environment and s.sdc_id = d.sdc_id
                  and s.total_receipt_number > d.total_base and s.total_receipt_number <= d.last_total_receipt_number) as missing,
         (select count(distinct (o.id, a.number)) from device o join receipt r on r.business_id = o.business_id and r.device_id = o.id and r.state = 'in_doubt'
                cross join lateral (
                  select r.invoice_number as number where coalesce(r.problem->>'code', '') <> 'number_collision'
                  union select o2.invoice_number from attempt o2 where o2.business_id = r.business_id and o2.receipt_id = r.id
                    and o2.invoice_number <> r.invoice_number and ${mayBeSigned('o2')}) a
              where o.business_id = d.business_id and (o.id = d.id or o.sdc_id = d.sdc_id and o.environment = d.environment))
           + (select count(*) from device o join attempt a on a.business_id = o.business_id and a.id = o.open_attempt
                join receipt r on r.business_id = a.business_id and r.id = a.receipt_id and r.state <> 'in_doubt'
              where o.business_id = d.business_id and (o.id = d.id or o.sdc_id = d.sdc_id and o.environment = d.environment)) as doubts
         from device d where d.id = $1 and d.total_base is not null),
     whole as (update device d set total_base = last_total_receipt_number, totals_explained = -seen.missing from seen where d.id = seen.id and seen.missing <= 0)
     select missing::text, doubts::text from seen`,
    [deviceId],
  );
  return Math.max(0, Number(row?.missing ?? 0) - Number(row?.doubts ?? 0));
}

/** A person has said whose these receipts are. */
export const explainTotals = (tx: Tx, deviceId: string, count: string) =>
  query(tx, 'update device set totals_explained = totals_explained + $2::int where id = $1', [
    deviceId,
    count,
  ]);

/**
 * How many numbers of a range have a receipt of ours, or one of a document of ours that is in
 * doubt: they are no other program's.
 */
export const countOwnNumbers = async (
  tx: Tx,
  deviceId: string,
  first: bigint,
  last: bigint,
): Promise<bigint> =>
  BigInt(
    (
      await queryOne<{ own: string }>(
        tx,
        `select count(*)::text as own from (
             select invoice_number from signature where device_id = $1 union select invoice_number from second_signature where device_id = $1
             union select invoice_number from receipt where device_id = $1 and state = 'in_doubt' and problem->>'code' is distinct from 'number_collision'
             union select a.invoice_number from receipt r join attempt a on a.business_id = r.business_id and a.receipt_id = r.id
                where r.device_id = $1 and r.state = 'in_doubt' and a.invoice_number <> r.invoice_number and ${mayBeSigned('a')}) own
          where invoice_number between $2::bigint and $3::bigint`,
        [deviceId, first.toString(), last.toString()],
      )
    )?.own ?? 0,
  );

/** The same of everything that the device has signed up to now. */
export const explainAllTotals = (tx: Tx, deviceId: string) =>
  query(
    tx,
    'update device set total_base = last_total_receipt_number, totals_explained = 0 where id = $1',
    [deviceId],
  );

/** Every document of a device that met a number which somebody else had used, by that number. */
export const listCollisions = async (
  tx: Tx,
  deviceId: string,
): Promise<{ id: string; invoiceNumber: string }[]> =>
  (
    await query<Record<string, string>>(
      tx,
      "select id, invoice_number::text from receipt where device_id = $1 and state = 'in_doubt' and problem->>'code' = 'number_collision' order by id",
      [deviceId],
    )
  ).map((row) => ({ id: row.id as string, invoiceNumber: row.invoice_number as string }));

export const isSignatureKnown = async (
  tx: Tx,
  receiptSignature: string,
  sdcId: string,
): Promise<boolean> =>
  (await queryOne(
    tx,
    `select 1 as yes from signature where receipt_signature = $1 and sdc_id = $2
     union all select 1 from second_signature where receipt_signature = $1 and sdc_id = $2 limit 1`,
    [receiptSignature, sdcId],
  )) !== null;

export const isTotalKnown = async (
  tx: Tx,
  totalReceiptNumber: string,
  { environment, sdcId }: OfDevice,
): Promise<boolean> =>
  (await queryOne(
    tx,
    `select 1 as yes from signature where environment = $3 and sdc_id = $2 and total_receipt_number = $1
     union all select 1 from second_signature where environment = $3 and sdc_id = $2 and total_receipt_number = $1 limit 1`,
    [totalReceiptNumber, sdcId, environment],
  )) !== null;

/**
 * Whether a total can be that of a document in doubt: nobody's, and above those known when it was
 * first sent. Later ones may be higher.
 */
export const canTotalBe = async (
  tx: Tx,
  sent: { receiptId: string; invoiceNumber: string },
  totalReceiptNumber: string,
  { environment, sdcId }: OfDevice,
): Promise<boolean> =>
  (await queryOne(
    tx,
    `select 1 as no from (select environment, sdc_id, total_receipt_number, ordinal, recorded_at from signature
         union all select environment, sdc_id, total_receipt_number, ordinal, heard_at from second_signature) s
      where environment = $5 and sdc_id = $2 and (total_receipt_number = $1 or total_receipt_number > $1
       and (ordinal, recorded_at) < (select ordinal, started_at from attempt where receipt_id = $3 and invoice_number = $4 order by ordinal, started_at limit 1)) limit 1`,
    [totalReceiptNumber, sdcId, sent.receiptId, sent.invoiceNumber, environment],
  )) === null;

export type OfDevice = Pick<Receipt, 'environment'> & { sdcId: string };
