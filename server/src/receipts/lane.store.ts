import type { StoredProblem } from '@muhuri/shared/problems';
import { type BusinessSettings, defaultSettings } from '../businesses/index.ts';
import type { Tx } from '../platform/db/database.ts';
import {
  fromJson,
  json,
  query,
  sendAhead,
  sendWithoutWaiting,
  queryOne,
  toDate,
  toDateOrNull,
} from '../platform/db/query.ts';
import { type SigningInput, noPerson } from './signing-input.model.ts';
import type { KeptAnswer } from './kept-answer.ts';
import type { AttemptFact, AttemptOutcome } from './receipt.model.ts';
import { restoreSent } from './receipt.store.ts';
import type { Signature } from '../model/sale.model.ts';

/*
 * Plain statements: this is the path every receipt takes, and entities would cost it two thirds of its speed.
 * Locks are always taken in the order device, receipt.
 */

export type LaneDevice = {
  id: string;
  state: 'new' | 'active' | 'paused' | 'retired';
  environment: 'sandbox' | 'production';
  sdcId: string | null;
  nextInvoiceNumber: string;
  freeNumbers: string[];
  lastTotal: string | null;
  /**
   * Up to this total every receipt of the device is accounted for; null until it has signed for us.
   */
  totalBase: string | null;
  laneHolder: string | null;
  laneUntil: Date | null;
  /** The send on its way, if any. */
  openAttempt: string | null;
  tries: number;
  hasDoubt: boolean;
  /** It tells another taxpayer than the business says it is: nothing new is sent. */
  isOtherTaxpayer: boolean;
  /** Whether a receipt with the signature asked about exists already. */
  isSignatureKnown: boolean;
};

/** In the words of the index that answers it (`receipt_in_doubt`), which no other one answers. */
const isInDoubt = (receipt: string) => `(${receipt}.state = 'in_doubt') is true`;

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

export const releaseLane = (tx: Tx, deviceId: string, nextAt: Date | null) =>
  query(
    tx,
    'update device set lane_holder = null, lane_until = null, lane_next_at = $2 where id = $1',
    [deviceId, nextAt],
  );

export const setLaneTries = (tx: Tx, deviceId: string, tries: number) =>
  query(tx, 'update device set lane_tries = $2 where id = $1', [deviceId, tries]);

/** What this process still listens for, by the sends. */
export type UnderWay = { has(attemptId: string): boolean };

/**
 * Sends begun by a worker that is gone: nobody will ever say how they ended. Answers the receipts
 * they belong to, and the numbers they were sent under. What this process itself still listens for
 * is not closed; that it is has to be said by whoever listens.
 */
export async function closeAbandonedAttempts(
  tx: Tx,
  deviceId: string,
  now: Date,
  underWay: UnderWay,
): Promise<{ receiptId: string; invoiceNumber: string }[]> {
  const open = await queryOne<{ open_attempt: string | null }>(
    tx,
    'select open_attempt from device where id = $1',
    [deviceId],
  );
  if (!open?.open_attempt) return [];
  const rows = await query<{ receipt_id: string; number: string }>(
    tx,
    `with d as (update device set open_attempt = null where id = $3)
     update attempt set outcome = 'in_doubt', ended_at = $2, socket_closed_at = case when not $4::boolean then $2::timestamptz end,
       device_text = case when $4 then 'how it ended could not be recorded' else 'the process that sent it is gone' end
      where id = $1 and ended_at is null returning receipt_id, invoice_number::text as number`,
    [open.open_attempt, now, deviceId, underWay.has(open.open_attempt)],
  );
  return rows.map((row) => ({ receiptId: row.receipt_id, invoiceNumber: row.number }));
}

/**
 * Whether one row was written after another of its lane. Counted, because a clock may be set back;
 * what was there before anything was counted stands before everything else, in the order of its
 * times.
 */
const isLater = (row: string, than: string) =>
  `(${row}.ordinal, ${row}.started_at, ${row}.id) > (${than}.ordinal, ${than}.started_at, ${than}.id)`;

/** As `isDoubtful` has it, of what is not under way. */
const mayBeSigned = (attempt: string) =>
  `(${attempt}.settled = 'doubtful' or ${attempt}.settled is null and ${attempt}.outcome in ('in_doubt', 'number_taken'))`;

/**
 * The receipts of one document in one environment: one that stands, and at other devices those that
 * were closed for it.
 */
const isOfSame = (receipt: string, as: string) =>
  `${receipt}.business_id = ${as}.business_id and ${receipt}.module = ${as}.module and ${receipt}.document_id = ${as}.document_id and ${receipt}.kind = ${as}.kind
     and ${receipt}.environment = ${as}.environment`;

export type LaneDoubt = {
  id: string;
  documentNumber: string;
  invoiceNumber: string;
  nextTryAt: Date | null;
  since: Date;
  lastEndedAt: Date | null;
  hasOpenSocket: boolean;
  /** A late signature of the document waits for a person: nothing of it is sent, not even again. */
  isContested: boolean;
  /** By this lane; otherwise by nobody, because it may be signed under another number. */
  isAsked: boolean;
  /**
   * Another number under which a send of its document may have made a receipt, here or at a device
   * that it was moved from; null: there is none.
   */
  otherNumber: string | null;
  tries: number;
};

export type LaneHead = {
  id: string;
  kind: 'sale' | 'refund';
  module: 'invoices' | 'creditnotes';
  documentId: string;
  documentHash: string;
  invoiceNumber: string | null;
  filed: SigningInput;
  readAt: Date | null;
  nextTryAt: Date | null;
  hasUnregisteredItems: boolean;
  /**
   * A send of it, there or at a device that it was moved from, may have made a receipt, and it
   * waits all the same: nothing of it goes.
   */
  isDoubted: boolean;
  /** Bytes the device has seen and not served under the number it holds: they are fixed. */
  fixedRequest: string | null;
  /**
   * What its business lets be sealed by itself, where nobody is known to have asked for this
   * document and no two persons have had it sold anew.
   */
  byItself: Pick<BusinessSettings, 'auto_seal' | 'exempt'> | null;
};

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
    `(select 'doubt' as what, r.id, r.document_number, r.kind, r.module, r.document_id, r.document_hash, r.invoice_number::text, null::jsonb as sale, r.read_at, r.next_try_at, r.tries,
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
     (select 'head', r.id, r.document_number, r.kind, r.module, r.document_id, r.document_hash, r.invoice_number::text, r.sale, r.read_at, r.next_try_at, r.tries, null, null,
        r.needs_registering,
        (select a.request from attempt a where a.business_id = r.business_id and a.receipt_id = r.id and a.invoice_number = r.invoice_number
            and a.outcome = 'not_served' and a.settled is null
            and not exists (select 1 from attempt b where b.business_id = a.business_id and b.receipt_id = a.receipt_id
                              and ${isLater('b', 'a')} and (b.outcome = 'refused' or b.settled = 'not_signed'))
          order by a.ordinal desc, a.started_at desc limit 1), r.contested,
        case when (r.sale->'filing'->'openedByItself' is not null or r.sale->'filing'->'user'->>'id' = '${noPerson.id}' and r.sale->'filing'->'askedByProgram' is null)
              and r.sale->'filing'->'reverses' is null
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
          filed: fromJson(head.sale),
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

export type NewAttempt = {
  id: string;
  receiptId: string;
  deviceId: string;
  invoiceNumber: string;
  isResend: boolean;
  request: string;
  worker: string;
  startedAt: Date;
  socketUntil: Date;
};

/** Number, exact bytes and counter in one statement; only after its commit may a byte be sent. */
export async function freeze(
  tx: Tx,
  businessId: string,
  attempt: NewAttempt,
  counters: { next: string; free: string[] },
  laneUntil: Date,
): Promise<void> {
  await sendWithoutWaiting(
    tx,
    `with a as (insert into attempt (business_id, id, receipt_id, device_id, invoice_number, is_resend, request, worker, started_at, socket_until)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)),
          r as (update receipt set invoice_number = $5, updated_at = $9 where business_id = $1 and id = $3)
     update device set next_invoice_number = $11, free_numbers = $12::bigint[], open_attempt = $2, lane_holder = $8, lane_until = $13 where business_id = $1 and id = $4`,
    [
      businessId,
      attempt.id,
      attempt.receiptId,
      attempt.deviceId,
      attempt.invoiceNumber,
      attempt.isResend,
      attempt.request,
      attempt.worker,
      attempt.startedAt,
      attempt.socketUntil,
      counters.next,
      counters.free,
      laneUntil,
    ],
  );
}

export type Recording = {
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
  worker: string | null;
};

/**
 * The attempt's outcome, the signature, the receipt's state, the device's counters and the trail:
 * one statement, one transaction.
 */
export async function recordSigned(tx: Tx, businessId: string, is: Recording): Promise<void> {
  const s = is.signature;
  await sendWithoutWaiting(
    tx,
    `with a as (update attempt set outcome = coalesce(outcome, 'signed'), ended_at = coalesce(ended_at, $16), socket_closed_at = coalesce(socket_closed_at, $16), settled = 'signed',
                  response = case when id = $2 then coalesce($17, response) else response end,
                  response_raw = case when id = $2 and $17::text is not null then $23::bytea else response_raw end
                where business_id = $1 and receipt_id = $3 and (id = $2 or (settled is null or settled = 'doubtful') and outcome in ('in_doubt', 'number_taken'))),
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
      is.attemptId,
      is.receiptId,
      is.deviceId,
      is.invoiceNumber,
      s.receiptNumber,
      s.totalReceiptNumber,
      s.internalData,
      s.receiptSignature,
      s.sdcId,
      s.mrcNumber,
      s.signedAt,
      is.verificationUrl,
      is.source,
      json(is.evidence),
      is.at,
      is.response?.text,
      is.label,
      is.auditId,
      is.actor.type,
      is.actor.id,
      json({
        invoice_number: is.invoiceNumber,
        receipt_number: s.receiptNumber,
        total_receipt_number: s.totalReceiptNumber,
        source: is.source,
      }),
      is.response?.raw,
    ],
  );
}

export type Ended = {
  outcome: AttemptOutcome;
  at: Date;
  mayHaveLeft: boolean;
  isSocketClosed: boolean;
  deviceCode: string | null;
  deviceText: string | null;
  response: KeptAnswer | null;
  settled?: AttemptFact['settled'];
};

export const endAttempt = (tx: Tx, id: string, is: Ended) =>
  query(
    tx,
    `with d as (update device set open_attempt = null where open_attempt = $1)
     update attempt set outcome = $2, ended_at = $3::timestamptz, may_have_left = $4, socket_closed_at = case when $5::boolean then $3::timestamptz else socket_closed_at end, device_code = $6, device_text = $7, response = $8,
       settled = $9, response_raw = $10 where id = $1 and ended_at is null`,
    [
      id,
      is.outcome,
      is.at,
      is.mayHaveLeft,
      is.isSocketClosed,
      is.deviceCode,
      is.deviceText,
      is.response?.text,
      is.settled ?? null,
      is.response?.raw,
    ],
  );

export type AttemptStatus = {
  /**
   * Whether its end is recorded, and whether with an answer; whether its document has its
   * signature.
   */
  isEnded: boolean;
  isHeard: boolean;
  isSigned: boolean;
  /** The send of its lane that this worker has begun since; another's may be on its way. */
  unsent: string | null;
};

/** How a send stands by what is recorded. */
export async function findAttemptStatus(
  tx: Tx,
  attemptId: string,
  worker: string,
): Promise<AttemptStatus> {
  const row = (await queryOne<{
    ended: boolean;
    heard: boolean;
    signed: boolean;
    unsent: string | null;
  }>(
    tx,
    `select a.ended_at is not null as ended, a.response is not null as heard, o.id as unsent,
         exists (select 1 from signature s where s.business_id = r.business_id and s.receipt_id = r.id) as signed from attempt a
       join device d on d.business_id = a.business_id and d.id = a.device_id
       join receipt r on r.business_id = a.business_id and r.id = a.receipt_id
       left join attempt o on o.business_id = d.business_id and o.id = d.open_attempt and o.id <> a.id and o.worker = $2 and o.ended_at is null where a.id = $1`,
    [attemptId, worker],
  )) as { ended: boolean; heard: boolean; signed: boolean; unsent: string | null };
  return { isEnded: row.ended, isHeard: row.heard, isSigned: row.signed, unsent: row.unsent };
}

export const closeSocket = (tx: Tx, attemptId: string, at: Date, late: KeptAnswer | null) =>
  query(
    tx,
    `update attempt set socket_closed_at = coalesce(socket_closed_at, $2), response = coalesce(response, $3),
       response_raw = case when response is null then $4::bytea else response_raw end where id = $1`,
    [attemptId, at, late?.text, late?.raw],
  );

/** Another took whoever sent it for gone, and it still listens. */
export const reopenSocket = (tx: Tx, attemptId: string) =>
  query(tx, 'update attempt set socket_closed_at = null where id = $1 and response is null', [
    attemptId,
  ]);

export type StoredAttempt = AttemptFact & {
  id: string;
  receiptId: string;
  deviceId: string;
  invoiceNumber: string;
  isResend: boolean;
  request: string;
  startedAt: Date;
  endedAt: Date | null;
  isSocketClosed: boolean;
  mayHaveLeft: boolean;
  deviceCode: string | null;
  deviceText: string | null;
  response: KeptAnswer | null;
};

/**
 * Every send of a receipt, in order. What this process itself has under way has an open socket
 * although its time is over: an answer may be here and not recorded yet.
 */
export async function listAttempts(
  tx: Tx,
  receiptId: string,
  now: Date,
  underWay: UnderWay = new Set(),
): Promise<StoredAttempt[]> {
  const rows = await query<Record<string, unknown>>(
    tx,
    `select id, receipt_id, device_id, invoice_number::text, is_resend, request, started_at, ended_at, socket_closed_at, socket_until, may_have_left, outcome,
       settled, device_code, device_text, response, response_raw
       from attempt where receipt_id = $1 order by ordinal, started_at, id`,
    [receiptId],
  );
  return rows.map((row) => ({
    id: row.id as string,
    receiptId: row.receipt_id as string,
    deviceId: row.device_id as string,
    invoiceNumber: row.invoice_number as string,
    isResend: row.is_resend as boolean,
    request: row.request as string,
    startedAt: toDate(row.started_at),
    endedAt: toDateOrNull(row.ended_at),
    isSocketClosed:
      row.socket_closed_at !== null ||
      (toDate(row.socket_until) <= now && !underWay.has(row.id as string)),
    mayHaveLeft: row.may_have_left as boolean,
    outcome: row.outcome as AttemptOutcome | null,
    settled: row.settled as AttemptFact['settled'],
    isWorkerGone: false,
    deviceCode: row.device_code as string | null,
    deviceText: row.device_text as string | null,
    response:
      row.response === null
        ? null
        : { text: row.response as string, raw: row.response_raw as Buffer | null },
  }));
}

/**
 * Whether a send of a lane was begun before another one of it; as a lane never has two on their
 * way, it had ended then.
 */
export const wasSentBefore = async (tx: Tx, attemptId: string, otherId: string): Promise<boolean> =>
  (await queryOne(
    tx,
    `select 1 as yes from attempt a, attempt b where a.id = $1 and b.id = $2 and ${isLater('b', 'a')}`,
    [attemptId, otherId],
  )) !== null;

export const settleAttempts = (
  tx: Tx,
  receiptId: string,
  as: 'not_signed' | 'not_ours' | 'reversed',
  only: { invoiceNumber: string },
) =>
  query(
    tx,
    "update attempt set settled = $2 where receipt_id = $1 and invoice_number = $3 and (settled = 'doubtful' or settled is null and outcome in ('in_doubt', 'number_taken'))",
    [receiptId, as, only.invoiceNumber],
  );

/**
 * A number is somebody else's than a document's: so it is of what the document has sent under it at
 * that device as receipts that were closed since.
 */
export const settleClosedNotOurs = (tx: Tx, receiptId: string, invoiceNumber: string) =>
  query(
    tx,
    `update attempt a set settled = 'not_ours' from receipt r join receipt m on ${isOfSame('m', 'r')} and m.device_id = r.device_id and m.id <> r.id
      where r.id = $1 and a.business_id = m.business_id and a.receipt_id = m.id and a.invoice_number = $2 and a.may_have_left
        and coalesce(a.settled, '') not in ('signed', 'reversed')`,
    [receiptId, invoiceNumber],
  );

/**
 * What the device has not served under a number that is given back: neither signed, nor to be sent
 * again.
 */
export const settleUnserved = (tx: Tx, receiptId: string, invoiceNumber: string) =>
  query(
    tx,
    "update attempt set settled = 'not_signed' where receipt_id = $1 and invoice_number = $2 and outcome = 'not_served' and settled is null",
    [receiptId, invoiceNumber],
  );

/**
 * It is known whose the number is: of those in doubt about another one too, or moved since, it is
 * not. Whoever's it is has nothing to be asked about it.
 */
export const settleElsewhere = (
  tx: Tx,
  deviceId: string,
  invoiceNumber: string,
  signedReceiptId: string,
) =>
  query(
    tx,
    `update attempt a set settled = case when r.id = $3 then 'signed' else 'not_ours' end from receipt r
      where a.device_id = $1 and a.invoice_number = $2
        and (a.settled = 'doubtful' or r.id <> $3 and a.settled is null and a.outcome in ('in_doubt', 'number_taken'))
        and r.business_id = a.business_id and r.id = a.receipt_id and (r.state = 'in_doubt' and r.invoice_number <> $2 or coalesce(r.moved_to, '') <> '')`,
    [deviceId, invoiceNumber, signedReceiptId],
  );

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

export type EarlierHolder = {
  receiptId: string;
  /**
   * Not only refused: an answer was lost, and the counters or a person have said that nothing was
   * signed.
   */
  wasInDoubt: boolean;
};

/**
 * The documents that sent something under a number before this one: the number came back from them.
 * It is settled of none of them that the number is not theirs; whatever other sends of theirs were
 * told, that holds for all of them.
 */
export async function earlierHolders(
  tx: Tx,
  deviceId: string,
  invoiceNumber: string,
  exceptReceiptId: string,
): Promise<EarlierHolder[]> {
  const rows = await query<{ receipt_id: string; was_in_doubt: boolean }>(
    tx,
    `select receipt_id, bool_or(outcome = 'in_doubt' or settled in ('not_signed', 'doubtful')) is true as was_in_doubt from attempt
      where device_id = $1 and invoice_number = $2 and receipt_id <> $3 and may_have_left
      group by receipt_id having bool_or(settled in ('not_ours', 'reversed')) is not true order by receipt_id`,
    [deviceId, invoiceNumber, exceptReceiptId],
  );
  return rows.map((row) => ({ receiptId: row.receipt_id, wasInDoubt: row.was_in_doubt }));
}

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
    "update attempt set settled = 'doubtful' where receipt_id = $1 and invoice_number = $2 and may_have_left",
    [receiptId, invoiceNumber],
  );

/**
 * The other documents in doubt about a number that the device has used, and that is asked about no
 * more: at most one of them is signed under it.
 */
export const listSharers = async (
  tx: Tx,
  deviceId: string,
  invoiceNumber: string,
  exceptReceiptId: string,
): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      `select id from receipt where device_id = $1 and state = 'in_doubt' and invoice_number = $2 and id <> $3 and problem->>'code' in ('signed_answer_lost', 'maybe_signed_under_either') order by id`,
      [deviceId, invoiceNumber, exceptReceiptId],
    )
  ).map((row) => row.id);

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
          group by a.receipt_id having bool_or(a.settled in ('not_ours', 'reversed')) is not true
            and (bool_or(a.outcome = 'in_doubt' or a.settled in ('not_signed', 'doubtful')) is true
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
const asBefore = (problem: string) =>
  `${problem}::jsonb || case when state = 'in_doubt' and problem ? 'before' then jsonb_build_object('before', problem->'before') else '{}' end`;

/**
 * Begins a doubt: who is in doubt keeps the number. How often its document was tried before is
 * another matter than how often the device is asked about it.
 */
export async function beginDoubt(
  tx: Tx,
  receiptId: string,
  is: {
    problem: StoredProblem;
    invoiceNumber: string;
    nextTryAt: Date | null;
    totalBefore: string | null;
  },
  at: Date,
): Promise<void> {
  await restoreSent(tx, receiptId, is.invoiceNumber);
  await query(
    tx,
    `update receipt set state = 'in_doubt', problem = ${asBefore('$2')}, invoice_number = $3, next_try_at = $4, doubt_since = coalesce(doubt_since, $6),
       total_before_doubt = coalesce(total_before_doubt, $5), tries = case when state = 'in_doubt' then tries else 0 end + 1, updated_at = $6 where id = $1`,
    [receiptId, json(is.problem), is.invoiceNumber, is.nextTryAt, is.totalBefore, at],
  );
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
  from: bigint,
  to: bigint,
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
        [deviceId, from.toString(), to.toString()],
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

export const touchDevice = (tx: Tx, deviceId: string, at: Date) =>
  query(tx, 'update device set last_contact_at = $2 where id = $1', [deviceId, at]);

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

type OfDevice = Pick<LaneDevice, 'environment'> & { sdcId: string };

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
  of: { receiptId: string; invoiceNumber: string },
  totalReceiptNumber: string,
  { environment, sdcId }: OfDevice,
): Promise<boolean> =>
  (await queryOne(
    tx,
    `select 1 as no from (select environment, sdc_id, total_receipt_number, ordinal, recorded_at from signature
         union all select environment, sdc_id, total_receipt_number, ordinal, heard_at from second_signature) s
      where environment = $5 and sdc_id = $2 and (total_receipt_number = $1 or total_receipt_number > $1
       and (ordinal, recorded_at) < (select ordinal, started_at from attempt where receipt_id = $3 and invoice_number = $4 order by ordinal, started_at limit 1)) limit 1`,
    [totalReceiptNumber, sdcId, of.receiptId, of.invoiceNumber, environment],
  )) === null;

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
