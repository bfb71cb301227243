import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../../platform/db/database.ts';
import { json, query, queryOne } from '../../platform/db/query.ts';
import { decideState } from './record-state.ts';
import { restoreSent } from './requeue.store.ts';

/** In the words of the index that answers it (`receipt_in_doubt`), which no other one answers. */
export const isInDoubt = (receipt: string) => `(${receipt}.state = 'in_doubt') is true`;

/**
 * Whether one row was written after another of its lane. Counted, because a clock may be set back;
 * what was there before anything was counted stands before everything else, in the order of its
 * times.
 */
export const isLater = (row: string, other: string) =>
  `(${row}.ordinal, ${row}.started_at, ${row}.id) > (${other}.ordinal, ${other}.started_at, ${other}.id)`;

/** As `isDoubtful` has it, of what is not under way. */
export const mayBeSigned = (attempt: string) =>
  `(${attempt}.resolution = 'doubtful' or ${attempt}.resolution is null and ${attempt}.outcome in ('in_doubt', 'number_taken'))`;

/**
 * The receipts of one document in one environment: one that stands, and at other devices those that
 * were closed for it.
 */
export const isOfSame = (receipt: string, other: string) =>
  `${receipt}.business_id = ${other}.business_id and ${receipt}.module = ${other}.module and ${receipt}.document_id = ${other}.document_id and ${receipt}.kind = ${other}.kind
     and ${receipt}.environment = ${other}.environment`;

/**
 * Devices with a document that is not asked about because it may be signed under another number as
 * well.
 */
export const listUnaskedLanes = async (tx: Tx): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      `select distinct r.device_id as id from receipt r where ${isInDoubt('r')} and r.problem->>'code' = 'maybe_signed_under_either' order by 1`,
    )
  ).map((row) => row.id);

/**
 * Documents, and whoever else has sent something under a number, held in the order of their ids
 * like everything that takes several: before the first of them is written.
 */
export const holdTogether = (
  tx: Tx,
  deviceId: string,
  invoiceNumber: string | null,
  receiptIds: string[],
) =>
  query(
    tx,
    `select 1 from receipt where id = any($3::text[]) or id in (select receipt_id from attempt where device_id = $1 and invoice_number = $2 and may_have_left)
      order by id for update`,
    [deviceId, invoiceNumber, receiptIds],
  );

/**
 * Of what was closed for a receipt, at other devices, the last one of which a send may have made a
 * receipt.
 */
export const findDoubtedBefore = (
  tx: Tx,
  receiptId: string,
): Promise<{ id: string; deviceId: string } | null> =>
  queryOne<{ id: string; deviceId: string }>(
    tx,
    `select m.id, m.device_id as "deviceId" from receipt r join receipt m on ${isOfSame('m', 'r')} and m.id <> r.id and coalesce(m.moved_to, '') <> ''
      where r.id = $1 and r.moved_to is null
        and exists (select 1 from attempt a where a.business_id = m.business_id and a.receipt_id = m.id and ${mayBeSigned('a')})
      order by m.opened_at desc, m.id desc limit 1`,
    [receiptId],
  );

export const makeDoubtful = (tx: Tx, receiptId: string, invoiceNumber: string) =>
  query(
    tx,
    "update attempt set resolution = 'doubtful' where receipt_id = $1 and invoice_number = $2 and may_have_left",
    [receiptId, invoiceNumber],
  );

/**
 * The other documents that may be the one which is signed under the number that one in doubt holds:
 * in doubt about it as well, or signed, moved or waiting elsewhere by now; not the document itself,
 * by a receipt that was closed since. A lost answer of its own explains that the number is taken,
 * unless an earlier one was lost as well.
 */
const suspectsOf = (receipt: string, number: string) => `
  from receipt o where o.business_id = ${receipt}.business_id and o.device_id = ${receipt}.device_id and o.id <> ${receipt}.id
    and (o.module, o.document_id, o.kind) <> (${receipt}.module, ${receipt}.document_id, ${receipt}.kind)
    and (o.state = 'in_doubt' and o.invoice_number = ${number} and o.problem->>'code' = 'signed_answer_lost'
      or o.id in (select a.receipt_id from attempt a
          where a.business_id = ${receipt}.business_id and a.device_id = ${receipt}.device_id and a.invoice_number = ${number} and a.may_have_left
          group by a.receipt_id having bool_or(a.resolution in ('not_ours', 'reversed')) is not true
            and (bool_or(a.outcome = 'in_doubt' or a.resolution in ('not_signed', 'doubtful')) is true
              or not exists (select 1 from attempt l where l.business_id = ${receipt}.business_id and l.receipt_id = ${receipt}.id
                               and l.invoice_number = ${number} and l.outcome = 'in_doubt'))))`;

/**
 * The documents, by their numbers in the books, that may be signed under the number of one that is
 * in doubt, in its place.
 */
export const listSuspects = async (tx: Tx, receiptId: string): Promise<string[]> =>
  (
    await query<{ number: string }>(
      tx,
      `select o.document_number as number from receipt r cross join lateral (select o.document_number ${suspectsOf('r', 'r.invoice_number')}) o
        where r.id = $1 order by 1`,
      [receiptId],
    )
  ).map((row) => row.number);

/**
 * Each of the documents in doubt about one number says which the others are that may be signed
 * under it.
 */
export const nameSuspects = (tx: Tx, deviceId: string, invoiceNumber: string) =>
  query(
    tx,
    `update receipt r set problem = (r.problem - '{invoice_number,others}'::text[]) || coalesce(
         (select jsonb_build_object('invoice_number', $2::text, 'others', string_agg(o.document_number, ', ' order by o.document_number))
            ${suspectsOf('r', '$2::bigint')} having count(*) > 0), '{}')
      where r.device_id = $1 and r.state = 'in_doubt' and r.invoice_number = $2::bigint and r.problem->>'code' = 'signed_answer_lost'`,
    [deviceId, invoiceNumber],
  );

/**
 * In other words the same doubt goes on: as what its document was taken out before stays with it.
 */
export const asBefore = (problem: string) =>
  `${problem}::jsonb || case when state = 'in_doubt' and problem ? 'before' then jsonb_build_object('before', problem->'before') else '{}' end`;

/**
 * Begins a doubt: who is in doubt keeps the number. How often its document was tried before is
 * another matter than how often the device is asked about it.
 */
export async function beginDoubt(
  tx: Tx,
  receiptId: string,
  doubt: {
    problem: StoredProblem;
    invoiceNumber: string;
    nextTryAt: Date | null;
    totalBefore: string | null;
  },
  at: Date,
): Promise<void> {
  const state = await decideState(tx, receiptId, 'in_doubt', { about: doubt.invoiceNumber });
  await restoreSent(tx, receiptId, doubt.invoiceNumber);
  await query(
    tx,
    `update receipt set state = $7, problem = ${asBefore('$2')}, invoice_number = $3, next_try_at = $4, doubt_since = coalesce(doubt_since, $6),
       total_before_doubt = coalesce(total_before_doubt, $5), tries = case when state = 'in_doubt' then tries else 0 end + 1, updated_at = $6 where id = $1`,
    [
      receiptId,
      json(doubt.problem),
      doubt.invoiceNumber,
      doubt.nextTryAt,
      doubt.totalBefore,
      at,
      state,
    ],
  );
}

/**
 * What one person has proposed of a doubt, a reversal as well, ends with it: confirmed later, it
 * would be taken for the word on the next one.
 */
export const endDoubt = (tx: Tx, receiptId: string) =>
  query(
    tx,
    `with s as (delete from settlement where receipt_id = $1 and evidence->>'found' is distinct from 'late'),
          v as (delete from reversal where receipt_id = $1 and confirmed_by is null and reversed_at is null)
     update receipt set doubt_since = null, total_before_doubt = null where id = $1`,
    [receiptId],
  );

/**
 * The highest number that a paused device was found to have used, without a document of ours that
 * waits for whose it is; null: none.
 */
export function takenNumberOf(problem: StoredProblem | null): bigint | null {
  const taken = [
    problem?.code === 'number_collision' ? problem.invoice_number : undefined,
    problem?.taken_number,
  ].filter((each) => each !== undefined);
  return taken
    .map((each) => BigInt(String(each)))
    .reduce<bigint | null>((most, each) => (most === null || each > most ? each : most), null);
}

/**
 * A few of a device's open doubts, with the total known before each began; what may be signed
 * before what is known to be. Enough to tell whether there is one, and which; there may be many
 * more, so that none of another kind is looked for here.
 */
export async function listOpenDoubts(
  tx: Tx,
  deviceId: string,
): Promise<{ id: string; invoiceNumber: string; code: string; totalBefore: string | null }[]> {
  const rows = await query<Record<string, string | null>>(
    tx,
    "select id, invoice_number::text, problem->>'code' as code, total_before_doubt::text as total from receipt where device_id = $1 and state = 'in_doubt' order by coalesce(problem->>'code', 'maybe_signed') <> 'maybe_signed', doubt_since limit 5",
    [deviceId],
  );
  return rows.map((row) => ({
    id: row.id as string,
    invoiceNumber: row.invoice_number as string,
    code: row.code as string,
    totalBefore: row.total ?? null,
  }));
}
