import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import { keepDemand } from '../../branches/index.ts';
import { forgetRegistered } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Dialect, SaleReply } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import { demandIn } from '../sale/demands.model.ts';
import { doubtAnother } from './doubt-another.ts';
import { type KeptAnswer, keptAnswer } from '../receipt/kept-answer.ts';
import type { LanePorts } from './lane-ports.ts';
import { beginDoubt, endDoubt, holdTogether } from '../receipt/doubt.store.ts';
import {
  giveBackNumber,
  type LaneDevice,
  lockAndReadLane,
  lockLane,
  pauseLaneFor,
  postponeDocument,
  readAnew,
  setLaneTries,
  touchDevice,
} from './lane.store.ts';
import { recordSigned } from '../receipt/signature.store.ts';
import {
  closeSocket,
  endAttempt,
  findAttemptStatus,
  listAttempts,
  reopenSocket,
} from '../receipt/attempt.store.ts';
import { isDoubtful, retryDelayMs } from '../receipt/receipt.model.ts';
import { findReceipt, lockReceipt, setReceiptState } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { isSignedLateUnder } from '../receipt/second-signature.store.ts';
import {
  type AfterSend,
  ended,
  endedAs,
  type KnownLane,
  type Said,
  type Sending,
} from './outcome.ts';
import { hearLate } from './late-answer.ts';
import { followUp, pauseForStrangers, signedReceiptOf } from './record-signature.ts';
import { doubtEarlier, hasLeftFrom, startDoubt, suspects } from './begin-doubt.ts';
import { afterDoubt, endReversal, freeSharers, numberAnew } from './end-doubt.ts';
import { canBeNext, weighEvidence } from './counter-evidence.ts';

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
  const reply = sent.is === 'answered' ? dialect.sales.read(sent.answer, sending.isResend) : null;
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
            deviceCode: dialect.sales.signedCode,
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
        ...endedAs(dialect, sent, reply, response, at),
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
      signedReceiptOf({ ports, dialect, at }, receipt, sending, signature, response),
    );
    await followUp({ ports, tx, ctx, at }, receipt);
    if (sending.isResend) await endDoubt(tx, sending.receiptId);
    if (device.hasDoubt) {
      await freeSharers({ ports, tx, ctx, at }, sending);
      await weighEvidence({ ports, tx, ctx, at }, device, signature, sending.attemptId);
      await afterDoubt({ ports, tx, ctx }, device.id);
    }
    const isNext =
      device.totalBase !== null &&
      device.totalBase === device.lastTotal &&
      BigInt(signature.totalReceiptNumber) === BigInt(device.totalBase) + 1n;
    return !isNext && (await pauseForStrangers({ ports, tx, ctx }, device))
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
      await endReversal({ ports, tx, ctx, at }, { id: sending.receiptId, filed }, problem);
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
      { ports, tx, ctx, at },
      { id: sending.receiptId, deviceId: sending.deviceId },
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
    await startDoubt({ ports, tx, ctx, at }, device, sending, {
      code: 'maybe_signed',
      device_code: said.deviceCode || undefined,
      device_text: said.deviceText,
    } as StoredProblem);
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
    await numberAnew({ ports, tx, ctx, at }, about, {
      source: 'a signature that came late stands under the number',
    });
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
      { ports, tx, ctx, at },
      device,
      sending,
      said,
      suspects(isOwnLost),
    );
    await afterDoubt({ ports, tx, ctx }, device.id);
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
    const earlier = await doubtEarlier({ ports, tx, ctx, at }, device, sending, said, () => true);
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
    const { areOthers } = await doubtEarlier(
      { ports, tx, ctx, at },
      device,
      sending,
      said,
      () => true,
    );
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
