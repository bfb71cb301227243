import { request as undiciRequest } from 'undici';
import type { AddressPolicy, Resolved } from '../platform/address-policy.ts';
import { decodeText } from '../platform/decode-text.ts';
import { withTimeout } from '../platform/with-timeout.ts';
import type { DeviceAnswer, DeviceRequest } from '../ports/dialect/index.ts';
import type { OnBehalf, Sent } from '../ports/vsdc.ts';
import type { DeviceAgents } from './device-agents.ts';
import { type Mark, marking } from './sent-mark.ts';
import type { DirectSettings } from './settings.ts';

export type ExchangePorts = {
  policy: AddressPolicy;
  settings: DirectSettings;
  agents: DeviceAgents;
  /** Whether nothing is sent any more. */
  isClosed(): boolean;
};

/** What came of one exchange. `closed` is when its connection is, where it is still open. */
export type Exchanged = { sent: Sent; closed?: Promise<unknown> };

/** How the connection ended. */
type End = { answer: DeviceAnswer } | { error: Error };

const noAnswer = 'no answer in time';
const tooLate = 'too long ago since it was written down: it was not sent';
export const neverSent: Sent = {
  is: 'unreachable',
  reason: 'the server ends: it was not sent',
};

/** Sends one request to a device, unless its address is refused or the server ends. */
export async function exchange(
  ports: ExchangePorts,
  address: string,
  request: DeviceRequest,
  onBehalf: OnBehalf,
): Promise<Exchanged> {
  const { businessId, as } = onBehalf;
  const resolved = await ports.policy.resolve(
    address,
    as === 'question' ? businessId : `${businessId} lane`,
  );
  if ('refused' in resolved) return { sent: { is: 'address_refused', reason: resolved.refused } };
  if ('unknown' in resolved) return { sent: { is: 'unreachable', reason: resolved.unknown } };
  if (ports.isClosed()) return { sent: neverSent };
  const mark: Mark = {
    left: false,
    mayLeave: onBehalf.as === 'sale' ? onBehalf.mayLeave : () => true,
    isTooLate: false,
  };
  const abort = new AbortController();
  const closed: Promise<End> = marking(mark, () => post(ports, resolved, request, abort)).catch(
    (error: Error) => ({ error }),
  );
  const sentAfter = (end: End): Sent => {
    if ('answer' in end) return { is: 'answered', answer: end.answer };
    return ports.isClosed() && !mark.left
      ? neverSent
      : sentAfterError(end.error, mark, resolved.isInner);
  };
  const first = await withTimeout(closed, ports.settings.answerTimeoutMs, 'timeout' as const);
  if (first !== 'timeout') return { sent: sentAfter(first) };
  if (mark.left && as === 'sale') {
    const late = closed.then((end) => ('answer' in end ? end.answer : null));
    return { sent: { is: 'in_doubt', reason: noAnswer, late }, closed };
  }
  // Not written within the time, or nothing that a late answer would be worth waiting for: it is
  // taken back, and then it is sure what left.
  abort.abort();
  const sent = sentAfter(await closed);
  return { sent: sent.is === 'in_doubt' ? { ...sent, reason: noAnswer } : sent };
}

/** Posts the bytes on a connection of their own and reads the answer whole. */
async function post(
  { settings, agents }: ExchangePorts,
  resolved: Resolved,
  request: DeviceRequest,
  abort: AbortController,
): Promise<{ answer: DeviceAnswer }> {
  const url = `${resolved.url.href.replace(/\/$/, '')}${request.path}`;
  const answer = await undiciRequest(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      accept: 'application/json',
    },
    body: request.body,
    dispatcher: agents.agentOf(resolved),
    // Time-outs of the client are between two bytes: a device that drips has no longer than one
    // that is silent.
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(settings.lateTimeoutMs)]),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return {
    answer: {
      status: answer.statusCode,
      body: decodeText(bytes, String(answer.headers['content-type'] ?? '')),
      bytes,
    },
  };
}

/**
 * Returns what an exchange that failed was: in doubt if its bytes had left, else never sent.
 * Whether a port inside a network is closed, silent or something else is that network's own matter.
 */
export function sentAfterError(
  error: Error,
  { left, isTooLate }: Pick<Mark, 'left' | 'isTooLate'>,
  isInner: boolean,
): Sent {
  if (isTooLate) return { is: 'unreachable', reason: tooLate };
  const reason = isInner
    ? left
      ? 'the connection was lost'
      : 'no connection'
    : ((error as NodeJS.ErrnoException).code ?? error.message);
  return left
    ? { is: 'in_doubt', reason, late: Promise.resolve(null) }
    : { is: 'unreachable', reason };
}
