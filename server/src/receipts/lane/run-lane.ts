import type { StoredProblem } from '@muhuri/shared/problems';
import { type Device, findDevice, stoppedLane } from '../../branches/index.ts';
import { getBusiness, isExempt } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { redacted } from '../../platform/log.ts';
import type { DeviceAnswer, Dialect, DialectDevice } from '../../ports/dialect.ts';
import type { Sent } from '../../ports/vsdc.ts';
import {
  type AfterSend,
  afterDoubt,
  type KnownLane,
  recordOutcome,
  recordLate,
  recordUnread,
  type Sending,
  withdrawOvertaken,
} from './record-outcome.ts';
import { askAgain, askNoMore, doubtAnother } from './doubt-another.ts';
import { doubtOrphans } from './doubt-orphans.ts';
import { hasUnregistered } from '../../catalogue/index.ts';
import type { LanePorts } from './lane-ports.ts';
import { freeze, listAttempts } from '../receipt/attempt.store.ts';
import {
  giveBackNumber,
  extendLease,
  type LaneDoubt,
  type LaneHead,
  lockLane,
  nextAside,
  postponeDocument,
  readLane,
  releaseLane,
  setAside,
  setLaneTries,
  setRegistered,
} from './lane.store.ts';
import { isStill } from '../sale/document-hash.ts';
import { leaveAsExempt } from '../receipt/elsewhere.store.ts';
import { fitUnderLock, moveTo } from './move-receipt.ts';
import { withItemCodes } from '../prepare/assign-item-codes.ts';
import { askedBy, type SigningInput, noPerson } from '../sale/signing-input.model.ts';
import { provablyNotLeft, retryDelayMs, sendInDoubt } from '../receipt/receipt.model.ts';
import type { Answers } from '../sale/setup.model.ts';
import { answersAbout } from '../sale/answers.model.ts';
import {
  holdDevice,
  lockReceipt,
  type Receipt,
  refreshReceipt,
  setReceiptState,
} from '../receipt/receipt.store.ts';
import { isTransient } from '../../platform/db/is-transient.ts';
import { retry } from '../../platform/retry.ts';

/** Answers when the lane should be looked at again, if that is known. */
export type RunLane = (ctx: Context, deviceId: string) => Promise<Date | null>;

type Step =
  | { do: 'send'; sending: Sending; request: string; passedMs(): number }
  | { do: 'register' | 'read'; head: LaneHead }
  | { do: 'probe'; named: DialectDevice }
  | { do: 'wait'; until: Date | null }
  | { do: 'stop' };

/**
 * Works a device's lane until nothing may go: one document at a time, in order. The lease on the
 * device's row makes it the only one over any number of processes; every number is given and every
 * outcome recorded under that row's lock, so that two lanes by mistake would still not send two
 * documents under one number.
 */
export const runLane =
  (ports: LanePorts): RunLane =>
  async (ctx, deviceId) => {
    const device = await take(ports, ctx, deviceId);
    if (!device) return null;
    const dialect = ports.dialects.of(device.dialect);
    let isServing = false;
    let isSurprised = false;
    let decided: Step | null = null;
    try {
      for (;;) {
        const step: Step =
          decided ??
          (await ctx.transaction((tx) =>
            nextStep(ports, ctx, device, dialect, isServing, tx, null),
          ));
        decided = null;
        switch (step.do) {
          case 'stop':
            return null;
          case 'wait':
            return step.until;
          case 'probe':
            isServing = await probe(ports, ctx, device, dialect, step.named);
            if (!isServing) return waitAndRelease(ports, ctx, deviceId, ports.timing.retryMaxMs);
            break;
          case 'register': {
            const wait = await register(ports, ctx, device, step.head);
            if (wait) return wait;
            break;
          }
          case 'read':
            await readAgain(ports, ctx, deviceId, step.head);
            break;
          case 'send': {
            const { after, next } = await send(ports, ctx, device, dialect, isServing, step);
            decided = next;
            ports.changed(step.sending.receiptId);
            if (after.is === 'stop') return release(ports, ctx, deviceId, null);
            if (after.is === 'wait') return release(ports, ctx, deviceId, after.until);
          }
        }
      }
    } catch (error) {
      ports.log.error(
        { business_id: ctx.businessId, device_id: deviceId, error: (error as Error).stack },
        'a lane stopped by surprise',
      );
      isSurprised = true;
      await ports.worked(ctx, deviceId, error as Error);
      return waitAndRelease(ports, ctx, deviceId, ports.timing.retryFirstMs).catch(() => null);
    } finally {
      if (!isSurprised) await ports.worked(ctx, deviceId, null);
    }
  };

/** Takes the lease, unless another worker has it. Sends that a gone worker began become doubts. */
async function take(ports: LanePorts, ctx: Context, deviceId: string): Promise<Device | null> {
  const touched: string[] = [];
  const device = await ctx.transaction(async (tx) => {
    const lane = await lockLane(tx, deviceId);
    const now = ports.clock.now();
    if (!lane || lane.state !== 'active') return null;
    // Nothing is sent in the name of a business that is suspended or closed; its documents keep
    // their places.
    if (!['active', 'pending'].includes((await getBusiness(tx)).status)) return null;
    if (
      lane.laneHolder &&
      lane.laneHolder !== ports.worker &&
      lane.laneUntil &&
      lane.laneUntil > now
    ) {
      // Whoever holds it looks once more before letting go; the call at the lease's end is for the
      // case that it never gets there.
      await ports.queue.wakeLane(
        tx,
        { business_id: ctx.businessId, device_id: deviceId },
        lane.laneUntil,
      );
      return null;
    }
    touched.push(...(await doubtOrphans(ports, tx, ctx, lane, now)));
    await extendLease(tx, deviceId, ports.worker, new Date(now.getTime() + ports.timing.leaseMs));
    return findDevice(tx, deviceId);
  });
  for (const id of touched) ports.changed(id);
  return device;
}

/**
 * Decides what comes next and, where that is a send, freezes number and bytes in the same
 * transaction.
 */
async function nextStep(
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
    if (twofold.otherNumber === null) await askAgain(ports, tx, ctx, twofold, now);
    else
      await askNoMore(
        ports,
        tx,
        ctx,
        { ...twofold, deviceId: device.id, otherNumber: twofold.otherNumber },
        now,
      );
    await afterDoubt(ports, tx, ctx, device.id);
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
      code: 'doubts_two',
      document_numbers: open.map((doubt) => doubt.documentNumber),
    });
  // A device that would sign the same number once more is asked about a doubt by nobody but a
  // person: there it would be a second receipt.
  const asked = dialect.resend === 'refused_by_device' ? open : [];
  const due = asked.find((doubt) => canSettle(doubt, now, ports));
  if (due) return resend(tx, due, now, lane);
  const wakeUps = asked
    .filter((doubt) => !doubt.isContested)
    .map((doubt) => settleTime(doubt, ports));
  if (open.length > 0 && head) {
    const waitUntil = new Date((open[0] as LaneDoubt).since.getTime() + ports.timing.doubtWaitMs);
    const mayPass = dialect.passesDoubt && open.length === 1;
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
    (await doubtAnother(ports, tx, ctx, { id: head.id, deviceId: device.id }, now));
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
  if (await withdrawOvertaken(ports, tx, ctx, head, now))
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
    head.fixedRequest ?? dialect.sell.toBody(sale, { ...filing, invoiceNumber, at: now });
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

const inBooks = ({ sale }: SigningInput): Parameters<typeof isExempt>[1] => ({
  number: sale.documentNumber,
  customer: { id: sale.customerId },
  locationId: sale.locationId ?? null,
});

/**
 * What keeps a document that was opened by itself, and of which nothing has left yet, from being
 * sealed by itself now: the business has exempted it since, or wants nothing sealed by itself any
 * more. Whoever says so means what waits as well: what is signed cannot be taken back, what is left
 * aside is a press. So one that no person has asked for, and of which servers of before did not say
 * whether a program has, counts as opened by itself where it is exempt; where nothing is to be
 * sealed by itself any more, what programs ask for goes on.
 */
function keptFromItself(
  { byItself, filed }: LaneHead,
  settings: LaneHead['byItself'],
  document: Parameters<typeof isExempt>[1],
): 'exempted_in_queue' | 'auto_seal_ended' | null {
  if (!byItself || !settings) return null;
  if (isExempt(settings, document)) return 'exempted_in_queue';
  return settings.auto_seal === 'off' && filed.filing.openedByItself === true
    ? 'auto_seal_ended'
    : null;
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

/**
 * Sends, records how it ended and, where the lane goes on, decides the next step in the same
 * transaction: one commit a receipt less.
 *
 * A process that was stopped between writing a send down and its first byte (a machine that slept
 * or was moved), or that found its device only slowly, comes into another world: by now another may
 * hold the lane, have taken the send for a doubt, or have retired the device. Past half of its
 * lease nothing leaves; what it wrote down provably did not, and where somebody has judged it
 * meanwhile, that stands.
 */
async function send(
  ports: LanePorts,
  ctx: Context,
  device: Device,
  dialect: Dialect,
  isServing: boolean,
  { sending, request, passedMs }: Step & { do: 'send' },
): Promise<{ after: AfterSend; next: Step | null }> {
  const mayLeave = () => passedMs() <= ports.timing.leaseMs / 2;
  const { attemptId } = sending;
  let isHeard = true;
  ports.underWay.set(attemptId, sending.receiptId);
  try {
    // Written down just when the end of the process began: nobody might hear the device out.
    const sent: Sent = ports.closing?.aborted
      ? { is: 'unreachable', reason: 'the server ends: it was not sent' }
      : await ports.vsdc.send(
          device,
          { path: dialect.sell.path, body: request },
          { businessId: ctx.businessId, as: 'sale', mayLeave },
        );
    isHeard = sent.is !== 'in_doubt';
    try {
      // A next step that fails must not take the outcome along, so every later try records and
      // nothing more.
      return await write(
        ports,
        ctx,
        sending,
        sent.is === 'answered' ? () => told(dialect, sent.answer) : null,
        (before) =>
          recordOutcome(ports, ctx, dialect, sending, sent, async (tx, lane) =>
            before === 0 ? nextStep(ports, ctx, device, dialect, isServing, tx, lane) : null,
          ),
      );
    } catch (error) {
      await keepUnread(ports, ctx, dialect, sending, sent, error as Error);
      throw error;
    } finally {
      if (sent.is === 'in_doubt') listenOn(ports, ctx, dialect, sending, sent.late);
    }
  } finally {
    if (isHeard) ports.underWay.delete(attemptId);
  }
}

/**
 * What a device has said is written as long as it takes; only where a database that is there
 * refuses it, or the process ends, it is given up. Until then it stands nowhere else, and a process
 * may end without a word: so it is `said` in the log as soon as it could not be written at once, or
 * is not yet after a moment. A database that has fallen silent fails only after a minute, and
 * whatever waits for its turn behind others later than that.
 */
async function write<T>(
  ports: LanePorts,
  ctx: Context,
  sending: Sending,
  said: (() => object) | null,
  work: (triesBefore: number) => Promise<T>,
): Promise<T> {
  const { receiptId, deviceId } = sending;
  let isSaid = false;
  const say = (error: unknown) => {
    if (said && !isSaid)
      ports.log.warn(
        { ...aboutOf(ctx, sending), ...said(), error: String(error) },
        'what a device said is not recorded yet',
      );
    isSaid = said !== null;
  };
  const { recordSayMs } = ports.timing;
  const takeBack = ports.after(recordSayMs, () => say(`not recorded within ${recordSayMs} ms`));
  const result = await retry(
    {
      wait: ports.wait,
      log: ports.log,
      maxMs: ports.timing.recordMaxMs,
      lastMs: ports.timing.recordLastMs,
      // A lane that cannot be locked cannot be written: a database that takes no writes (a standby)
      // is away as well.
      look: () => ctx.transaction((tx) => lockLane(tx, deviceId)),
      ...(ports.ending ? { ending: ports.ending } : {}),
    },
    { business_id: ctx.businessId, receipt_id: receiptId },
    (before) =>
      work(before).catch((error: unknown) => {
        say(error);
        throw error;
      }),
  ).finally(takeBack);
  if (isSaid) ports.log.warn(aboutOf(ctx, sending), 'what a device said is recorded after all');
  return result;
}

const aboutOf = (ctx: Context, { receiptId, attemptId, invoiceNumber }: Sending) => ({
  business_id: ctx.businessId,
  receipt_id: receiptId,
  attempt_id: attemptId,
  invoice_number: invoiceNumber,
});

/**
 * What a device said, for the log: of its words whatever may be a secret is left out, which a
 * signature may look like; so its parts stand beside them.
 */
function told(dialect: Dialect, answer: DeviceAnswer): object {
  const signature = dialect.sell.find(answer);
  return {
    answer: redacted(answer.body.slice(0, toldMax)),
    ...(signature && {
      signature: {
        receipt_number: signature.receiptNumber,
        total_receipt_number: signature.totalReceiptNumber,
        internal_data: signature.internalData,
        receipt_signature: signature.receiptSignature,
        sdc_id: signature.sdcId,
        mrc_number: signature.mrcNumber,
        signed_at: signature.signedAt,
      },
    }),
  };
}

/**
 * How a send ended could not be written as what it is. It stands as a doubt then, beside what was
 * said, which a person may settle it with; where not even that can be written, the log is the last
 * place for it.
 */
async function keepUnread(
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  sent: Sent,
  cause: Error,
): Promise<void> {
  const about = aboutOf(ctx, sending);
  const answer = sent.is === 'answered' ? told(dialect, sent.answer) : {};
  try {
    await write(ports, ctx, sending, null, () => recordUnread(ports, ctx, dialect, sending, sent));
    ports.log.error(
      { ...about, error: cause.stack },
      'how a send ended is recorded as a doubt: the database refuses what it was',
    );
  } catch (error) {
    ports.log.error(
      { ...about, ended: sent.is, ...answer, error: (error as Error).stack },
      'how a send ended is recorded nowhere',
    );
  }
}

const toldMax = 2_000;

/**
 * The socket stays open for a while; what still comes is recorded. Begun only after the doubt
 * itself is, so that it finds one.
 */
function listenOn(
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  late: Promise<DeviceAnswer | null>,
): void {
  const { receiptId, attemptId } = sending;
  const about = aboutOf(ctx, sending);
  const recorded = late
    .then(async (answer) => {
      await write(ports, ctx, sending, answer && (() => told(dialect, answer)), () =>
        recordLate(ports, ctx, dialect, sending, answer),
      ).catch(async (error: Error) => {
        // That nothing came is lost with no harm: its socket counts as closed once its time is
        // over.
        if (!answer)
          return ports.log.warn(
            { ...about, error: error.stack },
            'that a socket was closed could not be recorded',
          );
        ports.log.error(
          { ...about, ...told(dialect, answer), error: error.stack },
          'a late answer could not be recorded',
        );
        await write(ports, ctx, sending, null, () =>
          recordUnread(ports, ctx, dialect, sending, { is: 'answered', answer }),
        );
      });
      ports.changed(receiptId);
    })
    .catch((error: Error) =>
      ports.log.error({ ...about, error: error.stack }, 'a late answer could not be kept either'),
    )
    .finally(() => ports.underWay.delete(attemptId));
  ports.background(recorded);
}

/** Only after the device has answered as a VSDC does, a lane goes past an open doubt. */
async function probe(
  ports: LanePorts,
  ctx: Context,
  device: Device,
  dialect: Dialect,
  named: DialectDevice,
): Promise<boolean> {
  const sent = await ports.vsdc.send(device, dialect.probe.toRequest(named), {
    businessId: ctx.businessId,
    as: 'lane',
  });
  const isServing = sent.is === 'answered' && dialect.probe.isServing(sent.answer);
  ports.log.info(
    { business_id: ctx.businessId, device_id: device.id, is_serving: isServing },
    'probed the device before going past a doubt',
  );
  return isServing;
}

/**
 * Tells the device of new items. Answers the moment to wait for, if any; a refused item refuses its
 * document before a number is given.
 */
async function register(
  ports: LanePorts,
  ctx: Context,
  device: Device,
  head: LaneHead,
): Promise<Date | null> {
  const { filing, sale } = head.filed;
  const prices = Object.fromEntries(sale.lines.map((line) => [line.itemCode, line.unitPrice]));
  const done = await ports.registerItems(
    ctx,
    device,
    { taxpayerId: filing.device.taxpayerId, user: filing.user, prices },
    ports.worker,
  );
  if (done.is === 'done') {
    await ctx.transaction((tx) => setRegistered(tx, head.id));
    return null;
  }
  if (done.is === 'refused') {
    await ctx.transaction(async (tx) => {
      const receipt = await lockUnsent(ports, tx, device.id, head.id);
      if (!receipt) return;
      if (receipt.invoiceNumber) await giveBackNumber(tx, device.id, receipt.invoiceNumber);
      await setReceiptState(
        tx,
        head.id,
        { state: 'refused', problem: done.problem, invoiceNumber: null },
        ports.clock.now(),
      );
      await ports.record(tx, ctx, {
        action: 'receipt.refused',
        subject: head.id,
        after: done.problem,
      });
    });
    ports.changed(head.id);
    return null;
  }
  const now = ports.clock.now();
  if (done.is === 'busy') return release(ports, ctx, device.id, new Date(now.getTime() + 500));
  const until = await ctx.transaction(async (tx) => {
    // As after a send: how long the device is left alone goes by how often it was met in vain, not
    // by what was tried with this document.
    const tries = (await lockLane(tx, device.id))?.tries ?? 0;
    const nextTryAt = new Date(
      now.getTime() + retryDelayMs(tries, ports.timing.retryFirstMs, ports.timing.retryMaxMs),
    );
    if (await lockUnsent(ports, tx, device.id, head.id)) {
      await setLaneTries(tx, device.id, tries + 1);
      await postponeDocument(
        tx,
        head.id,
        { problem: done.problem, nextTryAt, mustRead: false },
        now,
      );
    }
    return nextTryAt;
  });
  ports.changed(head.id);
  return release(ports, ctx, device.id, until);
}

/**
 * The document that the lane has in hand, under the locks of both. Asking outside takes time, and a
 * process may sleep meanwhile: past its lease another one works the lane, and has perhaps sent the
 * document under the number it holds. Then it is no longer ours to say anything of.
 */
async function lockUnsent(
  ports: LanePorts,
  tx: Tx,
  deviceId: string,
  receiptId: string,
): Promise<Receipt | null> {
  const lane = await lockLane(tx, deviceId);
  const receipt = await lockReceipt(tx, receiptId);
  if (lane?.laneHolder !== ports.worker || receipt?.state !== 'queued') return null;
  await requireNotLeft(tx, receipt, ports.clock.now());
  return receipt;
}

/** Never anything new about a number that may have been used: better a lane that complains. */
async function requireNotLeft(tx: Tx, { id, invoiceNumber }: Receipt, now: Date): Promise<void> {
  const own = (await listAttempts(tx, id, now)).filter(
    (attempt) => attempt.invoiceNumber === invoiceNumber,
  );
  if (!provablyNotLeft(own))
    throw new Error(`receipt ${id} was to be judged anew although something of it may have left`);
}

/** What came of it, or why it is refused; anything else that fails still fails. */
const settled = <T>(work: Promise<T>): Promise<{ is: T } | { refused: AppError }> =>
  work.then(
    (is) => ({ is }),
    (error: unknown) => {
      if (error instanceof AppError) return { refused: error };
      throw error;
    },
  );

/**
 * The world moves: the document is read again. Changed, it will be frozen anew; void, deleted or
 * unsealable, it leaves the lane.
 */
async function readAgain(
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
  head: LaneHead,
): Promise<void> {
  const own = await ctx.transaction((tx) => lockReceipt(tx, head.id));
  // Asked for by a person or another program while it was exempt, or before: whose it is was
  // decided then. What was opened by itself is asked about as if it came in now.
  const isDecided =
    head.filed.filing.user.id !== noPerson.id || head.filed.filing.askedByProgram === true;
  const said: Answers = isDecided ? { confirm: ['was_exempt'] } : {};
  const result = await ports.prepareSale(ctx, head.module, head.documentId, said, own).then(
    (prepared) => ({ prepared }),
    (error: unknown) => ({ error }),
  );
  let surprise: unknown = null;
  await ctx.transaction(async (tx) => {
    const now = ports.clock.now();
    const lane = await lockLane(tx, deviceId);
    // As where it is opened: the sale is locked before its refund, and counts what was opened while
    // this one was read.
    const { filed: read = null, saleReceipt = null } = 'prepared' in result ? result.prepared : {};
    const refit =
      read && saleReceipt && 'prepared' in result
        ? await settled(fitUnderLock(tx, result.prepared, read, head.id))
        : null;
    const before = await lockReceipt(tx, head.id);
    if (lane?.laneHolder !== ports.worker || before?.state !== 'queued') return;
    await requireNotLeft(tx, before, now);
    const leave = async (state: 'withdrawn' | 'refused', problem: StoredProblem) => {
      if (before.invoiceNumber !== null)
        await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
      await setReceiptState(tx, head.id, { state, problem, invoiceNumber: null }, now);
      await ports.record(tx, ctx, { action: `receipt.${state}`, subject: head.id, after: problem });
    };
    const standAside = async (
      problem: StoredProblem,
      [firstMs, maxMs]: readonly [number, number] = [5_000, 300_000],
    ) => {
      if (before.invoiceNumber !== null)
        await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
      await setAside(
        tx,
        head.id,
        {
          problem,
          nextTryAt: new Date(now.getTime() + retryDelayMs(before.tries, firstMs, maxMs)),
        },
        now,
      );
      await ports.record(tx, ctx, {
        action: 'receipt.set_aside',
        subject: head.id,
        after: problem,
      });
    };
    if ('error' in result) {
      if (!(result.error instanceof AppError)) {
        // Trouble with the database is nobody's own. Anything else fails with this document again:
        // it is told of as a surprise, and keeps nobody waiting.
        if (isTransient(result.error)) throw result.error;
        surprise = result.error;
        return standAside({ code: 'internal' });
      }
      if (result.error.code === 'document_unknown')
        return leave('withdrawn', { code: 'document_deleted' });
      // Not readable: it gives its number back and stands aside until it is.
      return standAside(result.error.problem);
    }
    const { prepared } = result;
    const [finding] = prepared.findings;
    // It stands aside until somebody has said that its device takes it.
    if (finding?.code === 'refund_needs_takeover') return standAside(finding, [60_000, 3_600_000]);
    if (finding?.code === 'document_void') return leave('withdrawn', finding);
    const kept =
      head.byItself && keptFromItself(head, (await getBusiness(tx)).settings, prepared.document);
    if (kept) {
      await leave('withdrawn', {
        code: kept,
        ...(head.module === 'creditnotes' ? { module: head.module } : {}),
      });
      if (kept === 'exempted_in_queue')
        await leaveAsExempt(tx, { module: head.module, documentId: head.documentId });
      return;
    }
    if (!prepared.filed || !prepared.device)
      return leave('refused', finding ?? { code: 'device_missing' });
    if (refit && 'refused' in refit) return leave('refused', refit.refused.problem);
    const filed = await withItemCodes(
      tx,
      ctx.businessId,
      {
        sale: refit?.is ?? prepared.filed.sale,
        filing: { ...prepared.filed.filing, ...askedBy(head.filed.filing) },
      },
      ports,
      prepared.device.dialect,
    );
    // It belongs to another device by now: never the bytes of one device in the lane of another.
    if (prepared.device.id !== before.deviceId) {
      if (prepared.device.environment !== before.environment)
        return leave('withdrawn', { code: 'device_switched' });
      if (!(await holdDevice(tx, prepared.device.id)))
        return standAside({ code: 'device_switched' });
      if (before.invoiceNumber !== null)
        await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
      const codes = filed.sale.lines.map((line) => line.itemCode);
      await moveTo(ports, tx, ctx, before, {
        filed,
        documentHash: prepared.documentHash,
        answers: answersAbout(prepared.answers.about, before, {}),
        documentNumber: filed.sale.documentNumber,
        documentDate: filed.sale.documentDate,
        branchId: prepared.device.branchId,
        deviceId: prepared.device.id,
        saleReceiptId: prepared.saleReceipt?.id ?? null,
        needsRegistering: await hasUnregistered(tx, prepared.device.id, codes),
      });
      await ports.queue.wakeLane(tx, {
        business_id: ctx.businessId,
        device_id: prepared.device.id,
      });
      return;
    }
    if (!isStill(prepared.document, before.documentHash))
      await ports.record(tx, ctx, {
        action: 'receipt.frozen_anew',
        subject: head.id,
        before: { total: before.filed.sale.total },
        after: { total: filed.sale.total },
      });
    await refreshReceipt(
      tx,
      head.id,
      {
        filed,
        documentHash: prepared.documentHash,
        documentNumber: filed.sale.documentNumber,
        documentDate: filed.sale.documentDate,
        answers: answersAbout(prepared.answers.about, before, {}),
        saleReceiptId: prepared.saleReceipt?.id ?? null,
        needsRegistering: await hasUnregistered(
          tx,
          deviceId,
          filed.sale.lines.map((line) => line.itemCode),
        ),
      },
      now,
    );
  });
  ports.changed(head.id);
  if (surprise) throw surprise;
}

/** Lets the lane go and, where there is a next time, has it called again then. */
const release = (
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
  until: Date | null,
): Promise<Date | null> =>
  ctx.transaction(async (tx) => {
    const lane = await lockLane(tx, deviceId);
    if (lane?.laneHolder === ports.worker) await releaseLane(tx, deviceId, until);
    if (until)
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: deviceId }, until);
    return until;
  });

const waitAndRelease = (ports: LanePorts, ctx: Context, deviceId: string, ms: number) =>
  release(ports, ctx, deviceId, new Date(ports.clock.now().getTime() + ms));
