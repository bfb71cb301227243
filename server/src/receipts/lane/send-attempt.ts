import { redacted } from '../../platform/log.ts';
import type { DeviceAnswer, Dialect } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import type { AfterSend, OwnSend } from './outcome.ts';
import { recordOutcome } from './record-outcome.ts';
import { recordLate, recordUnread } from './record-late-answer.ts';
import type { LanePorts, LaneRun } from './lane-ports.ts';
import { lockLane } from './lane.store.ts';
import { retry } from '../../platform/retry.ts';
import { nextStep, type Step } from './next-step.ts';

/** One send of a lane: whose it is, and what was frozen for it. */
type Send = OwnSend & { run: LaneRun };

/**
 * Sends the frozen request, records how that ended and, where the lane goes on, decides the next
 * step in the same transaction: one commit a receipt less.
 *
 * A process that was stopped between writing a send down and its first byte (a machine that slept
 * or was moved), or that found its device only slowly, comes into another world: by now another may
 * hold the lane, have taken the send for a doubt, or have retired the device. Past half of its
 * lease nothing leaves; what it wrote down provably did not, and where somebody has judged it
 * meanwhile, that stands.
 */
export async function sendAttempt(
  ports: LanePorts,
  run: LaneRun,
  step: Step & { do: 'send' },
): Promise<{ after: AfterSend; next: Step | null }> {
  const { sending } = step;
  const send: Send = { ports, ctx: run.ctx, dialect: run.dialect, sending, run };
  let isHeard = true;
  ports.underWay.set(sending.attemptId, sending.receiptId);
  try {
    const sent = await exchange(send, step);
    isHeard = sent.is !== 'in_doubt';
    try {
      return await recordEnd(send, sent);
    } catch (error) {
      await recordAsDoubt(send, sent, error as Error);
      throw error;
    } finally {
      if (sent.is === 'in_doubt') listenForLateAnswer(send, sent.late);
    }
  } finally {
    if (isHeard) ports.underWay.delete(sending.attemptId);
  }
}

async function exchange(
  { ports, run: { ctx, device, dialect } }: Send,
  { request, passedMs }: Step & { do: 'send' },
): Promise<Sent> {
  // The request was written down just when the end of the process began: nobody might hear the
  // device out.
  if (ports.closing?.aborted)
    return { is: 'unreachable', reason: 'the server ends: it was not sent' };
  const mayLeave = () => passedMs() <= ports.timing.leaseMs / 2;
  return ports.vsdc.send(
    device,
    { path: dialect.sales.path, body: request },
    { businessId: ctx.businessId, as: 'sale', mayLeave },
  );
}

function recordEnd(send: Send, sent: Sent): Promise<{ after: AfterSend; next: Step | null }> {
  const { ports, run } = send;
  const answer = sent.is === 'answered' ? () => loggedAnswer(send.dialect, sent.answer) : null;
  // A next step that fails must not take the outcome along, so every later try records and nothing
  // more.
  return recordPersistently(send, answer, (before) =>
    recordOutcome(send, sent, async (tx, lane) =>
      before === 0 ? nextStep(ports, run, tx, lane) : null,
    ),
  );
}

/**
 * What a device has said is written as long as it takes; only where a database that is there
 * refuses it, or the process ends, it is given up. Until then it stands nowhere else, and a process
 * may end without a word: so it is `said` in the log as soon as it could not be written at once, or
 * is not yet after a moment. A database that has fallen silent fails only after a minute, and
 * whatever waits for its turn behind others later than that.
 */
async function recordPersistently<T>(
  send: Send,
  said: (() => object) | null,
  work: (triesBefore: number) => Promise<T>,
): Promise<T> {
  const { ports, ctx, sending } = send;
  const about = aboutOf(send);
  let isSaid = false;
  const say = (error: unknown) => {
    if (said && !isSaid)
      ports.log.warn(
        { ...about, ...said(), error: String(error) },
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
      look: () => ctx.transaction((tx) => lockLane(tx, sending.deviceId)),
      ...(ports.ending ? { ending: ports.ending } : {}),
    },
    { business_id: ctx.businessId, receipt_id: sending.receiptId },
    (before) =>
      work(before).catch((error: unknown) => {
        say(error);
        throw error;
      }),
  ).finally(takeBack);
  if (isSaid) ports.log.warn(about, 'what a device said is recorded after all');
  return result;
}

const aboutOf = ({ ctx, sending: { receiptId, attemptId, invoiceNumber } }: Send) => ({
  business_id: ctx.businessId,
  receipt_id: receiptId,
  attempt_id: attemptId,
  invoice_number: invoiceNumber,
});

/**
 * Returns what the log says of an answer. Of the device's words whatever may be a secret is left
 * out, which a signature may look like; so its parts stand beside them.
 */
function loggedAnswer(dialect: Dialect, answer: DeviceAnswer): object {
  const signature = dialect.sales.find(answer);
  return {
    answer: redacted(answer.body.slice(0, loggedMax)),
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
async function recordAsDoubt(send: Send, sent: Sent, cause: Error): Promise<void> {
  const { ports } = send;
  const about = aboutOf(send);
  const answer = sent.is === 'answered' ? loggedAnswer(send.dialect, sent.answer) : {};
  try {
    await recordPersistently(send, null, () => recordUnread(send, sent));
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

const loggedMax = 2_000;

/**
 * Listens while the socket stays open, and records what still comes. It begins only after the doubt
 * itself is recorded, so that the answer finds one.
 */
function listenForLateAnswer(send: Send, late: Promise<DeviceAnswer | null>): void {
  const { ports, sending } = send;
  const recorded = late
    .then(async (answer) => {
      await recordLateAnswer(send, answer);
      ports.changed(sending.receiptId);
    })
    .catch((error: Error) =>
      ports.log.error(
        { ...aboutOf(send), error: error.stack },
        'a late answer could not be kept either',
      ),
    )
    .finally(() => ports.underWay.delete(sending.attemptId));
  ports.background(recorded);
}

async function recordLateAnswer(send: Send, answer: DeviceAnswer | null): Promise<void> {
  const { ports } = send;
  const about = aboutOf(send);
  await recordPersistently(send, answer && (() => loggedAnswer(send.dialect, answer)), () =>
    recordLate(send, answer),
  ).catch(async (error: Error) => {
    // That nothing came is lost with no harm: its socket counts as closed once its time has ended.
    if (!answer)
      return ports.log.warn(
        { ...about, error: error.stack },
        'that a socket was closed could not be recorded',
      );
    ports.log.error(
      { ...about, ...loggedAnswer(send.dialect, answer), error: error.stack },
      'a late answer could not be recorded',
    );
    await recordPersistently(send, null, () => recordUnread(send, { is: 'answered', answer }));
  });
}
