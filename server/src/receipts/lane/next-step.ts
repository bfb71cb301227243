import { type Device, stoppedLane } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Dialect, DialectDevice } from '../../ports/dialect/index.ts';
import type { KnownLane, Sending } from './outcome.ts';
import { afterDoubt } from './end-doubt.ts';
import { withdrawOvertaken } from './withdraw-receipt.ts';
import { askAgain, askNoMore, doubtAnother } from './doubt-another.ts';
import type { LanePorts } from './lane-ports.ts';
import { freeze, listAttempts } from '../receipt/attempt.store.ts';
import { extendLease, lockLane, nextAside, readLane, releaseLane } from './lane.store.ts';
import type { LaneDoubt, LaneHead } from './lane.model.ts';
import { sendInDoubt } from '../receipt/receipt.model.ts';
import { inBooks, keptFromItself } from './automatic-signing.model.ts';

export type Step =
  | { do: 'send'; sending: Sending; request: string; passedMs(): number }
  | { do: 'register' | 'read'; head: LaneHead }
  | { do: 'probe'; named: DialectDevice }
  | { do: 'wait'; until: Date | null }
  | { do: 'stop' };

/**
 * Decides what comes next and, where that is a send, freezes number and bytes in the same
 * transaction.
 */
export async function nextStep(
  ports: LanePorts,
  ctx: Context,
  device: Device,
  dialect: Dialect,
  isServing: boolean,
  tx: Tx,
  known: KnownLane | null,
): Promise<Step> {
  const lane = known?.device ?? (await lockLane(tx, device.id));
  const now = ports.clock.now();
  const passedMs = ports.startWatch();
  // Taken from whoever worked it, for nobody: with the send that has just ended it is free.
  if (lane?.laneHolder === stoppedLane && (known || lane.openAttempt === null))
    await releaseLane(tx, device.id, null);
  if (!lane || lane.laneHolder !== ports.worker) return { do: 'stop' };
  const letGo = async (until: Date | null): Promise<Step> => {
    await releaseLane(tx, device.id, until);
    if (until)
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: device.id }, until);
    return { do: 'wait', until };
  };
  if (lane.state !== 'active') return letGo(null);
  // Another server goes on with it, or this one once it is there again.
  if (ports.closing?.aborted) return letGo(now);
  const { doubts, head } = known
    ? { doubts: [], head: known.head }
    : await readLane(tx, device.id, now);
  const twofold = doubts.find((doubt) => isTwofold(doubt, now, ports));
  if (twofold) {
    if (twofold.otherNumber === null) await askAgain({ ports, tx, ctx, at: now }, twofold);
    else
      await askNoMore(
        { ports, tx, ctx, at: now },
        { ...twofold, deviceId: device.id, otherNumber: twofold.otherNumber },
      );
    await afterDoubt({ ports, tx, ctx }, device.id);
    ports.changed(twofold.id);
    return nextStep(ports, ctx, device, dialect, isServing, tx, null);
  }
  const open: LaneDoubt[] = [];
  for (const doubt of doubts.filter((each) => each.isAsked))
    open.push(
      canSettle(doubt, now, ports) && (await isListening(doubt))
        ? { ...doubt, hasOpenSocket: true }
        : doubt,
    );
  if (open.length > 1)
    await ports.alerts.raise(tx, ctx, device.id, {
      code: 'two_open_doubts',
      document_numbers: open.map((doubt) => doubt.documentNumber),
    });
  // A device that would sign the same number once more is asked about a doubt by nobody but a
  // person: there it would be a second receipt.
  const asked = dialect.sales.resend === 'refused_by_device' ? open : [];
  const due = asked.find((doubt) => canSettle(doubt, now, ports));
  if (due) return resend(tx, due, now, lane);
  const wakeUps = asked
    .filter((doubt) => !doubt.isContested)
    .map((doubt) => settleTime(doubt, ports));
  if (open.length > 0 && head) {
    const waitUntil = new Date((open[0] as LaneDoubt).since.getTime() + ports.timing.doubtWaitMs);
    const mayPass = dialect.sales.passesDoubt && open.length === 1;
    if (!mayPass) return letGo(earliest(wakeUps));
    if (now < waitUntil) return letGo(earliest([...wakeUps, waitUntil]));
    if (!isServing) {
      await extendLease(
        tx,
        device.id,
        ports.worker,
        new Date(now.getTime() + ports.timing.leaseMs),
      );
      return { do: 'probe', named: head.filed.filing.device };
    }
  }
  if (!head) return letGo(earliest([...wakeUps, await nextAside(tx, device.id, now)]));
  // Whatever has put it there: a document that may be signed under another number waits for whoever
  // settles that, and the lane goes on without it.
  const doubted =
    head.isDoubted &&
    (await doubtAnother({ ports, tx, ctx, at: now }, { id: head.id, deviceId: device.id }));
  if (doubted) {
    for (const id of new Set([head.id, doubted])) ports.changed(id);
    return nextStep(ports, ctx, device, dialect, isServing, tx, null);
  }
  // Bytes that may have left are asked about all the same: what the authority has is not changed by
  // who asks.
  if (lane.isOtherTaxpayer && !head.fixedRequest)
    return letGo(earliest([...wakeUps, new Date(now.getTime() + ports.timing.retryMaxMs)]));
  if (head.nextTryAt && head.nextTryAt > now) return letGo(earliest([...wakeUps, head.nextTryAt]));
  // Woken from a long sleep, this process may still listen for an earlier send of it although by
  // the clock that is over, and others have settled it since.
  if ([...ports.underWay.values()].includes(head.id) && (await isListening(head)))
    return letGo(earliest([...wakeUps, new Date(now.getTime() + ports.timing.settleQuietMs)]));
  if (await withdrawOvertaken({ ports, tx, ctx, at: now }, head))
    return nextStep(ports, ctx, device, dialect, isServing, tx, null);
  const hold = () =>
    extendLease(tx, device.id, ports.worker, new Date(now.getTime() + ports.timing.leaseMs));
  // Bytes that may have left are fixed; anything else is read again where it may have changed
  // meanwhile. A reversal follows nothing in the books: it undoes exactly what was signed.
  const isOld =
    !head.filed.filing.reverses &&
    (!head.readAt || now.getTime() - head.readAt.getTime() > ports.timing.readAgainMs);
  const mustRead = isOld || keptFromItself(head, head.byItself, inBooks(head.filed)) !== null;
  if (!head.fixedRequest && (mustRead || head.hasUnregisteredItems)) {
    await hold();
    return { do: mustRead ? 'read' : 'register', head };
  }
  const [returned, ...others] = lane.freeNumbers;
  const isReturned = head.invoiceNumber === null && returned !== undefined;
  const isNew = head.invoiceNumber === null && !isReturned;
  const invoiceNumber = head.invoiceNumber ?? returned ?? lane.nextInvoiceNumber;
  const { sale, filing } = head.filed;
  const request =
    head.fixedRequest ?? dialect.sales.toBody(sale, { ...filing, invoiceNumber, at: now });
  const sending = {
    ...sendingOf(ports, head.id, device.id, invoiceNumber, false, now),
    filed: head.fixedRequest ? null : head.filed,
  };
  await freeze(
    tx,
    ctx.businessId,
    {
      ...sending,
      id: sending.attemptId,
      request,
      worker: ports.worker,
      socketUntil: socketUntil(ports, now),
    },
    {
      next: isNew ? (BigInt(lane.nextInvoiceNumber) + 1n).toString() : lane.nextInvoiceNumber,
      free: isReturned ? others : lane.freeNumbers,
    },
    new Date(now.getTime() + ports.timing.leaseMs),
  );
  return { do: 'send', sending, request, passedMs };

  /**
   * An answer may still come here, or have come and not be recorded yet, although the time of its
   * socket is over.
   */
  async function isListening({ id }: Pick<LaneDoubt, 'id'>): Promise<boolean> {
    if (ports.underWay.size === 0) return false;
    return (await listAttempts(tx, id, now, ports.underWay)).some(
      (attempt) => !attempt.isSocketClosed,
    );
  }

  async function resend(
    tx: Tx,
    doubt: LaneDoubt,
    now: Date,
    lane: { nextInvoiceNumber: string; freeNumbers: string[] },
  ): Promise<Step> {
    const attempts = await listAttempts(tx, doubt.id, now);
    const last = sendInDoubt(attempts, doubt.invoiceNumber);
    if (!last) throw new Error(`receipt ${doubt.id} is in doubt without a send`);
    const sending = sendingOf(ports, doubt.id, device.id, doubt.invoiceNumber, true, now);
    await freeze(
      tx,
      ctx.businessId,
      {
        ...sending,
        id: sending.attemptId,
        request: last.request,
        worker: ports.worker,
        socketUntil: socketUntil(ports, now),
      },
      { next: lane.nextInvoiceNumber, free: lane.freeNumbers },
      new Date(now.getTime() + ports.timing.leaseMs),
    );
    return { do: 'send', sending, request: last.request, passedMs };
  }
}

const sendingOf = (
  ports: LanePorts,
  receiptId: string,
  deviceId: string,
  invoiceNumber: string,
  isResend: boolean,
  startedAt: Date,
): Sending => ({
  attemptId: ports.newId('attempt'),
  receiptId,
  deviceId,
  invoiceNumber,
  isResend,
  startedAt,
  filed: null,
});

/**
 * The exchange counts its time from when it begins, which may be as late as half a lease after
 * this.
 */
const socketUntil = ({ timing }: LanePorts, writtenAt: Date): Date =>
  new Date(writtenAt.getTime() + timing.leaseMs / 2 + timing.lateTimeoutMs);

/** A doubt is asked about again once its first socket is closed and a quiet time has passed. */
const settleTime = (doubt: LaneDoubt, ports: LanePorts): Date => {
  const quiet = (doubt.lastEndedAt ?? doubt.since).getTime() + ports.timing.settleQuietMs;
  const floor = doubt.hasOpenSocket
    ? Math.max(quiet, ports.clock.now().getTime() + ports.timing.settleQuietMs)
    : quiet;
  return new Date(Math.max(floor, doubt.nextTryAt?.getTime() ?? 0));
};
/**
 * That it may be signed under another number is not what its doubt says: it is as soon as it would
 * be asked about, or could be again.
 */
const isTwofold = (doubt: LaneDoubt, now: Date, ports: LanePorts) =>
  doubt.isAsked
    ? doubt.otherNumber !== null && canSettle(doubt, now, ports)
    : doubt.otherNumber === null && !doubt.isContested;
const canSettle = (doubt: LaneDoubt, now: Date, ports: LanePorts) =>
  !doubt.isContested && !doubt.hasOpenSocket && settleTime(doubt, ports) <= now;

const earliest = (dates: (Date | null)[]): Date | null => {
  const known = dates.filter((date) => date !== null).map((date) => date.getTime());
  return known.length > 0 ? new Date(Math.min(...known)) : null;
};
