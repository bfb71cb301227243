import type { Tx } from '../../platform/db/database.ts';
import type { SaleReply } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import { keptAnswer } from '../receipt/stored-answer.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { isStandingRecorded } from './already-recorded.ts';
import { canBeNext } from './counter-evidence.model.ts';
import type { LaneDevice } from './lane.model.ts';
import { lockAndReadLane, lockLane, touchDevice } from './lane.store.ts';
import type { AfterSend, KnownLane, OwnSend, Recording, Unanswered } from './outcome.ts';
import { handlerOf, isDoubtfulUnder, notAnswered, saidAfterDoubt } from './outcome-handlers.ts';

/**
 * Records how one send ended, in one transaction with everything that follows from it: outcome,
 * signature, number, state, trail. After a doubt only the answers *signed* and *number taken*
 * change anything.
 *
 * `goOn` decides what the lane does next, in the same transaction. It gets the lane as it was read
 * together with its lock, unless something in it has changed since.
 */
export async function recordOutcome<Next>(
  send: OwnSend,
  sent: Sent,
  goOn: (tx: Tx, lane: KnownLane | null) => Promise<Next | null>,
): Promise<{ after: AfterSend; next: Next | null }> {
  const { ctx, dialect, sending } = send;
  const reply = sent.is === 'answered' ? dialect.sales.read(sent.answer, sending.isResend) : null;
  const response = sent.is === 'answered' ? keptAnswer(sent.answer) : null;
  return ctx.transaction(async (tx) => {
    const { recording, head } = await lock({ ...send, tx, response }, reply);
    const { device } = recording;
    // The answer to the send before a resend may have signed its document already: another worker
    // has heard it, to which this one seemed to be gone.
    if (
      (sending.isResend || device.openAttempt !== sending.attemptId) &&
      (await isStandingRecorded(recording, sent, reply))
    )
      return { after: { is: 'go_on' }, next: await goOn(tx, null) };
    const after = await record(recording, sent, reply);
    if (after.is !== 'go_on') return { after, next: null };
    const lane = isAsRead(recording, reply) ? { device, head } : null;
    return { after, next: await goOn(tx, lane) };
  });
}

/** Locks the lane; for a signature it reads in the same wait what goes next in the lane. */
async function lock(
  send: Omit<Recording, 'device' | 'at'>,
  reply: SaleReply | null,
): Promise<{ recording: Recording } & Pick<KnownLane, 'head'>> {
  const { ports, tx, sending } = send;
  const { device, head } =
    reply?.is === 'signed'
      ? await lockAndReadLane(
          tx,
          sending.deviceId,
          reply.signature.receiptSignature,
          ports.clock.now(),
          sending.receiptId,
        )
      : { device: (await lockLane(tx, sending.deviceId)) as LaneDevice, head: null };
  return { recording: { ...send, device, at: ports.clock.now() }, head };
}

async function record(
  recording: Recording,
  sent: Sent,
  reply: SaleReply | null,
): Promise<AfterSend> {
  const { tx, device, sending, at } = recording;
  if (!reply) return notAnswered(recording, sent as Unanswered);
  if (reply.is === 'signed') return handlerOf(reply)(recording, reply, []);
  await touchDevice(tx, device.id, at);
  const earlier = (await listAttempts(tx, sending.receiptId, at)).filter(
    (attempt) => attempt.id !== sending.attemptId,
  );
  return isDoubtfulUnder(sending.invoiceNumber, earlier)
    ? saidAfterDoubt(recording, reply)
    : handlerOf(reply)(recording, reply, earlier);
}

/** A doubt may have ended with a signature, and a reversal puts its sale back into the lane. */
const isAsRead = ({ device, sending }: Recording, reply: SaleReply | null): boolean =>
  reply?.is === 'signed' &&
  canBeNext(device, reply.signature) &&
  !device.hasDoubt &&
  sending.filed !== null &&
  !sending.filed.terms.reverses;
