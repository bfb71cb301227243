import type { Context } from '../../context.ts';
import type { Dialect, SaleReply } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import type { KeptAnswer } from '../receipt/stored-answer.ts';
import type { LaneDevice, LaneHead } from './lane.model.ts';
import type { LanePorts, LaneWork } from './lane-ports.ts';
import type { Ended } from '../receipt/attempt.store.ts';

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

/** A send of this process, with everything that recording its end takes. */
export type OwnSend = { ports: LanePorts; ctx: Context; dialect: Dialect; sending: Sending };

/** An answer that is being recorded, in time or late. `response`: as the device gave it. */
export type Heard = LaneWork & OwnSend & { response: KeptAnswer | null };

/**
 * The end of one send that is being recorded: everything its handlers need, in the transaction
 * that holds the lane's lock.
 */
export type Recording = Heard & { device: LaneDevice };

/**
 * What an end means for the lane: go on with the next document, wait until a moment, or stop for a
 * person.
 */
export type AfterSend = { is: 'go_on' } | { is: 'wait'; until: Date } | { is: 'stop' };

/** A lane without doubts, under its lock, and what goes next in it. */
export type KnownLane = { device: LaneDevice; head: LaneHead | null };

export type Said = { deviceCode: string; deviceText: string };

/** How a send ended to which no answer came within its time. */
export type Unanswered = Exclude<Sent, { is: 'answered' }>;

/** Returns how a send ended that no longer decides anything. */
export function endedAs(
  { dialect, response, at }: Heard,
  sent: Sent,
  reply: SaleReply | null,
): Ended {
  if (reply?.is === 'signed')
    return ended('signed', { deviceCode: dialect.sales.signedCode, deviceText: '' }, response, at);
  if (reply) return ended(reply.is, reply, response, at);
  const { is, reason } = sent as Unanswered;
  const said = { deviceCode: '', deviceText: reason };
  return is === 'in_doubt'
    ? { ...ended('in_doubt', said, null, at), isSocketClosed: false }
    : { ...ended('unreachable', said, null, at), mayHaveLeft: false };
}

export const ended = (
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
