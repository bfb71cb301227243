import { stoppedLane } from '../../branches/index.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { DialectDevice } from '../../ports/dialect/index.ts';
import type { KnownLane, Sending } from './outcome.ts';
import { afterDoubt } from './end-doubt.ts';
import { withdrawOvertaken } from './withdraw-receipt.ts';
import { askAgain, askNoMore, doubtAnother } from './doubt-another.ts';
import type { LanePorts, LaneRun, LaneWork } from './lane-ports.ts';
import { freeze, listAttempts } from '../receipt/attempt.store.ts';
import { extendLease, lockLane, nextAside, readLane, clearLease } from './lane.store.ts';
import type { LaneDevice, LaneDoubt, LaneHead } from './lane.model.ts';
import {
  type Conclusion,
  decide,
  earliest,
  giveNumber,
  type Preparation,
  type Situation,
} from './next-step.model.ts';
import { sendInDoubt } from '../receipt/receipt.model.ts';

export type Step =
  | { do: 'send'; sending: Sending; request: string; passedMs(): number }
  | { do: 'register' | 'read'; head: LaneHead }
  | { do: 'probe'; named: DialectDevice }
  | { do: 'wait'; until: Date | null }
  | { do: 'stop' };

type Turn = LaneWork & { run: LaneRun; lane: LaneDevice; passedMs(): number };

/**
 * Decides what comes next and, where that is a send, freezes number and bytes in the same
 * transaction. `known`: the lane as it was read when the send before ended.
 */
export async function nextStep(
  ports: LanePorts,
  run: LaneRun,
  tx: Tx,
  known: KnownLane | null,
): Promise<Step> {
  const lane = known?.device ?? (await lockLane(tx, run.device.id));
  const at = ports.clock.now();
  const passedMs = ports.startWatch();
  if (!lane) return { do: 'stop' };
  const turn: Turn = { ports, tx, ctx: run.ctx, at, run, lane, passedMs };
  let situation = situationOf(turn, known);
  for (;;) {
    const decision = decide(situation);
    if (decision.do !== 'prepare') return conclude(turn, decision);
    const prepared = await prepare(turn, situation, decision.first);
    if (!prepared) return nextStep(ports, run, tx, null);
    situation = prepared;
  }
}

function situationOf({ ports, run, lane, at }: Turn, known: KnownLane | null): Situation {
  const others = lane.laneHolder === stoppedLane ? 'stopped' : 'another';
  return {
    lane,
    holder: lane.laneHolder === ports.worker ? 'this_worker' : others,
    hasJustEnded: known !== null,
    isClosing: ports.closing?.aborted ?? false,
    queue: known && { doubts: [], head: known.head },
    underWay: [...ports.underWay.values()],
    listening: new Map(),
    done: new Set(),
    isServing: run.isServing,
    rules: run.dialect.sales,
    timing: ports.timing,
    now: at,
  };
}

/**
 * Does what has to come before the rest can be decided, and returns what is known then; null: the
 * lane has changed, and is read again.
 */
async function prepare(
  turn: Turn,
  situation: Situation,
  first: Preparation,
): Promise<Situation | null> {
  const { ports, tx, ctx, lane, at } = turn;
  const isDone = (what: 'alert_open_doubts' | 'doubt_another' | 'withdraw_overtaken') => ({
    ...situation,
    done: new Set([...situation.done, what]),
  });
  switch (first.do) {
    case 'read_queue':
      return { ...situation, queue: await readLane(tx, lane.id, at) };
    case 'change_asking':
      await changeAsking(turn, first.doubt);
      return null;
    case 'find_listening':
      return { ...situation, listening: await findListening(turn, first.receiptIds, situation) };
    case 'alert_open_doubts':
      await ports.alerts.raise(tx, ctx, lane.id, {
        code: 'two_open_doubts',
        document_numbers: first.documentNumbers,
      });
      return isDone(first.do);
    case 'doubt_another':
      return (await doubtHead(turn, first.head)) ? null : isDone(first.do);
    case 'withdraw_overtaken':
      return (await withdrawOvertaken(turn, first.head)) ? null : isDone(first.do);
  }
}

async function changeAsking(turn: Turn, doubt: LaneDoubt): Promise<void> {
  const { ports, lane } = turn;
  const { otherNumber } = doubt;
  if (otherNumber === null) await askAgain(turn, doubt);
  else await askNoMore(turn, { ...doubt, deviceId: lane.id, otherNumber });
  await afterDoubt(turn, lane.id);
  ports.changed(doubt.id);
}

/**
 * Finds for which receipts an answer may still come here, or has come and is not recorded yet,
 * although the time of its socket has ended.
 */
async function findListening(
  { ports, tx, at }: Turn,
  receiptIds: string[],
  { listening }: Situation,
): Promise<Map<string, boolean>> {
  const found = new Map(listening);
  for (const id of receiptIds)
    found.set(
      id,
      (await listAttempts(tx, id, at, ports.underWay)).some((attempt) => !attempt.isSocketClosed),
    );
  return found;
}

async function doubtHead(turn: Turn, { id }: LaneHead): Promise<boolean> {
  const { ports, lane } = turn;
  const doubted = await doubtAnother(turn, { id, deviceId: lane.id });
  if (!doubted) return false;
  for (const changed of new Set([id, doubted])) ports.changed(changed);
  return true;
}

async function conclude(turn: Turn, decision: Conclusion): Promise<Step> {
  const { ports, tx, lane, at } = turn;
  switch (decision.do) {
    case 'stop':
      if (decision.endsLease) await clearLease(tx, lane.id, null);
      return { do: 'stop' };
    case 'release':
      return releaseUntil(
        turn,
        decision.orWhenDue
          ? earliest([decision.until, await nextAside(tx, lane.id, at)])
          : decision.until,
      );
    case 'resend':
      return freezeAgain(turn, decision.doubt);
    case 'freeze':
      return freezeHead(turn, decision.head);
  }
  await extendLease(tx, lane.id, ports.worker, new Date(at.getTime() + ports.timing.leaseMs));
  return decision.do === 'probe'
    ? { do: 'probe', named: decision.head.filed.terms.device }
    : { do: decision.do, head: decision.head };
}

async function releaseUntil({ ports, tx, ctx, lane }: Turn, until: Date | null): Promise<Step> {
  await clearLease(tx, lane.id, until);
  if (until)
    await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: lane.id }, until);
  return { do: 'wait', until };
}

/** Freezes the head: what may have left goes as it was, anything else is made now. */
async function freezeHead(turn: Turn, { id, filed, ...head }: LaneHead): Promise<Step> {
  const { run, lane, at } = turn;
  const { invoiceNumber, counters } = giveNumber(head, lane);
  const request =
    head.fixedRequest ??
    run.dialect.sales.toBody(filed.sale, { ...filed.terms, invoiceNumber, at });
  return freezeSend(
    turn,
    { receiptId: id, invoiceNumber, isResend: false, filed: head.fixedRequest ? null : filed },
    request,
    counters,
  );
}

/** Freezes the same bytes once more, under the number of the doubt. */
async function freezeAgain(turn: Turn, { id, invoiceNumber }: LaneDoubt): Promise<Step> {
  const { tx, lane, at } = turn;
  const last = sendInDoubt(await listAttempts(tx, id, at), invoiceNumber);
  if (!last) throw new Error(`receipt ${id} is in doubt without a send`);
  return freezeSend(
    turn,
    { receiptId: id, invoiceNumber, isResend: true, filed: null },
    last.request,
    { next: lane.nextInvoiceNumber, free: lane.freeNumbers },
  );
}

async function freezeSend(
  { ports, tx, ctx, lane, at, passedMs }: Turn,
  send: Pick<Sending, 'receiptId' | 'invoiceNumber' | 'isResend' | 'filed'>,
  request: string,
  counters: { next: string; free: string[] },
): Promise<Step> {
  const { leaseMs, lateTimeoutMs } = ports.timing;
  const sending = {
    ...send,
    attemptId: ports.newId('attempt'),
    deviceId: lane.id,
    startedAt: at,
  };
  // The exchange counts its time from when it begins, which may be as late as half a lease after
  // this.
  const socketUntil = new Date(at.getTime() + leaseMs / 2 + lateTimeoutMs);
  await freeze(
    tx,
    ctx.businessId,
    { ...sending, id: sending.attemptId, request, worker: ports.worker, socketUntil },
    counters,
    new Date(at.getTime() + leaseMs),
  );
  return { do: 'send', sending, request, passedMs };
}
