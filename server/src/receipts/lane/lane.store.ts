import type { StoredProblem } from '@muhuri/shared/problems';
import { type BusinessSettings, defaultSettings } from '../../businesses/index.ts';
import type { Tx } from '../../platform/db/database.ts';
import {
  fromJson,
  json,
  query,
  queryOne,
  sendAhead,
  toDate,
  toDateOrNull,
} from '../../platform/db/query.ts';
import { noPerson } from '../sale/signing-input.model.ts';
import { asBefore, isInDoubt, isLater, isOfSame, mayBeSigned } from '../receipt/doubt.store.ts';
import type { LaneDevice, LaneDoubt, LaneHead } from './lane.model.ts';

/*
 * Plain statements: this is the path every receipt takes, and entities would cost it two thirds
 * of its speed. Locks are always taken in the order device, receipt.
 */

const lockText = `select id, state, environment, sdc_id, next_invoice_number::text as next, free_numbers::text[] as free, last_total_receipt_number::text as total, total_base::text as base, lane_holder, lane_until,
    lane_tries, open_attempt, difference is not null as other_taxpayer,
    exists (select 1 from receipt r where r.business_id = d.business_id and r.device_id = d.id and ${isInDoubt('r')}) as has_doubt,
    $2::text is not null and (exists (select 1 from signature s where s.business_id = d.business_id and s.sdc_id = d.sdc_id and s.receipt_signature = $2)
      or exists (select 1 from second_signature s where s.business_id = d.business_id and s.sdc_id = d.sdc_id and s.receipt_signature = $2)) as known
  from device d where id = $1 for update of d`;

const toLaneDevice = (row: Record<string, unknown>): LaneDevice => ({
  id: row.id as string,
  state: row.state as LaneDevice['state'],
  environment: row.environment as LaneDevice['environment'],
  sdcId: row.sdc_id as string | null,
  nextInvoiceNumber: (row.next as string | null) ?? '1',
  freeNumbers: row.free as string[],
  lastTotal: row.total as string | null,
  totalBase: row.base as string | null,
  laneHolder: row.lane_holder as string | null,
  laneUntil: toDateOrNull(row.lane_until),
  openAttempt: row.open_attempt as string | null,
  tries: row.lane_tries as number,
  hasDoubt: row.has_doubt as boolean,
  isOtherTaxpayer: row.other_taxpayer as boolean,
  isSignatureKnown: row.known as boolean,
});

/** The device's lane, locked: numbers are given and returned only under this lock. */
export async function lockLane(
  tx: Tx,
  deviceId: string,
  receiptSignature: string | null = null,
): Promise<LaneDevice | null> {
  const row = await queryOne(tx, lockText, [deviceId, receiptSignature]);
  return row && toLaneDevice(row);
}

/**
 * The same with what stands in the lane, in one wait: read after the lock is held, and without the
 * receipt that is being ended.
 */
export async function lockAndReadLane(
  tx: Tx,
  deviceId: string,
  receiptSignature: string,
  now: Date,
  exceptReceiptId: string,
): Promise<{ device: LaneDevice; doubts: LaneDoubt[]; head: LaneHead | null }> {
  const locked = await sendAhead(tx, lockText, [deviceId, receiptSignature]);
  const lane = await readLane(tx, deviceId, now, exceptReceiptId);
  const [row] = await locked.rows;
  return { device: toLaneDevice(row as Record<string, unknown>), ...lane };
}

export const extendLease = (tx: Tx, deviceId: string, worker: string, until: Date) =>
  query(tx, 'update device set lane_holder = $2, lane_until = $3 where id = $1', [
    deviceId,
    worker,
    until,
  ]);

export const clearLease = (tx: Tx, deviceId: string, nextAt: Date | null) =>
  query(
    tx,
    'update device set lane_holder = null, lane_until = null, lane_next_at = $2 where id = $1',
    [deviceId, nextAt],
  );

export const setLaneTries = (tx: Tx, deviceId: string, tries: number) =>
  query(tx, 'update device set lane_tries = $2 where id = $1', [deviceId, tries]);

/**
 * The documents of a lane that may be signed (those known to be, which wait for their data, hold
 * nothing up), and the document that goes next: first the one that holds an unsent number (it was
 * moved to the front when it was postponed), else the oldest. Refunds of a doubtful sale stand
 * aside; so do documents that were set aside (`setAside`), until their time, and those with a late
 * signature that a person has to settle. `exceptReceiptId` is left out: it is just being ended.
 */
export async function readLane(
  tx: Tx,
  deviceId: string,
  now: Date,
  exceptReceiptId: string | null = null,
): Promise<{ doubts: LaneDoubt[]; head: LaneHead | null }> {
  const rows = await query<Record<string, unknown>>(
    tx,
    `(select 'doubt' as what, r.id, r.document_number, r.kind, r.module, r.document_id, r.document_hash, r.invoice_number::text, null::jsonb as signing_input, r.read_at, r.next_try_at, r.tries,
        r.doubt_since,
        (select max(a.ended_at) from attempt a where a.business_id = r.business_id and a.receipt_id = r.id) as last_ended,
        exists (select 1 from attempt a where a.business_id = r.business_id and a.receipt_id = r.id and a.socket_closed_at is null and a.socket_until > $2) as flag,
        null as fixed, r.contested, null::jsonb as by_itself, false as doubted,
        (select a.invoice_number::text from receipt m join attempt a on a.business_id = m.business_id and a.receipt_id = m.id and ${mayBeSigned('a')}
          where ${isOfSame('m', 'r')} and (m.id = r.id or coalesce(m.moved_to, '') <> '') and (a.device_id, a.invoice_number) <> (r.device_id, r.invoice_number)
          order by a.ordinal desc limit 1) as other_number, r.problem->>'code' is distinct from 'maybe_signed_under_either' as is_asked
       from receipt r where r.device_id = $1 and ${isInDoubt('r')} and coalesce(r.problem->>'code', 'maybe_signed') in ('maybe_signed', 'maybe_signed_under_either')
       order by r.contested, r.problem->>'code' = 'maybe_signed_under_either', r.doubt_since limit 10)
     union all
     (select 'head', r.id, r.document_number, r.kind, r.module, r.document_id, r.document_hash, r.invoice_number::text, r.signing_input, r.read_at, r.next_try_at, r.tries, null, null,
        r.needs_registering,
        (select a.request from attempt a where a.business_id = r.business_id and a.receipt_id = r.id and a.invoice_number = r.invoice_number
            and a.outcome = 'not_served' and a.resolution is null
            and not exists (select 1 from attempt b where b.business_id = a.business_id and b.receipt_id = a.receipt_id
                              and ${isLater('b', 'a')} and (b.outcome = 'refused' or b.resolution = 'not_signed'))
          order by a.ordinal desc, a.started_at desc limit 1), r.contested,
        case when (r.signing_input->'terms'->'openedByItself' is not null or r.signing_input->'terms'->'user'->>'id' = '${noPerson.id}' and r.signing_input->'terms'->'askedByProgram' is null)
              and r.signing_input->'terms'->'reverses' is null
              and not exists (select 1 from reversal v where v.business_id = r.business_id and v.receipt_id = r.id and v.reversed_at is not null)
          then (select jsonb_build_object('auto_seal', b.settings->'auto_seal', 'exempt', b.settings->'exempt') from business b where b.business_id = r.business_id) end,
        exists (select 1 from receipt m join attempt a on a.business_id = m.business_id and a.receipt_id = m.id and ${mayBeSigned('a')}
                 where ${isOfSame('m', 'r')} and (m.id = r.id or coalesce(m.moved_to, '') <> '')), null, null
       from receipt r
      where r.device_id = $1 and r.state = 'queued' and not r.contested and r.id is distinct from $3::text
        and not (r.invoice_number is null and r.read_at is null and coalesce(r.next_try_at > $2, false))
        and not (r.kind = 'refund' and r.module = 'creditnotes' and exists (select 1 from receipt s where s.business_id = r.business_id and s.id = r.sale_receipt_id and s.state = 'in_doubt'))
      order by r.queued_at, r.id limit 1)`,
    [deviceId, now, exceptReceiptId],
  );
  const head = rows.find((row) => row.what === 'head');
  return {
    doubts: rows
      .filter((row) => row.what === 'doubt')
      .map((row) => ({
        id: row.id as string,
        documentNumber: row.document_number as string,
        invoiceNumber: row.invoice_number as string,
        nextTryAt: toDateOrNull(row.next_try_at),
        since: toDate(row.doubt_since),
        lastEndedAt: toDateOrNull(row.last_ended),
        hasOpenSocket: row.flag as boolean,
        isContested: row.contested as boolean,
        isAsked: row.is_asked as boolean,
        otherNumber: row.other_number as string | null,
        tries: row.tries as number,
      })),
    head: head
      ? {
          id: head.id as string,
          kind: head.kind as LaneHead['kind'],
          module: head.module as LaneHead['module'],
          documentId: head.document_id as string,
          documentHash: head.document_hash as string,
          invoiceNumber: head.invoice_number as string | null,
          filed: fromJson(head.signing_input),
          readAt: toDateOrNull(head.read_at),
          nextTryAt: toDateOrNull(head.next_try_at),
          hasUnregisteredItems: head.flag as boolean,
          isDoubted: head.doubted as boolean,
          fixedRequest: head.fixed as string | null,
          byItself: byItselfOf(fromJson(head.by_itself)),
        }
      : null,
  };
}

/** What was never set is as it is by default. */
const byItselfOf = (stored: Partial<BusinessSettings> | null): LaneHead['byItself'] =>
  stored && {
    auto_seal: stored.auto_seal ?? defaultSettings.auto_seal,
    exempt: stored.exempt ?? defaultSettings.exempt,
  };

/** When a document that stands aside may be looked at again. */
export async function nextAside(tx: Tx, deviceId: string, now: Date): Promise<Date | null> {
  // In the words of its index (`receipt_aside`), as doubts are found.
  const row = await queryOne<{ at: unknown }>(
    tx,
    "select min(next_try_at) as at from receipt where device_id = $1 and (state = 'queued' and next_try_at is not null) is true and next_try_at > $2",
    [deviceId, now],
  );
  return toDateOrNull(row?.at);
}

export const postponeDocument = (
  tx: Tx,
  receiptId: string,
  is: { problem: StoredProblem | null; nextTryAt: Date | null; mustRead: boolean },
  at: Date,
) =>
  query(
    tx,
    `update receipt set problem = ${asBefore('$2')}, next_try_at = $3, tries = tries + 1, queued_at = case when invoice_number is null then queued_at else 'epoch' end,
       read_at = case when $4::boolean then null else read_at end, updated_at = $5 where id = $1`,
    [receiptId, json(is.problem), is.nextTryAt, is.mustRead, at],
  );

/**
 * A document of which nothing can be sent, as its reading has shown, waits by itself: without a
 * number and without a reading until it is read again, and nothing behind it waits for it. Whatever
 * stands in its way is its own, or was met at it first: each of the others is asked in its turn.
 * One that was read and only not taken by the device (`postponeDocument`) keeps its place, and the
 * others theirs behind it.
 */
export const setAside = (
  tx: Tx,
  receiptId: string,
  is: { problem: StoredProblem; nextTryAt: Date },
  at: Date,
) =>
  query(
    tx,
    'update receipt set problem = $2, invoice_number = null, read_at = null, next_try_at = $3, tries = tries + 1, updated_at = $4 where id = $1',
    [receiptId, json(is.problem), is.nextTryAt, at],
  );

/** The document is read again before its next send. */
export const readAnew = (tx: Tx, receiptId: string) =>
  query(tx, 'update receipt set read_at = null where id = $1', [receiptId]);

/**
 * The number is free again, unless a late signature has turned out to stand under it, the device
 * says that it is taken or has been asked about it no more; at a device that was retired nobody can
 * use it, and it is listed as burnt. What is listed as that already, because it may be another
 * writer's, stays so.
 */
export const giveBackNumber = (tx: Tx, deviceId: string, invoiceNumber: string) =>
  query(
    tx,
    `update device set free_numbers = case when state = 'retired' or $2::bigint = any(burnt_numbers) then free_numbers else array(select distinct n from unnest(array_append(free_numbers, $2::bigint)) n order by n) end,
       burnt_numbers = case when state = 'retired' then array(select distinct n from unnest(array_append(burnt_numbers, $2::bigint)) n order by n) else burnt_numbers end
      where id = $1 and not exists (select 1 from second_signature x where x.device_id = $1 and x.invoice_number = $2::bigint)
        and not exists (select 1 from receipt r where r.device_id = $1 and r.state = 'in_doubt' and r.invoice_number = $2::bigint
                          and r.problem->>'code' in ('signed_answer_lost', 'number_collision', 'maybe_signed_under_either'))`,
    [deviceId, invoiceNumber],
  );

/** The device has used it: it is not given again, and not listed as burnt. */
export const keepNumber = (tx: Tx, deviceId: string, invoiceNumber: string) =>
  query(
    tx,
    'update device set free_numbers = array_remove(free_numbers, $2::bigint), burnt_numbers = array_remove(burnt_numbers, $2::bigint) where id = $1',
    [deviceId, invoiceNumber],
  );

/**
 * Nothing stands under it as people say, and the device has not refused it either: it is given to
 * nobody, and listed as unused.
 */
export const burnNumber = (tx: Tx, deviceId: string, invoiceNumber: string) =>
  query(
    tx,
    `update device set free_numbers = array_remove(free_numbers, $2::bigint),
       burnt_numbers = array(select distinct n from unnest(array_append(burnt_numbers, $2::bigint)) n order by n)
      where id = $1 and not exists (select 1 from second_signature x where x.device_id = $1 and x.invoice_number = $2::bigint)
        and not exists (select 1 from signature s where s.device_id = $1 and s.invoice_number = $2::bigint)
        and not exists (select 1 from receipt r where r.device_id = $1 and r.state = 'in_doubt' and r.invoice_number = $2::bigint)`,
    [deviceId, invoiceNumber],
  );

/**
 * The later of two reasons stands at the device; that a number was found taken, and which, is still
 * answered for.
 */
export const pauseLaneFor = (tx: Tx, deviceId: string, problem: StoredProblem) =>
  query(
    tx,
    `update device set state = 'paused', problem = $2::jsonb || coalesce((select jsonb_build_object('taken_number', max(n)::text) from unnest(array[
         (case when problem->>'code' = 'number_collision' then problem->>'invoice_number' end)::bigint, (problem->>'taken_number')::bigint]) n having count(n) > 0), '{}')
      where id = $1 and state <> 'retired'`,
    [deviceId, json(problem)],
  );

export const touchDevice = (tx: Tx, deviceId: string, at: Date) =>
  query(tx, 'update device set last_contact_at = $2 where id = $1', [deviceId, at]);

/**
 * Devices with work and no living lane: what a crash, a lost call or a full queue left behind.
 * Where a lease ran out, its worker never got to say when the lane goes on: what the one before it
 * had said counts no more.
 */
export async function listIdleLanes(tx: Tx, now: Date): Promise<string[]> {
  const rows = await query<{ id: string }>(
    tx,
    `select d.id from device d where d.state = 'active'
       and case when d.lane_until is null then d.lane_next_at is null or d.lane_next_at <= $1 else d.lane_until < $1 end
       and (exists (select 1 from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.state = 'queued' and not r.contested)
         or exists (select 1 from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.state = 'in_doubt' and not r.contested
                      and (r.next_try_at <= $1 or r.next_try_at is null and r.problem->>'code' = 'maybe_signed'))
         or d.open_attempt is not null)`,
    [now],
  );
  return rows.map((row) => row.id);
}

/** Nothing waits for its next try any more: a person has mended what they waited for. */
export const retryNow = (tx: Tx, deviceId: string) =>
  query(tx, "update receipt set next_try_at = null where device_id = $1 and state = 'queued'", [
    deviceId,
  ]);

/** Every item of the document is known to the device now. */
export const setRegistered = (tx: Tx, receiptId: string) =>
  query(tx, 'update receipt set needs_registering = false where id = $1', [receiptId]);
