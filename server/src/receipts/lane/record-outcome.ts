import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import { keepDemand } from '../../branches/index.ts';
import { forgetRegistered } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { DeviceAnswer, Dialect, SaleReply } from '../../ports/dialect.ts';
import type { Sent } from '../../ports/vsdc.ts';
import { demandIn } from '../sale/demands.model.ts';
import { asTakenOut, doubtAnother } from './doubt-another.ts';
import type { SigningInput, Reverses } from '../sale/signing-input.model.ts';
import { type KeptAnswer, keptAnswer } from '../receipt/kept-answer.ts';
import type { LanePorts } from './lane-ports.ts';
import {
  beginDoubt,
  endDoubt,
  holdTogether,
  listOpenDoubts,
  listSuspects,
  listUnaskedLanes,
  makeDoubtful,
  nameSuspects,
} from '../receipt/doubt.store.ts';
import {
  burnNumber,
  giveBackNumber,
  keepNumber,
  type LaneDevice,
  type LaneHead,
  lockAndReadLane,
  lockLane,
  pauseLaneFor,
  postponeDocument,
  readAnew,
  setLaneTries,
  touchDevice,
} from './lane.store.ts';
import {
  canTotalBe,
  countStrangers,
  explainTotals,
  isSignatureKnown,
  recordSigned,
} from '../receipt/signature.store.ts';
import {
  closeSocket,
  type Ended,
  type EarlierHolder,
  earlierHolders,
  endAttempt,
  findAttemptStatus,
  listAttempts,
  listSharers,
  reopenSocket,
  settleAttempts,
  settleElsewhere,
  settleUnserved,
  type StoredAttempt,
  wasSentBefore,
} from '../receipt/attempt.store.ts';
import { moveBack } from './move-back.ts';
import {
  isDoubtful,
  isFoundTaken,
  lastUnder,
  provablyNotLeft,
  retryDelayMs,
  sendInDoubt,
} from '../receipt/receipt.model.ts';
import { markReversed } from '../receipt/reversal.store.ts';
import {
  findReceipt,
  lockReceipt,
  type Receipt,
  setReceiptState,
  touchReceipt,
} from '../receipt/receipt.store.ts';
import type { Signature } from '../../model/sale.model.ts';
import { isUndoneSoon, openSeconds, signedTwice } from '../receipt/second-signature.model.ts';
import {
  isSignedLateUnder,
  keepSecond,
  settleReversed,
  settleSecond,
} from '../receipt/second-signature.store.ts';

export type Sending = {
  attemptId: string;
  receiptId: string;
  deviceId: string;
  invoiceNumber: string;
  isResend: boolean;
  startedAt: Date;
  /** What the bytes were made of, where they were made just now. */
  filed: SigningInput | null;
};

/**
 * What an end means for the lane: go on with the next document, wait until a moment, or stop for a
 * person.
 */
export type AfterSend = { is: 'go_on' } | { is: 'wait'; until: Date } | { is: 'stop' };

/** A lane without doubts, under its lock, and what goes next in it. */
export type KnownLane = { device: LaneDevice; head: LaneHead | null };

type Said = { deviceCode: string; deviceText: string };

/**
 * Records how one send ended, in one transaction with everything that follows from it: outcome,
 * signature, number, state, trail. After a doubt no answer but *signed* or *number taken* changes
 * anything by itself.
 */
export async function recordOutcome<Next>(
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  sent: Sent,
  /**
   * What the lane does next, in the same transaction; the lane as it was read together with its
   * lock, where nothing in it has changed since.
   */
  goOn: (tx: Tx, lane: KnownLane | null) => Promise<Next | null>,
): Promise<{ after: AfterSend; next: Next | null }> {
  const reply = sent.is === 'answered' ? dialect.sell.read(sent.answer, sending.isResend) : null;
  const response = sent.is === 'answered' ? keptAnswer(sent.answer) : null;
  return ctx.transaction(async (tx) => {
    const { after, lane } = await record(tx);
    return { after, next: after.is === 'go_on' ? await goOn(tx, lane) : null };
  });

  async function record(tx: Tx): Promise<{ after: AfterSend; lane: KnownLane | null }> {
    const read =
      reply?.is === 'signed'
        ? await lockAndReadLane(
            tx,
            sending.deviceId,
            reply.signature.receiptSignature,
            ports.clock.now(),
            sending.receiptId,
          )
        : null;
    const device = read?.device ?? ((await lockLane(tx, sending.deviceId)) as LaneDevice);
    const at = ports.clock.now();
    // A resend's document may have been signed by the answer to the send before it, heard by the
    // worker that was thought to be gone.
    if (
      (sending.isResend || device.openAttempt !== sending.attemptId) &&
      (await standsRecorded(tx, at))
    )
      return { after: { is: 'go_on' }, lane: null };
    if (reply?.is === 'signed') {
      if (canBeNext(device, reply.signature)) {
        const after = await signed(tx, device, reply.signature, response, at);
        // A doubt may have ended with it, and a reversal puts its sale back into the lane.
        const isAsRead =
          !device.hasDoubt &&
          read !== null &&
          sending.filed !== null &&
          !sending.filed.filing.reverses;
        return { after, lane: isAsRead ? { device, head: read.head } : null };
      }
      return {
        after: await doubt(
          tx,
          device,
          {
            deviceCode: '000',
            deviceText: 'the counters, signature or SDC id of the answer cannot be the next',
          },
          response,
          at,
          true,
        ),
        lane: null,
      };
    }
    return { after: await notSigned(tx, device, reply, response, at), lane: null };
  }

  /**
   * Somebody has recorded this send or its document's signature before us: we ourselves, where the
   * commit took and its answer was lost, so that what it froze for the next document was never
   * sent; or another worker, to which we seemed to be gone. What we were told is kept, and undoes
   * nothing; a signature is heard as one that comes late.
   */
  async function standsRecorded(tx: Tx, at: Date): Promise<boolean> {
    const stands = await findAttemptStatus(tx, sending.attemptId, ports.worker);
    if (!stands.isEnded && !stands.isSigned) return false;
    if (stands.unsent)
      await endAttempt(tx, stands.unsent, {
        ...ended('unreachable', { deviceCode: '', deviceText: 'never sent' }, null, at),
        mayHaveLeft: false,
      });
    if (!stands.isEnded)
      await endAttempt(tx, sending.attemptId, {
        ...endedAs(sent, reply, response, at),
        settled: 'signed',
      });
    else if (response) await closeSocket(tx, sending.attemptId, at, response);
    // Until it is closed or has brought an answer, nothing is sent again, whoever works the lane.
    else if (sent.is === 'in_doubt') await reopenSocket(tx, sending.attemptId);
    // Heard before, it has been judged: what cannot be ours does not become ours by being told
    // again.
    if (reply?.is === 'signed' && !stands.isHeard)
      await hearLate(ports, tx, ctx, dialect, sending, reply.signature, response, at);
    return true;
  }

  async function notSigned(
    tx: Tx,
    device: LaneDevice,
    reply: Exclude<SaleReply, { is: 'signed' }> | null,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    if (reply) await touchDevice(tx, device.id, at);
    if (!reply) return notAnswered(tx, device, sent as Exclude<Sent, { is: 'answered' }>, at);
    const attempts = await listAttempts(tx, sending.receiptId, at);
    const earlier = attempts.filter((attempt) => attempt.id !== sending.attemptId);
    if (
      earlier.some(
        (attempt) => attempt.invoiceNumber === sending.invoiceNumber && isDoubtful(attempt),
      )
    )
      return saidAfterDoubt(tx, device, reply, response, at);
    switch (reply.is) {
      case 'refused':
        return refused(tx, device, reply.problem, reply, response, at);
      case 'not_served':
        return notServed(tx, device, reply, response, at);
      case 'number_taken': {
        const mayHaveLeft = earlier.some(
          (attempt) =>
            attempt.invoiceNumber === sending.invoiceNumber &&
            attempt.mayHaveLeft &&
            attempt.settled === null,
        );
        return mayHaveLeft
          ? takenByUs(tx, device, reply, response, at, false)
          : taken(tx, device, reply, response, at);
      }
      case 'in_doubt':
        return doubt(tx, device, reply, response, at, true);
    }
  }

  async function signed(
    tx: Tx,
    device: LaneDevice,
    signature: Signature,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    const filed = sending.filed ?? ((await findReceipt(tx, sending.receiptId)) as Receipt).filed;
    const { reverses } = filed.filing;
    if (device.hasDoubt || reverses)
      await holdTogether(tx, device.id, sending.invoiceNumber, [
        sending.receiptId,
        ...(reverses ? [reverses.receiptId] : []),
      ]);
    const receipt = { id: sending.receiptId, deviceId: sending.deviceId, filed };
    await recordSigned(
      tx,
      ctx.businessId,
      recordingOf(ports, dialect, receipt, sending, signature, response, at),
    );
    await followUp(ports, tx, ctx, receipt, at);
    if (sending.isResend) await endDoubt(tx, sending.receiptId);
    if (device.hasDoubt) {
      await freeSharers(ports, tx, ctx, sending, at);
      await weighEvidence(ports, tx, ctx, device, signature, sending.attemptId, at);
      await afterDoubt(ports, tx, ctx, device.id);
    }
    const isNext =
      device.totalBase !== null &&
      device.totalBase === device.lastTotal &&
      BigInt(signature.totalReceiptNumber) === BigInt(device.totalBase) + 1n;
    return !isNext && (await pauseForStrangers(ports, tx, ctx, device))
      ? { is: 'stop' }
      : { is: 'go_on' };
  }

  async function refused(
    tx: Tx,
    device: LaneDevice,
    code: ProblemCode,
    said: Said,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    await endAttempt(tx, sending.attemptId, ended('refused', said, response, at));
    await giveBackNumber(tx, device.id, sending.invoiceNumber);
    const problem = { code, device_code: said.deviceCode, device_text: said.deviceText };
    const { filed } = (await lockReceipt(tx, sending.receiptId)) as Receipt;
    const demand = demandIn(code, filed);
    if (demand) {
      await keepDemand(tx, device.id, demand);
      await setReceiptState(
        tx,
        sending.receiptId,
        { state: 'queued', problem: null, invoiceNumber: null },
        at,
      );
      await readAnew(tx, sending.receiptId);
      await setLaneTries(tx, device.id, 0);
      await ports.record(tx, ctx, {
        action: 'device.demands',
        subject: device.id,
        after: { demand, receipt_id: sending.receiptId, ...problem },
      });
      return { is: 'go_on' };
    }
    await setReceiptState(
      tx,
      sending.receiptId,
      { state: 'refused', problem, invoiceNumber: null },
      at,
    );
    await setLaneTries(tx, device.id, 0);
    // It may be that the device never heard of an item it seemed to have taken.
    if (code === 'refused_code') {
      await forgetRegistered(
        tx,
        device.id,
        filed.sale.lines.map((line) => line.itemCode),
      );
    }
    await ports.record(tx, ctx, {
      action: 'receipt.refused',
      subject: sending.receiptId,
      after: { ...problem, returned_number: sending.invoiceNumber },
    });
    if (!(await doubtsEarlier(tx, at)))
      await endReversal(ports, tx, ctx, { id: sending.receiptId, filed }, problem, at);
    return { is: 'go_on' };
  }

  /**
   * The document keeps number, bytes and place; the lane waits, or pauses where a person must act.
   */
  async function notServed(
    tx: Tx,
    device: LaneDevice,
    reply: SaleReply & { is: 'not_served' },
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    await endAttempt(tx, sending.attemptId, ended('not_served', reply, response, at));
    const problem = {
      code: reply.problem,
      device_code: reply.deviceCode,
      device_text: reply.deviceText,
    };
    const until = new Date(
      at.getTime() + retryDelayMs(device.tries, ports.timing.retryFirstMs, ports.timing.retryMaxMs),
    );
    await postponeDocument(
      tx,
      sending.receiptId,
      { problem, nextTryAt: reply.pauses ? null : until, mustRead: false },
      at,
    );
    if (reply.pauses) {
      await pauseLaneFor(tx, device.id, problem);
      await ports.alerts.raise(tx, ctx, device.id, problem);
      await ports.record(tx, ctx, { action: 'lane.paused', subject: device.id, after: problem });
      await doubtsEarlier(tx, at);
      return { is: 'stop' };
    }
    await setLaneTries(tx, device.id, device.tries + 1);
    await doubtsEarlier(tx, at);
    return { is: 'wait', until };
  }

  async function notAnswered(
    tx: Tx,
    device: LaneDevice,
    sent: Exclude<Sent, { is: 'answered' }>,
    at: Date,
  ): Promise<AfterSend> {
    if (sent.is === 'in_doubt')
      return doubt(tx, device, { deviceCode: '', deviceText: sent.reason }, null, at, false);
    const attempts = (await listAttempts(tx, sending.receiptId, at)).filter(
      (attempt) => attempt.id !== sending.attemptId,
    );
    await endAttempt(tx, sending.attemptId, {
      ...ended('unreachable', { deviceCode: '', deviceText: sent.reason }, null, at),
      mayHaveLeft: false,
    });
    const until = new Date(
      at.getTime() + retryDelayMs(device.tries, ports.timing.retryFirstMs, ports.timing.retryMaxMs),
    );
    const code = sent.is === 'address_refused' ? 'device_address_refused' : 'device_unreachable';
    await setLaneTries(tx, device.id, device.tries + 1);
    const isDoubt = attempts.some(
      (attempt) => attempt.invoiceNumber === sending.invoiceNumber && isDoubtful(attempt),
    );
    const problem: StoredProblem = isDoubt
      ? { code: 'maybe_signed' }
      : { code, reason: sent.reason };
    await postponeDocument(
      tx,
      sending.receiptId,
      { problem, nextTryAt: until, mustRead: !isDoubt },
      at,
    );
    if (!isDoubt) await doubtsEarlier(tx, at);
    return { is: 'wait', until };
  }

  /**
   * While it was on its way, the number of an earlier send has turned out to be taken: not signed
   * under this one, it is in doubt about that.
   */
  async function doubtsEarlier(tx: Tx, at: Date): Promise<boolean> {
    const doubted = await doubtAnother(
      ports,
      tx,
      ctx,
      { id: sending.receiptId, deviceId: sending.deviceId },
      at,
    );
    if (doubted !== null && doubted !== sending.receiptId) ports.changed(doubted);
    return doubted !== null;
  }

  async function doubt(
    tx: Tx,
    device: LaneDevice,
    said: Said,
    response: KeptAnswer | null,
    at: Date,
    isSocketClosed: boolean,
  ): Promise<AfterSend> {
    await endAttempt(tx, sending.attemptId, {
      ...ended('in_doubt', said, response, at),
      isSocketClosed,
    });
    await startDoubt(
      ports,
      tx,
      ctx,
      device,
      sending,
      {
        code: 'maybe_signed',
        device_code: said.deviceCode || undefined,
        device_text: said.deviceText,
      } as StoredProblem,
      at,
    );
    return { is: 'go_on' };
  }

  async function saidAfterDoubt(
    tx: Tx,
    device: LaneDevice,
    reply: Exclude<SaleReply, { is: 'signed' }>,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    if (reply.is === 'number_taken') return takenByUs(tx, device, reply, response, at, true);
    await endAttempt(tx, sending.attemptId, ended(reply.is, reply, response, at));
    const receipt = (await lockReceipt(tx, sending.receiptId)) as Receipt;
    const until = new Date(
      at.getTime() +
        retryDelayMs(receipt.tries, ports.timing.settleQuietMs, ports.timing.settleMaxMs),
    );
    await postponeDocument(
      tx,
      sending.receiptId,
      {
        problem: {
          code: 'maybe_signed',
          device_code: reply.deviceCode,
          device_text: reply.deviceText,
        },
        nextTryAt: until,
        mustRead: false,
      },
      at,
    );
    return { is: 'go_on' };
  }

  /**
   * A late signature says whose the number is, so that nothing of these bytes was signed: the
   * document takes the next one, once nothing contests it.
   */
  async function takenLate(
    tx: Tx,
    device: LaneDevice,
    said: Said,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    await endAttempt(tx, sending.attemptId, {
      ...ended('number_taken', said, response, at),
      settled: 'not_ours',
    });
    const about = {
      id: sending.receiptId,
      deviceId: device.id,
      invoiceNumber: sending.invoiceNumber,
      isDeviceRetired: device.state === 'retired',
    };
    await numberAnew(
      ports,
      tx,
      ctx,
      about,
      { source: 'a signature that came late stands under the number' },
      at,
    );
    return { is: 'go_on' };
  }

  /**
   * The device has signed this number, and only we can have sent it: the receipt exists, its data
   * are lost to us for now.
   */
  async function takenByUs(
    tx: Tx,
    device: LaneDevice,
    said: Said,
    response: KeptAnswer | null,
    at: Date,
    isOwnLost: boolean,
  ): Promise<AfterSend> {
    if (await isSignedLateUnder(tx, device.id, sending.invoiceNumber))
      return takenLate(tx, device, said, response, at);
    await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
    await endAttempt(tx, sending.attemptId, ended('number_taken', said, response, at));
    const problem = {
      code: 'signed_answer_lost',
      device_code: said.deviceCode,
      device_text: said.deviceText,
    } as const;
    await beginDoubt(
      tx,
      sending.receiptId,
      {
        problem,
        invoiceNumber: sending.invoiceNumber,
        nextTryAt: null,
        totalBefore: device.lastTotal,
      },
      at,
    );
    await ports.record(tx, ctx, {
      action: 'receipt.answer_lost',
      subject: sending.receiptId,
      after: problem,
    });
    const earlier = await doubtEarlier(
      ports,
      tx,
      ctx,
      device,
      sending,
      said,
      suspects(isOwnLost),
      at,
    );
    await afterDoubt(ports, tx, ctx, device.id);
    // Of its own nothing was lost: it may be as little this document's as where it is told so at
    // once.
    return earlier.areOthers && !isOwnLost
      ? pausedFor(tx, device, collisionOf(said))
      : { is: 'go_on' };
  }

  /**
   * Taken at the first send: the number came back from another document that was signed after all,
   * or another program uses the device.
   */
  async function taken(
    tx: Tx,
    device: LaneDevice,
    said: Said,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    if (await isSignedLateUnder(tx, device.id, sending.invoiceNumber))
      return takenLate(tx, device, said, response, at);
    await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
    if (await hasLeftFrom(tx, device.id, sending))
      return takenBefore(tx, device, said, response, at);
    const earlier = await doubtEarlier(ports, tx, ctx, device, sending, said, () => true, at);
    if (earlier.areDoubted && !earlier.areOthers) {
      await endAttempt(tx, sending.attemptId, {
        ...ended('number_taken', said, response, at),
        settled: 'not_ours',
      });
      await setReceiptState(
        tx,
        sending.receiptId,
        { state: 'queued', problem: null, invoiceNumber: null },
        at,
      );
      return { is: 'go_on' };
    }
    await endAttempt(tx, sending.attemptId, ended('number_taken', said, response, at));
    const problem = collisionOf(said);
    await beginDoubt(
      tx,
      sending.receiptId,
      {
        problem,
        invoiceNumber: sending.invoiceNumber,
        nextTryAt: null,
        totalBefore: device.lastTotal,
      },
      at,
    );
    return pausedFor(tx, device, problem);
  }

  /**
   * Taken at the first send by this receipt, and not by its document: it was at this device before,
   * sent something under the same number, and was at another one in between. Whatever else may
   * stand under the number, nothing of it is sent under another one: it goes back to where that was
   * sent from.
   */
  async function takenBefore(
    tx: Tx,
    device: LaneDevice,
    said: Said,
    response: KeptAnswer | null,
    at: Date,
  ): Promise<AfterSend> {
    await endAttempt(tx, sending.attemptId, {
      ...ended('number_taken', said, response, at),
      settled: 'not_ours',
    });
    await setReceiptState(
      tx,
      sending.receiptId,
      { state: 'queued', problem: null, invoiceNumber: null },
      at,
    );
    const { areOthers } = await doubtEarlier(ports, tx, ctx, device, sending, said, () => true, at);
    return areOthers ? pausedFor(tx, device, collisionOf(said)) : { is: 'go_on' };
  }

  function collisionOf({ deviceCode, deviceText }: Said): StoredProblem {
    return {
      code: 'number_collision',
      invoice_number: sending.invoiceNumber,
      device_code: deviceCode,
      device_text: deviceText,
    };
  }

  async function pausedFor(tx: Tx, device: LaneDevice, problem: StoredProblem): Promise<AfterSend> {
    await pauseLaneFor(tx, device.id, problem);
    await ports.alerts.raise(tx, ctx, device.id, problem);
    await ports.record(tx, ctx, { action: 'lane.collision', subject: device.id, after: problem });
    return { is: 'stop' };
  }
}

/**
 * An answer that came after we had given up on it. Only a signature or its absence is recorded; a
 * refusal settles nothing now.
 */
export async function recordLate(
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  answer: DeviceAnswer | null,
): Promise<void> {
  const reply = answer ? dialect.sell.read(answer, sending.isResend) : null;
  await ctx.transaction(async (tx) => {
    const at = ports.clock.now();
    const response = answer && keptAnswer(answer);
    await endUnrecorded(ports, tx, ctx, sending, response, true, at);
    await closeSocket(tx, sending.attemptId, at, response);
    if (reply?.is === 'signed')
      await hearLate(ports, tx, ctx, dialect, sending, reply.signature, response, at);
    await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: sending.deviceId });
  });
}

/**
 * What could not be recorded as what it is: the send is a doubt, and what was said stands beside
 * it, judged by nobody yet. Fails where the database does not know the send at all: it has gone
 * back to before it.
 */
export const recordUnread = (
  ports: LanePorts,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  sent: Sent,
): Promise<void> =>
  ctx.transaction(async (tx) => {
    const at = ports.clock.now();
    const response = sent.is === 'answered' ? keptAnswer(sent.answer) : null;
    await endUnrecorded(ports, tx, ctx, sending, response, sent.is !== 'in_doubt', at);
    // Another may have taken whoever sent it for gone, and ended it with its socket: it is listened
    // to still.
    if (sent.is === 'in_doubt') await reopenSocket(tx, sending.attemptId);
    const attempts = await listAttempts(tx, sending.receiptId, at);
    if (!attempts.some((attempt) => attempt.id === sending.attemptId))
      throw new Error(`the database does not know the send ${sending.attemptId}`);
    if (response) await closeSocket(tx, sending.attemptId, at, response);
    const signature = sent.is === 'answered' ? dialect.sell.find(sent.answer) : null;
    if (signature) await doubtUnread(ports, tx, ctx, sending, signature, at);
  });

/**
 * A signature that could not be recorded, of a document that was settled or closed meanwhile: it is
 * in doubt about the number once more, so that it is not sealed again before a person has said,
 * with the answer that is kept, what holds. Where it is signed, or may be under another number, it
 * is told of.
 */
async function doubtUnread(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  sending: Sending,
  signature: Signature,
  at: Date,
): Promise<void> {
  const { receiptId, deviceId, invoiceNumber } = sending;
  const device = (await lockLane(tx, deviceId)) as LaneDevice;
  await holdTogether(tx, deviceId, invoiceNumber, [receiptId]);
  const receipt = (await lockReceipt(tx, receiptId)) as Receipt;
  const known = [receipt.signature, ...receipt.secondSignatures];
  if (
    known.some(
      (each) =>
        each?.receiptSignature === signature.receiptSignature && each.sdcId === signature.sdcId,
    )
  )
    return;
  if (receipt.state === 'in_doubt' && receipt.invoiceNumber === invoiceNumber) return;
  const before = { state: receipt.state, invoice_number: receipt.invoiceNumber };
  // One that another receipt has says nothing of this number; by any other, whoever it is of, the
  // device has used it.
  const isKnown = await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId);
  if (!isKnown) await keepNumber(tx, deviceId, invoiceNumber);
  const isReversed = (await listAttempts(tx, receiptId, at)).some(
    (attempt) => attempt.invoiceNumber === invoiceNumber && attempt.settled === 'reversed',
  );
  // What another receipt has is nothing of this document's; and what a refund has undone is sold
  // anew, or was.
  const mayStand = !isReversed && !isKnown;
  const taken = mayStand ? await takeBack(ports, tx, ctx, receipt, at) : null;
  if (taken) {
    await makeDoubtful(tx, receiptId, invoiceNumber);
    const problem: StoredProblem = {
      code: 'signed_answer_lost',
      device_code: '',
      device_text: 'what it answered could not be recorded',
      ...asTakenOut(taken),
    };
    await beginDoubt(
      tx,
      receiptId,
      { problem, invoiceNumber, nextTryAt: null, totalBefore: device.lastTotal },
      at,
    );
    await nameSuspects(tx, deviceId, invoiceNumber);
    await ports.record(tx, ctx, {
      action: 'receipt.doubted',
      subject: receiptId,
      before,
      after: problem,
    });
    return;
  }
  // Once it is known not to be signed under the other one, in doubt or on its way, it is in doubt
  // about this.
  if (mayStand && (await isToBeDoubted(tx, receipt)))
    await makeDoubtful(tx, receiptId, invoiceNumber);
  const after = { attempt_id: sending.attemptId, ...saidIn(signature, invoiceNumber) };
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature',
    subject: receiptId,
    before,
    after,
  });
  await ports.alerts.raise(tx, ctx, receiptId, {
    code: 'late_signature',
    document_number: receipt.documentNumber,
  });
}

/**
 * Under the lane's lock: a send whose end is not recorded becomes a doubt before anything else is
 * said of it.
 */
async function endUnrecorded(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  sending: Sending,
  response: KeptAnswer | null,
  isSocketClosed: boolean,
  at: Date,
): Promise<void> {
  const device = (await lockLane(tx, sending.deviceId)) as LaneDevice;
  if (device.openAttempt !== sending.attemptId) return;
  const said = { deviceCode: '', deviceText: 'how it ended could not be recorded' };
  const end = { ...ended('in_doubt', said, response, at), isSocketClosed };
  // The answer to the send before it may have come by another way: what is signed is no doubt any
  // more, whatever became of the sends after it.
  const { isSigned } = await findAttemptStatus(tx, sending.attemptId, ports.worker);
  await endAttempt(tx, sending.attemptId, isSigned ? { ...end, settled: 'signed' } : end);
  await startDoubt(ports, tx, ctx, device, sending, { code: 'maybe_signed' }, at);
}

/**
 * A signature that comes when nobody waits for it any more: the receipt of a doubt, what is known
 * already, a second one of its document, or something that cannot be its document's and is told of.
 */
async function hearLate(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  dialect: Dialect,
  sending: Sending,
  signature: Signature,
  response: KeptAnswer | null,
  at: Date,
): Promise<void> {
  const device = (await lockLane(tx, sending.deviceId)) as LaneDevice;
  await holdTogether(tx, device.id, sending.invoiceNumber, [sending.receiptId]);
  const receipt = (await lockReceipt(tx, sending.receiptId)) as Receipt;
  const known = [receipt.signature, ...receipt.secondSignatures];
  if (
    known.some(
      (each) =>
        each?.receiptSignature === signature.receiptSignature && each.sdcId === signature.sdcId,
    )
  )
    return;
  // Others may have been signed since, so that its total need not be the newest; it must still be
  // one that nobody has and that came after its send.
  const canBe =
    signature.sdcId === device.sdcId &&
    !(await isSignatureKnown(tx, signature.receiptSignature, signature.sdcId)) &&
    (await canTotalBe(tx, sending, signature.totalReceiptNumber, {
      environment: device.environment,
      sdcId: signature.sdcId,
    }));
  if (!canBe) {
    // An alert is closed some day: what was said stands in the receipt's history as well, and whole
    // in the answer that is kept with its send.
    await ports.record(tx, ctx, {
      action: 'receipt.late_signature',
      subject: receipt.id,
      before: { state: receipt.state, invoice_number: receipt.invoiceNumber },
      after: { attempt_id: sending.attemptId, ...saidIn(signature, sending.invoiceNumber) },
    });
    return ports.alerts.raise(tx, ctx, receipt.id, {
      code: 'late_signature',
      document_number: receipt.documentNumber,
    });
  }
  // Under the same number the doubt may be about other bytes by now: what was signed is not what
  // would be filed.
  const attempts = await listAttempts(tx, receipt.id, at);
  if (!isOfDoubt(receipt, attempts, sending) || (await isRefundOut(tx, receipt, sending, at)))
    return keepLate(ports, tx, ctx, dialect, receipt, sending, signature, response, at);
  await takeLate(ports, tx, ctx, dialect, receipt, sending, signature, at);
}

/** What a late signature says, for the trail. */
const saidIn = (signature: Signature, invoiceNumber: string) => ({
  invoice_number: invoiceNumber,
  receipt_number: signature.receiptNumber,
  total_receipt_number: signature.totalReceiptNumber,
  receipt_signature: signature.receiptSignature,
  sdc_id: signature.sdcId,
  signed_at: signature.signedAt.toISOString(),
});

/**
 * Whether a signature that a send brought is of the very bytes that its document is in doubt about.
 */
function isOfDoubt(
  receipt: Receipt,
  attempts: StoredAttempt[],
  sent: { attemptId: string; invoiceNumber: string },
): boolean {
  const inDoubt =
    receipt.state === 'in_doubt' ? sendInDoubt(attempts, receipt.invoiceNumber) : undefined;
  return (
    inDoubt?.invoiceNumber === sent.invoiceNumber &&
    inDoubt.request === attempts.find((attempt) => attempt.id === sent.attemptId)?.request
  );
}

/**
 * Whether the refund that undoes a lost sale may be at the device. Taken for the receipt then, the
 * sale would stand as a good one here that the authority has undone. So its signature is kept until
 * the refund's end is known: signed, it has undone the sale, which is sold anew once, as if its
 * signature had never been heard; never signed, the sale stands (`endReversal`). A refund of which
 * nothing can have left holds nothing up: the lane withdraws it.
 */
async function isRefundOut(
  tx: Tx,
  receipt: Receipt,
  { invoiceNumber }: { invoiceNumber: string },
  at: Date,
): Promise<boolean> {
  if (!isUndoneSoon(receipt, invoiceNumber)) return false;
  return mayHaveLeft(
    tx,
    (await lockReceipt(tx, receipt.undoing?.receipt_id as string)) as Receipt,
    at,
  );
}

async function mayHaveLeft(tx: Tx, receipt: Receipt, at: Date): Promise<boolean> {
  const own = (await listAttempts(tx, receipt.id, at)).filter(
    (attempt) => attempt.invoiceNumber === receipt.invoiceNumber,
  );
  return receipt.state === 'in_doubt' || !provablyNotLeft(own);
}

/**
 * The document has a signature already, was settled as not signed, or was sent anew under another
 * number: nothing here can say what holds. What the device has said is kept beside the receipt,
 * nothing more of the document is sealed, and a person finds out; a reversal alone has answered it
 * before, or is about to.
 */
async function keepLate(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  dialect: Dialect,
  receipt: Receipt,
  sending: Sending,
  signature: Signature,
  response: KeptAnswer | null,
  at: Date,
): Promise<void> {
  // Its document may be another device's by now, with a receipt of its own.
  let own = receipt;
  while (own.movedTo) own = (await lockReceipt(tx, own.movedTo)) as Receipt;
  const { verificationUrl, label } = recordingOf(
    ports,
    dialect,
    receipt,
    sending,
    signature,
    null,
    at,
  );
  const { reversal } = receipt;
  const isReversed =
    reversal?.reversed_at != null && String(reversal.invoice_number) === sending.invoiceNumber;
  const isUnderWay = isUndoneSoon(receipt, sending.invoiceNumber);
  const { attemptId, deviceId, invoiceNumber } = sending;
  await keepSecond(tx, ctx.businessId, own.id, {
    ...signature,
    attemptId,
    deviceId,
    invoiceNumber,
    verificationUrl,
    label,
    response,
    heardAt: at,
    settledAs: isReversed ? 'reversed' : null,
    settledEvidence: isReversed ? { reversal_receipt_id: reversal.reversal_receipt_id } : null,
    settledAt: isReversed ? at : null,
  });
  await ports.record(tx, ctx, {
    action: 'receipt.signed_late',
    subject: own.id,
    before: { state: own.state, invoice_number: own.invoiceNumber },
    after: {
      ...saidIn(signature, invoiceNumber),
      ...(isReversed ? { reversed: true } : {}),
      ...(isUnderWay ? { waits_for: receipt.undoing?.receipt_id } : {}),
    },
  });
  if (!isReversed && !isUnderWay)
    await ports.alerts.raise(
      tx,
      ctx,
      own.id,
      signedTwice((await lockReceipt(tx, own.id)) as Receipt),
    );
  await freeSharers(ports, tx, ctx, sending, at);
  if (own.id !== sending.receiptId) ports.changed(own.id);
}

/**
 * In production a device that has signed more than we can account for has another writer, or has
 * signed for us what we do not know of. What was signed stays; nothing more is sent until a person
 * has said whose the others are: going on, the lane might sign a whole backlog twice.
 */
export async function pauseForStrangers(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  device: Pick<LaneDevice, 'id' | 'environment' | 'state'>,
): Promise<boolean> {
  if (device.environment !== 'production' || device.state === 'retired') return false;
  const missing = await countStrangers(tx, device.id);
  if (missing === 0) return false;
  const problem = { code: 'total_jumped', missing } as const;
  await pauseLaneFor(tx, device.id, problem);
  await ports.alerts.raise(tx, ctx, device.id, problem);
  await ports.record(tx, ctx, { action: 'lane.total_jumped', subject: device.id, after: problem });
  return true;
}

/**
 * What follows from a signature whoever brought it: later chapters' work, and for a reversal that
 * its sale is sold anew.
 */
export async function followUp(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  receipt: Pick<Receipt, 'id' | 'filed'>,
  at: Date,
): Promise<void> {
  await ports.afterSigned(tx, ctx, receipt.id);
  const { reverses } = receipt.filed.filing;
  if (reverses) await sellAnew(ports, tx, ctx, { ...reverses, reversalReceiptId: receipt.id }, at);
}

/**
 * Who may be the one that is signed under a number: a lost answer of the document's own explains
 * that it is taken, unless an earlier one was lost as well; without one, it was refused no more
 * definitely than they were.
 */
export const suspects =
  (isOwnLost: boolean) =>
  (holder: EarlierHolder): boolean =>
    holder.wasInDoubt || !isOwnLost;

/**
 * A number is taken, and others had sent something under it before they gave it back: each of those
 * is in doubt until it is known who was signed, so that none can be sealed again. Nothing of them
 * is sent meanwhile, not even again: a device may answer one of them with the receipt of another.
 *
 * What holds from then on: of a document that may be signed under a taken number nothing is sent
 * under another one, not even again; only what another device's lane had written down by then still
 * leaves. What waits under another number, or at another device, with nothing of it that may be
 * signed there, is taken back from there.
 *
 * There may be others whom a doubt does not help now: one that is signed may be signed twice, and
 * one of which something has left under another number may be signed under that: before its lane
 * would ask about that one, its doubt goes on about the taken one (`askNoMore`).
 */
export async function doubtEarlier(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  device: Pick<LaneDevice, 'id' | 'lastTotal'>,
  about: { receiptId: string; invoiceNumber: string },
  said: Said,
  isSuspect: (holder: EarlierHolder) => boolean,
  at: Date,
): Promise<{ areDoubted: boolean; areOthers: boolean }> {
  const { invoiceNumber } = about;
  const found = { areDoubted: false, areOthers: false };
  for (const holder of (await earlierHolders(tx, device.id, invoiceNumber, about.receiptId)).filter(
    isSuspect,
  )) {
    const earlier = (await lockReceipt(tx, holder.receiptId)) as Receipt;
    // The very document, in doubt about the number by the receipt that stands for it: it is nobody
    // else.
    const standing = await standingFor(tx, earlier);
    if (standing.id === about.receiptId && standing.state === 'in_doubt') continue;
    // Also by another receipt of it that was closed at this device: of one document it is asked
    // once.
    const isInDoubt =
      standing.state === 'in_doubt' &&
      standing.deviceId === device.id &&
      standing.invoiceNumber === invoiceNumber;
    const taken = isInDoubt ? earlier : await takeBack(ports, tx, ctx, earlier, at);
    if (!taken) {
      found.areOthers = true;
      // Once it is known not to be signed where it goes by now, it is in doubt about this.
      if (await isToBeDoubted(tx, earlier)) await makeDoubtful(tx, earlier.id, invoiceNumber);
      const problem = {
        code: 'maybe_signed_twice',
        document_number: earlier.documentNumber,
        invoice_number: invoiceNumber,
      } as const;
      await ports.alerts.raise(tx, ctx, earlier.id, problem);
      continue;
    }
    found.areDoubted = true;
    if (isInDoubt) continue;
    await makeDoubtful(tx, earlier.id, invoiceNumber);
    const problem: StoredProblem = {
      code: 'signed_answer_lost',
      device_code: said.deviceCode,
      device_text: said.deviceText,
      ...asTakenOut(taken),
    };
    await beginDoubt(
      tx,
      earlier.id,
      { problem, invoiceNumber, nextTryAt: null, totalBefore: device.lastTotal },
      at,
    );
    await ports.record(tx, ctx, {
      action: 'receipt.doubted',
      subject: earlier.id,
      before: { state: earlier.state },
      after: problem,
    });
    ports.changed(earlier.id);
  }
  await nameSuspects(tx, device.id, invoiceNumber);
  return found;
}

/**
 * Whether a document that is sent under a number has sent something under it before, as a receipt
 * that was closed since.
 */
async function hasLeftFrom(
  tx: Tx,
  deviceId: string,
  about: { receiptId: string; invoiceNumber: string },
): Promise<boolean> {
  for (const { receiptId } of await earlierHolders(
    tx,
    deviceId,
    about.invoiceNumber,
    about.receiptId,
  ))
    if (
      (await standingFor(tx, (await findReceipt(tx, receiptId)) as Receipt)).id === about.receiptId
    )
      return true;
  return false;
}

/** The receipt that stands for a document by now. */
async function standingFor(tx: Tx, receipt: Receipt): Promise<Receipt> {
  let present = receipt;
  while (present.movedTo !== null) present = (await findReceipt(tx, present.movedTo)) as Receipt;
  return present;
}

/**
 * Takes a document back from where it goes by now, unless it may be signed there: its number there
 * is free again, and where it was closed for another device, the receipt there is closed for this
 * one. Answers what stood for the document until then; null: it may be signed there.
 */
async function takeBack(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  earlier: Receipt,
  at: Date,
): Promise<Receipt | null> {
  if (earlier.movedTo === null) return (await giveBackUnsigned(tx, earlier, at)) ? earlier : null;
  for (;;) {
    const found = await standingFor(tx, earlier);
    // Under the lock of its lane nothing of it leaves: that one first, as the lane itself takes
    // them. Locks of two lanes in another order than theirs may cross, and then all of this is done
    // once more.
    await lockLane(tx, found.deviceId);
    const present = (await lockReceipt(tx, found.id)) as Receipt;
    // Moved on before it was locked.
    if (present.movedTo !== null) continue;
    if (!(await giveBackUnsigned(tx, present, at))) return null;
    await moveBack(ports, tx, ctx, present, earlier, at);
    ports.changed(present.id);
    return present;
  }
}

/**
 * In doubt about another number or on its way under one, here or at another device: once that is
 * over, it is in doubt about this one.
 */
const isToBeDoubted = async (tx: Tx, receipt: Receipt): Promise<boolean> =>
  (await standingFor(tx, receipt)).state !== 'signed';

/**
 * As what a document stands once it is known that it is not signed under the number of its doubt:
 * as what it was taken out before, if it was.
 */
const takenOutBefore = ({
  problem,
}: Pick<Receipt, 'problem'>): { state: 'withdrawn'; problem: StoredProblem | null } | null =>
  problem?.before === undefined
    ? null
    : { state: 'withdrawn', problem: problem.before as StoredProblem | null };

/**
 * The number of what waits, unless something of it may be signed under it: then it stays where it
 * is.
 */
async function giveBackUnsigned(tx: Tx, receipt: Receipt, at: Date): Promise<boolean> {
  if (receipt.state === 'signed' || receipt.state === 'in_doubt') return false;
  if (
    (await listAttempts(tx, receipt.id, at)).some(
      (attempt) => attempt.endedAt === null || isDoubtful(attempt),
    )
  )
    return false;
  if (receipt.invoiceNumber === null) return true;
  // Bytes that the device has not served under it are no longer those that have to be sent under
  // it.
  await settleUnserved(tx, receipt.id, receipt.invoiceNumber);
  await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber);
  return true;
}

/**
 * It is known now who was signed under a number: it is nobody else's. Whoever was in doubt beside
 * them is what they were before: refused, and goes under another number once somebody seals them
 * again, or waiting, where the device has refused nothing of them but the number, or taken out of
 * the lane by a person. The number stays where it is.
 */
export async function freeSharers(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  signed: { receiptId: string; deviceId: string; invoiceNumber: string },
  at: Date,
): Promise<void> {
  const { deviceId, invoiceNumber } = signed;
  const told = [
    signed.receiptId,
    ...(await earlierHolders(tx, deviceId, invoiceNumber, signed.receiptId)).map(
      (each) => each.receiptId,
    ),
  ];
  for (const receiptId of told)
    await ports.alerts.resolve(tx, ctx, receiptId, ['maybe_signed_twice'], { invoiceNumber });
  await settleElsewhere(tx, deviceId, invoiceNumber, signed.receiptId);
  for (const unasked of await listUnaskedLanes(tx))
    await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: unasked });
  for (const id of await listSharers(tx, deviceId, invoiceNumber, signed.receiptId)) {
    const sharer = (await lockReceipt(tx, id)) as Receipt;
    const { isDeviceRetired, filed } = sharer;
    const last = (await listAttempts(tx, id, at)).findLast(
      (attempt) => attempt.invoiceNumber === invoiceNumber && attempt.mayHaveLeft,
    );
    ports.changed(id);
    const because = {
      because: 'signed under it is another document of ours',
      receipt_id: signed.receiptId,
    };
    if (last?.outcome !== 'refused') {
      await numberAnew(
        ports,
        tx,
        ctx,
        { id, deviceId, invoiceNumber, isDeviceRetired },
        because,
        at,
      );
      continue;
    }
    await settleAttempts(tx, id, 'not_ours', { invoiceNumber });
    const refusal: StoredProblem = isDeviceRetired
      ? { code: 'device_retired' }
      : {
          code: 'device_refused',
          device_code: last.deviceCode ?? '',
          device_text: last.deviceText ?? '',
        };
    const after = takenOutBefore(sharer) ?? { state: 'refused' as const, problem: refusal };
    await setReceiptState(tx, id, { ...after, invoiceNumber: null }, at);
    await endDoubt(tx, id);
    const goesOn = await doubtAnother(ports, tx, ctx, sharer, at);
    await ports.record(tx, ctx, {
      action: 'receipt.settled_not_ours',
      subject: id,
      before: { invoice_number: invoiceNumber },
      after: because,
    });
    if (!goesOn) await endReversal(ports, tx, ctx, { id, filed }, after.problem ?? refusal, at);
  }
}

/** Fewer than two documents may be signed now: the lane no longer waits for that. */
export async function afterDoubt(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  deviceId: string,
): Promise<void> {
  const open = (await listOpenDoubts(tx, deviceId)).filter(
    (doubt) => doubt.code === 'maybe_signed',
  );
  if (open.length < 2) await ports.alerts.resolve(tx, ctx, deviceId, ['doubts_two']);
}

/** A document may be signed now; one that is signed is in no doubt. */
export async function startDoubt(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  device: Pick<LaneDevice, 'lastTotal'>,
  about: { receiptId: string; invoiceNumber: string },
  problem: StoredProblem,
  at: Date,
): Promise<void> {
  const receipt = (await lockReceipt(tx, about.receiptId)) as Receipt;
  if (receipt.state === 'signed') return;
  const nextTryAt = new Date(
    at.getTime() +
      retryDelayMs(
        receipt.state === 'in_doubt' ? receipt.tries : 0,
        ports.timing.settleQuietMs,
        ports.timing.settleMaxMs,
      ),
  );
  await beginDoubt(
    tx,
    about.receiptId,
    { problem, invoiceNumber: about.invoiceNumber, nextTryAt, totalBefore: device.lastTotal },
    at,
  );
  if (receipt.state !== 'in_doubt')
    await ports.record(tx, ctx, {
      action: 'receipt.doubted',
      subject: about.receiptId,
      before: { state: receipt.state },
      after: problem,
    });
}

/**
 * Whether this can be the signature of what was just sent: our SDC, a total above the last one
 * known, a signature nobody has.
 */
function canBeNext(device: LaneDevice, signature: Signature): boolean {
  if (device.sdcId !== null && signature.sdcId !== device.sdcId) return false;
  if (device.lastTotal !== null && BigInt(signature.totalReceiptNumber) <= BigInt(device.lastTotal))
    return false;
  return !device.isSignatureKnown;
}

/**
 * What the counters of a new receipt say about an open doubt: with a single doubt on the device and
 * the same SDC id, a jump of one, after its last resend was definitely refused, shows that it was
 * not signed: nobody has signed anything in between. A wider jump proves nothing: copies and other
 * programs count too, and the resend is told by the device itself whether its number is taken.
 */
async function weighEvidence(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  device: LaneDevice,
  signature: Signature,
  attemptId: string,
  at: Date,
): Promise<void> {
  // A receipt whose answer was lost has used up a total nobody knows: with one of those open the
  // counters prove nothing about another.
  const doubts = await listOpenDoubts(tx, device.id);
  const [doubt] = doubts;
  if (
    !doubt ||
    doubts.length > 1 ||
    doubt.code !== 'maybe_signed' ||
    doubt.totalBefore === null ||
    doubt.totalBefore !== device.lastTotal
  )
    return;
  const jump = BigInt(signature.totalReceiptNumber) - BigInt(doubt.totalBefore);
  if (jump === 1n) await endIfNotSigned(ports, tx, ctx, doubt, attemptId, at);
}

async function endIfNotSigned(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  doubt: { id: string; invoiceNumber: string },
  nextSent: string,
  at: Date,
): Promise<void> {
  const attempts = await listAttempts(tx, doubt.id, at, ports.underWay);
  const last = lastUnder(attempts, doubt.invoiceNumber);
  const isOver = attempts.every((attempt) => attempt.isSocketClosed);
  if (!isOver || last?.outcome !== 'refused' || !(await wasSentBefore(tx, last.id, nextSent)))
    return;
  await settleNotSigned(
    ports,
    tx,
    ctx,
    (await lockReceipt(tx, doubt.id)) as Receipt,
    {
      code: 'device_refused',
      device_code: last.deviceCode ?? '',
      device_text: last.deviceText ?? '',
    },
    'counters',
    at,
  );
}

/**
 * Ends a doubt as *not signed*: the document is refused, or as it was taken out before, and its
 * number returned.
 */
export async function settleNotSigned(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  receipt: Receipt,
  problem: StoredProblem,
  how: string,
  at: Date,
): Promise<void> {
  await settleAttempts(tx, receipt.id, 'not_signed', {
    invoiceNumber: receipt.invoiceNumber as string,
  });
  await giveBackNumber(tx, receipt.deviceId, receipt.invoiceNumber as string);
  await setReceiptState(
    tx,
    receipt.id,
    { ...(takenOutBefore(receipt) ?? { state: 'refused', problem }), invoiceNumber: null },
    at,
  );
  await endDoubt(tx, receipt.id);
  const goesOn = await doubtAnother(ports, tx, ctx, receipt, at);
  await afterDoubt(ports, tx, ctx, receipt.deviceId);
  await ports.record(tx, ctx, {
    action: 'receipt.settled_not_signed',
    subject: receipt.id,
    before: { invoice_number: receipt.invoiceNumber },
    after: { how, ...problem },
  });
  if (!goesOn) await endReversal(ports, tx, ctx, receipt, problem, at);
}

/**
 * What stands under the number of a doubt is not this document's receipt: it goes again, under its
 * next number, unless it had been taken out of its lane before. At a device that was retired
 * nothing waits: sealed again, it goes to the one that followed.
 */
export async function numberAnew(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  receipt: { id: string; deviceId: string; invoiceNumber: string; isDeviceRetired: boolean },
  because: object,
  at: Date,
): Promise<void> {
  const { id, deviceId, invoiceNumber } = receipt;
  await settleAttempts(tx, id, 'not_ours', { invoiceNumber });
  const goesAgain = receipt.isDeviceRetired
    ? { state: 'refused' as const, problem: { code: 'device_retired' as const } }
    : { state: 'queued' as const, problem: null };
  const after = takenOutBefore((await lockReceipt(tx, id)) as Receipt) ?? goesAgain;
  await setReceiptState(tx, id, { ...after, invoiceNumber: null }, at);
  await readAnew(tx, id);
  await endDoubt(tx, id);
  const goesOn = await doubtAnother(ports, tx, ctx, receipt, at);
  await afterDoubt(ports, tx, ctx, deviceId);
  await ports.record(tx, ctx, {
    action: 'receipt.settled_not_ours',
    subject: id,
    before: { invoice_number: invoiceNumber },
    after: because,
  });
  if (after.problem && !goesOn)
    await endReversal(ports, tx, ctx, (await lockReceipt(tx, id)) as Receipt, after.problem, at);
}

/**
 * The sale whose data were lost is undone at the authority by the refund just signed: the same
 * receipt goes back to its lane, is read again and sold under a new number, unless it is in doubt
 * about another one as well. The one case of a new number after a doubt, and it needs two persons
 * and a signed reversal.
 */
async function sellAnew(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  reversed: Reverses & { reversalReceiptId: string },
  at: Date,
): Promise<void> {
  const original = (await lockReceipt(tx, reversed.receiptId)) as Receipt;
  if (original.state !== 'in_doubt' || original.invoiceNumber !== reversed.invoiceNumber) {
    await ports.alerts.raise(tx, ctx, original.id, {
      code: 'reversal_unneeded',
      document_number: original.documentNumber,
    });
    return;
  }
  // What was heard of it while its refund was on the way has brought its own place in the total.
  const isHeard = await isSignedLateUnder(tx, original.deviceId, reversed.invoiceNumber);
  if (!isHeard) await explainTotals(tx, original.deviceId, '1');
  await settleAttempts(tx, original.id, 'reversed', { invoiceNumber: reversed.invoiceNumber });
  if (isHeard)
    await settleReversed(
      tx,
      original.id,
      reversed.invoiceNumber,
      { reversal_receipt_id: reversed.reversalReceiptId },
      at,
    );
  // At a device that was retired nothing waits: sealed again, it goes to the one that followed.
  const after = original.isDeviceRetired
    ? { state: 'refused' as const, problem: { code: 'device_retired' as const } }
    : { state: 'queued' as const, problem: null };
  // Taken out by a person before, it is not sealed because its doubt is over.
  await setReceiptState(
    tx,
    original.id,
    { ...(takenOutBefore(original) ?? after), invoiceNumber: null },
    at,
  );
  await readAnew(tx, original.id);
  await markReversed(tx, ctx.businessId, reversed, at);
  await endDoubt(tx, original.id);
  // Only what was signed under this number is undone: under another one it may be signed still.
  await doubtAnother(ports, tx, ctx, original, at);
  await ports.record(tx, ctx, {
    action: 'receipt.reversed',
    subject: original.id,
    before: { invoice_number: reversed.invoiceNumber },
    after: { reversal_receipt_id: reversed.reversalReceiptId },
  });
  ports.changed(original.id);
}

/**
 * A lost sale may be known, or settled in some other way, between the second person's word and the
 * moment at which the refund would get its number: the lane looks once more in the transaction that
 * would freeze it, under the lock that everything which ends a doubt takes. Of a number that
 * several documents may be signed under it would undo anybody's. What may have left is not
 * withdrawn any more.
 */
export async function withdrawOvertaken(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  head: Pick<LaneHead, 'id' | 'filed'>,
  at: Date,
): Promise<boolean> {
  const { reverses } = head.filed.filing;
  if (!reverses) return false;
  const { receiptId, invoiceNumber } = reverses;
  const refund = (await lockReceipt(tx, head.id)) as Receipt;
  const original = (await lockReceipt(tx, receiptId)) as Receipt;
  const isLost =
    original.state === 'in_doubt' &&
    original.invoiceNumber === invoiceNumber &&
    original.problem?.code === 'signed_answer_lost' &&
    !(await isSignedLateUnder(tx, refund.deviceId, invoiceNumber)) &&
    (await listSuspects(tx, receiptId)).length === 0;
  if (isLost || (await mayHaveLeft(tx, refund, at))) return false;
  const problem = { code: 'reversal_overtaken', invoice_number: invoiceNumber } as const;
  if (refund.invoiceNumber !== null)
    await giveBackNumber(tx, refund.deviceId, refund.invoiceNumber);
  await setReceiptState(tx, refund.id, { state: 'withdrawn', problem, invoiceNumber: null }, at);
  await ports.record(tx, ctx, {
    action: 'receipt.withdrawn',
    subject: refund.id,
    after: { ...problem, returned_number: refund.invoiceNumber },
  });
  await endReversal(ports, tx, ctx, refund, problem, at);
  ports.changed(refund.id);
  return true;
}

/**
 * The refund of a reversal will not be signed: the reversal is over, with what was said of its
 * refund. A signature of the sale that was heard meanwhile is its receipt then, where it is of what
 * would be filed; otherwise a person finds out.
 */
export async function endReversal(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  refund: Pick<Receipt, 'id' | 'filed'>,
  problem: StoredProblem,
  at: Date,
): Promise<void> {
  const { reverses } = refund.filed.filing;
  if (!reverses) return;
  const { receiptId, invoiceNumber } = reverses;
  const original = (await lockReceipt(tx, receiptId)) as Receipt;
  const about = { reversal_receipt_id: refund.id };
  await ports.record(tx, ctx, {
    action: 'receipt.reversal_ended',
    subject: receiptId,
    before: { invoice_number: invoiceNumber },
    after: { ...about, ...problem },
  });
  // Whoever looks at the sale sees that it is over.
  await touchReceipt(tx, receiptId, at);
  ports.changed(receiptId);
  const late = openSeconds(original).find((each) => each.invoiceNumber === invoiceNumber);
  if (!late) return;
  if (!isOfDoubt(original, await listAttempts(tx, receiptId, at), late))
    return ports.alerts.raise(tx, ctx, receiptId, signedTwice(original));
  const dialect = ports.dialects.of(original.dialect);
  await settleSecond(tx, receiptId, late.receiptSignature, { as: 'receipt', evidence: about, at });
  await ports.record(tx, ctx, {
    action: 'receipt.late_signature_settled',
    subject: receiptId,
    before: { state: original.state, invoice_number: invoiceNumber },
    after: { as: 'receipt', ...about },
  });
  await takeLate(ports, tx, ctx, dialect, original, late, late, at);
}

/**
 * A document in doubt has its receipt, and may be signed under another number besides, of which the
 * device is asked nothing any more: people are told. One that the device has not said to be used is
 * given to nobody. `before`: its sends as they stood before the receipt was recorded.
 */
export async function tellOfOthers(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  receipt: Receipt,
  invoiceNumber: string,
  before: StoredAttempt[],
): Promise<void> {
  const others = before.filter((each) => each.invoiceNumber !== invoiceNumber && isDoubtful(each));
  for (const number of new Set(others.map((each) => each.invoiceNumber))) {
    await ports.alerts.raise(tx, ctx, receipt.id, {
      code: 'maybe_signed_twice',
      document_number: receipt.documentNumber,
      invoice_number: number,
    });
    if (!others.some((each) => each.invoiceNumber === number && isFoundTaken(each)))
      await burnNumber(tx, receipt.deviceId, number);
  }
}

/** A late signature is its document's receipt, and ends its doubt. */
async function takeLate(
  ports: LanePorts,
  tx: Tx,
  ctx: Context,
  dialect: Dialect,
  receipt: Receipt,
  sent: { attemptId: string; invoiceNumber: string },
  signature: Signature,
  at: Date,
): Promise<void> {
  const { id: receiptId, deviceId, environment } = receipt;
  const before = await listAttempts(tx, receiptId, at);
  await recordSigned(tx, ctx.businessId, {
    ...recordingOf(ports, dialect, receipt, sent, signature, null, at),
    source: 'late_answer',
  });
  await tellOfOthers(ports, tx, ctx, receipt, sent.invoiceNumber, before);
  await endDoubt(tx, receiptId);
  await freeSharers(ports, tx, ctx, { receiptId, deviceId, invoiceNumber: sent.invoiceNumber }, at);
  await followUp(ports, tx, ctx, receipt, at);
  await afterDoubt(ports, tx, ctx, deviceId);
  await pauseForStrangers(ports, tx, ctx, {
    id: deviceId,
    environment,
    state: receipt.isDeviceRetired ? 'retired' : 'active',
  });
}

export function recordingOf(
  ports: LanePorts,
  dialect: Dialect,
  receipt: Pick<Receipt, 'id' | 'deviceId' | 'filed'>,
  sending: { attemptId: string; invoiceNumber: string },
  signature: Signature,
  response: KeptAnswer | null,
  at: Date,
) {
  const { filing, sale } = receipt.filed;
  return {
    attemptId: sending.attemptId,
    receiptId: receipt.id,
    deviceId: receipt.deviceId,
    invoiceNumber: sending.invoiceNumber,
    signature,
    verificationUrl: dialect.verification(
      signature,
      filing.device,
      filing.verification.form,
      filing.verification.base,
    ),
    label: dialect.label(sale.kind, false),
    source: 'device' as const,
    evidence: null,
    response,
    at,
    auditId: ports.newId('audit'),
    actor: { type: 'job', id: 'lane' },
    worker: ports.worker,
  };
}

/** How a send ended that no longer decides anything. */
function endedAs(
  sent: Sent,
  reply: SaleReply | null,
  response: KeptAnswer | null,
  at: Date,
): Ended {
  if (reply?.is === 'signed')
    return ended('signed', { deviceCode: '000', deviceText: '' }, response, at);
  if (reply) return ended(reply.is, reply, response, at);
  const { is, reason } = sent as Exclude<Sent, { is: 'answered' }>;
  const said = { deviceCode: '', deviceText: reason };
  return is === 'in_doubt'
    ? { ...ended('in_doubt', said, null, at), isSocketClosed: false }
    : { ...ended('unreachable', said, null, at), mayHaveLeft: false };
}

const ended = (
  outcome: 'signed' | 'refused' | 'not_served' | 'number_taken' | 'in_doubt' | 'unreachable',
  said: Said,
  response: KeptAnswer | null,
  at: Date,
): Ended => ({
  outcome,
  at,
  mayHaveLeft: true,
  isSocketClosed: true,
  deviceCode: said.deviceCode,
  deviceText: said.deviceText,
  response,
});
