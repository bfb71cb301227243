import type { Tx } from '../../platform/db/database.ts';
import {
  query,
  queryOne,
  sendWithoutWaiting,
  toDate,
  toDateOrNull,
} from '../../platform/db/query.ts';
import type { KeptAnswer } from './stored-answer.ts';
import type { AttemptFact, AttemptOutcome } from './receipt.model.ts';
import { isLater, isOfSame } from './doubt.store.ts';

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

export type Ended = {
  outcome: AttemptOutcome;
  at: Date;
  mayHaveLeft: boolean;
  isSocketClosed: boolean;
  deviceCode: string | null;
  deviceText: string | null;
  response: KeptAnswer | null;
  resolution?: AttemptFact['resolution'];
};

export const endAttempt = (tx: Tx, id: string, end: Ended) =>
  query(
    tx,
    `with d as (update device set open_attempt = null where open_attempt = $1)
     update attempt set outcome = $2, ended_at = $3::timestamptz, may_have_left = $4, socket_closed_at = case when $5::boolean then $3::timestamptz else socket_closed_at end, device_code = $6, device_text = $7, response = $8,
       resolution = $9, response_raw = $10 where id = $1 and ended_at is null`,
    [
      id,
      end.outcome,
      end.at,
      end.mayHaveLeft,
      end.isSocketClosed,
      end.deviceCode,
      end.deviceText,
      end.response?.text,
      end.resolution ?? null,
      end.response?.raw,
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
       resolution, device_code, device_text, response, response_raw
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
    resolution: row.resolution as AttemptFact['resolution'],
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
  resolution: 'not_signed' | 'not_ours' | 'reversed',
  sent: { invoiceNumber: string },
) =>
  query(
    tx,
    "update attempt set resolution = $2 where receipt_id = $1 and invoice_number = $3 and (resolution = 'doubtful' or resolution is null and outcome in ('in_doubt', 'number_taken'))",
    [receiptId, resolution, sent.invoiceNumber],
  );

/**
 * A number is somebody else's than a document's: so it is of what the document has sent under it at
 * that device as receipts that were closed since.
 */
export const settleClosedNotOurs = (tx: Tx, receiptId: string, invoiceNumber: string) =>
  query(
    tx,
    `update attempt a set resolution = 'not_ours' from receipt r join receipt m on ${isOfSame('m', 'r')} and m.device_id = r.device_id and m.id <> r.id
      where r.id = $1 and a.business_id = m.business_id and a.receipt_id = m.id and a.invoice_number = $2 and a.may_have_left
        and coalesce(a.resolution, '') not in ('signed', 'reversed')`,
    [receiptId, invoiceNumber],
  );

/**
 * What the device has not served under a number that is given back: neither signed, nor to be sent
 * again.
 */
export const settleUnserved = (tx: Tx, receiptId: string, invoiceNumber: string) =>
  query(
    tx,
    "update attempt set resolution = 'not_signed' where receipt_id = $1 and invoice_number = $2 and outcome = 'not_served' and resolution is null",
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
    `update attempt a set resolution = case when r.id = $3 then 'signed' else 'not_ours' end from receipt r
      where a.device_id = $1 and a.invoice_number = $2
        and (a.resolution = 'doubtful' or r.id <> $3 and a.resolution is null and a.outcome in ('in_doubt', 'number_taken'))
        and r.business_id = a.business_id and r.id = a.receipt_id and (r.state = 'in_doubt' and r.invoice_number <> $2 or coalesce(r.moved_to, '') <> '')`,
    [deviceId, invoiceNumber, signedReceiptId],
  );

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
    `select receipt_id, bool_or(outcome = 'in_doubt' or resolution in ('not_signed', 'doubtful')) is true as was_in_doubt from attempt
      where device_id = $1 and invoice_number = $2 and receipt_id <> $3 and may_have_left
      group by receipt_id having bool_or(resolution in ('not_ours', 'reversed')) is not true order by receipt_id`,
    [deviceId, invoiceNumber, exceptReceiptId],
  );
  return rows.map((row) => ({ receiptId: row.receipt_id, wasInDoubt: row.was_in_doubt }));
}

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
