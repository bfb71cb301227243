import type { Dialect, SaleReply } from '../../ports/dialect/index.ts';
import type { Sent } from '../../ports/vsdc.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import type { KeptAnswer } from '../receipt/kept-answer.ts';
import type { LaneDevice, LaneHead } from './lane.store.ts';
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

/**
 * What an end means for the lane: go on with the next document, wait until a moment, or stop for a
 * person.
 */
export type AfterSend = { is: 'go_on' } | { is: 'wait'; until: Date } | { is: 'stop' };

/** A lane without doubts, under its lock, and what goes next in it. */
export type KnownLane = { device: LaneDevice; head: LaneHead | null };

export type Said = { deviceCode: string; deviceText: string };

/** How a send ended that no longer decides anything. */
export function endedAs(
  dialect: Dialect,
  sent: Sent,
  reply: SaleReply | null,
  response: KeptAnswer | null,
  at: Date,
): Ended {
  if (reply?.is === 'signed')
    return ended('signed', { deviceCode: dialect.sales.signedCode, deviceText: '' }, response, at);
  if (reply) return ended(reply.is, reply, response, at);
  const { is, reason } = sent as Exclude<Sent, { is: 'answered' }>;
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
