import type { Device } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { redacted } from '../../platform/log.ts';
import type { DeviceAnswer, Dialect } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import type { AfterSend, Sending } from './outcome.ts';
import { recordOutcome } from './record-outcome.ts';
import { recordLate, recordUnread } from './late-answer.ts';
import type { LanePorts } from './lane-ports.ts';
import { lockLane } from './lane.store.ts';
import { retry } from '../../platform/retry.ts';
import { nextStep, type Step } from './next-step.ts';

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
export async function send(
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
          { path: dialect.sales.path, body: request },
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
          recordOutcome({ ports, ctx, dialect, sending }, sent, async (tx, lane) =>
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
  const signature = dialect.sales.find(answer);
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
    await write(ports, ctx, sending, null, () =>
      recordUnread({ ports, ctx, dialect, sending }, sent),
    );
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
        recordLate({ ports, ctx, dialect, sending }, answer),
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
          recordUnread({ ports, ctx, dialect, sending }, { is: 'answered', answer }),
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
