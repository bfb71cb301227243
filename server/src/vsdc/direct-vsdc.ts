import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import { Agent, request as undiciRequest } from 'undici';
import type { DeviceAnswer, DeviceRequest } from '../ports/dialect/index.ts';
import type { OnBehalf, Sent, Vsdc } from '../ports/vsdc.ts';
import type { AddressPolicy, Resolved } from '../platform/address-policy.ts';
import { AppError } from '../platform/app-error.ts';
import { openFairQueue } from '../platform/fair-queue.ts';
import { withTimeout } from '../platform/with-timeout.ts';
import { decodeText } from '../platform/decode-text.ts';

type Mark = { left: boolean; mayLeave: () => boolean; isTooLate: boolean };

// The one line between "never left" and "in doubt": undici announces when it writes a request's
// headers, right before it does. Error codes do not tell (ECONNRESET happens on both sides of it).
// What may not leave any more at that moment finds its connection gone: nothing of it is written.
const marks = new WeakMap<object, Mark>();
const current = new AsyncLocalStorage<Mark>();
channel('undici:request:create').subscribe((message) => {
  const mark = current.getStore();
  if (mark) marks.set((message as { request: object }).request, mark);
});
channel('undici:client:sendHeaders').subscribe((message) => {
  const { request, socket } = message as { request: object; socket: Duplex };
  const mark = marks.get(request);
  if (!mark) return;
  if (mark.mayLeave()) mark.left = true;
  else {
    mark.isTooLate = true;
    socket.destroy();
  }
});

export type DirectSettings = {
  connectTimeoutMs: number;
  answerTimeoutMs: number;
  lateTimeoutMs: number;
  answerBytesMax: number;
  /** Connections of one business for what people and programs ask. */
  questionsMax: number;
  /**
   * Connections for sales and what a lane asks: of one device, and of one business. More than a
   * lane can have open by itself, where each send waits for the time-out of the one before and a
   * late answer is waited for: whoever reaches this has made devices to reach it.
   */
  lanePerDeviceMax: number;
  lanesMax: number;
};

export const usualSettings: DirectSettings = {
  connectTimeoutMs: 5_000,
  answerTimeoutMs: 30_000,
  lateTimeoutMs: 600_000,
  answerBytesMax: 4 << 20,
  questionsMax: 8,
  lanePerDeviceMax: 24,
  lanesMax: 128,
};

/**
 * Reaches a device directly: the server stands on its LAN or VPN. A fresh connection per request
 * (with kept ones, devices that drop idle connections make false doubts), no retry at any level, no
 * redirect. After the time-out a sale's socket stays open, and a late answer is delivered through
 * `late`; that of anything else is closed. A business has so many connections and no more, with a
 * share for its sales.
 */
export function directVsdc(
  policy: AddressPolicy,
  settings: DirectSettings = usualSettings,
): DirectVsdc {
  const agents = new Map<string, Agent>();
  /** Those that made room, while a late answer may still come to one of them. */
  const leaving = new Set<Agent>();
  const asked = new Set<Promise<unknown>>();
  let isClosed = false;
  const questions = openFairQueue({
    atOnce: settings.questionsMax,
    lineMost: 50,
    waitMs: settings.answerTimeoutMs,
  });
  const lanes = places();

  /**
   * One agent per resolved address, pinned to it; it keeps no connection (`pipelining: 0`), only
   * its settings. Bounded: the oldest goes.
   */
  const agentOf = ({ address, family }: Resolved): Agent => {
    const known = agents.get(address);
    if (known) return known;
    const agent = new Agent({
      connect: {
        timeout: settings.connectTimeoutMs,
        lookup: (_host, _options, done) => done(null, [{ address, family }]),
      },
      headersTimeout: settings.lateTimeoutMs,
      bodyTimeout: settings.lateTimeoutMs,
      maxResponseSize: settings.answerBytesMax,
      pipelining: 0,
    });
    agents.set(address, agent);
    if (agents.size > agentsMax) {
      const [oldest] = agents;
      if (oldest) {
        const [address, agent] = oldest;
        agents.delete(address);
        leaving.add(agent);
        void agent
          .close()
          .catch(() => {})
          .finally(() => leaving.delete(agent));
      }
    }
    return agent;
  };

  /** One exchange. `closed` is when its connection is. */
  const exchange: typeof exchangeNow = (address, request, onBehalf) => {
    const done = exchangeNow(address, request, onBehalf);
    const end = done.then(
      () => {},
      () => {},
    );
    asked.add(end);
    void end.finally(() => asked.delete(end));
    return done;
  };

  const exchangeNow = async (
    address: string,
    request: DeviceRequest,
    onBehalf: OnBehalf,
  ): Promise<{ sent: Sent; closed?: Promise<unknown> }> => {
    const { businessId, as } = onBehalf;
    const resolved = await policy.resolve(
      address,
      as === 'question' ? businessId : `${businessId} lane`,
    );
    if ('refused' in resolved) return { sent: { is: 'address_refused', reason: resolved.refused } };
    if ('unknown' in resolved) return { sent: { is: 'unreachable', reason: resolved.unknown } };
    if (isClosed) return { sent: neverSent };
    const mark: Mark = {
      left: false,
      mayLeave: onBehalf.as === 'sale' ? onBehalf.mayLeave : () => true,
      isTooLate: false,
    };
    const abort = new AbortController();
    const url = `${resolved.url.href.replace(/\/$/, '')}${request.path}`;
    const closed: Promise<{ answer: DeviceAnswer } | { error: Error }> = current
      .run(mark, async () => {
        const answer = await undiciRequest(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json; charset=utf-8',
            accept: 'application/json',
          },
          body: request.body,
          dispatcher: agentOf(resolved),
          // Time-outs of the client are between two bytes: a device that drips has no longer than
          // one that is silent.
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
      })
      .catch((error: Error) => ({ error }));
    const sentAfter = (end: { answer: DeviceAnswer } | { error: Error }): Sent => {
      if ('answer' in end) return { is: 'answered', answer: end.answer };
      return isClosed && !mark.left ? neverSent : afterError(end.error, mark, resolved.isInner);
    };
    const first = await withTimeout(closed, settings.answerTimeoutMs, 'timeout' as const);
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
  };

  /** What can be asked again waits for a place; nothing has left where there is none. */
  const ask = (address: string, request: DeviceRequest, onBehalf: OnBehalf): Promise<Sent> =>
    questions(
      onBehalf.businessId,
      async () => (await exchange(address, request, onBehalf)).sent,
    ).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'business_busy')
        return { is: 'unreachable', reason: tooMany };
      throw error;
    });

  const askForLane = async (
    address: string,
    request: DeviceRequest,
    onBehalf: OnBehalf,
  ): Promise<Sent> => {
    const { businessId } = onBehalf;
    const leave = lanes.take([
      [businessId, settings.lanesMax],
      [`${businessId} ${address}`, settings.lanePerDeviceMax],
    ]);
    if (!leave) return { is: 'unreachable', reason: tooMany };
    const { sent, closed } = await exchange(address, request, onBehalf).catch((error: unknown) => {
      leave();
      throw error;
    });
    void Promise.resolve(closed).finally(leave);
    return sent;
  };

  return {
    send: async ({ address }, request, onBehalf) =>
      isClosed
        ? neverSent
        : (onBehalf.as === 'question' ? ask : askForLane)(address, request, onBehalf),
    async answered() {
      await Promise.all(asked);
    },
    async close() {
      isClosed = true;
      await Promise.all(
        [...agents.values(), ...leaving].map((agent) => agent.destroy().catch(() => {})),
      );
      agents.clear();
    },
  };
}

export type DirectVsdc = Vsdc & {
  /**
   * Once every device that is being asked at this moment has answered, or has had the time for it;
   * late answers are not waited for.
   */
  answered(): Promise<void>;
  /** Ends every connection. Nothing is sent from then on. */
  close(): Promise<void>;
};

const agentsMax = 500;

const noAnswer = 'no answer in time';
const tooLate = 'too long ago since it was written down: it was not sent';
const neverSent: Sent = { is: 'unreachable', reason: 'the server ends: it was not sent' };
const tooMany = 'too many connections of this business are open';

/**
 * Whether a port inside a network is closed, silent or something else is that network's own matter.
 */
function afterError(error: Error, mark: Mark, isInner: boolean): Sent {
  if (mark.isTooLate) return { is: 'unreachable', reason: tooLate };
  const reason = isInner
    ? mark.left
      ? 'the connection was lost'
      : 'no connection'
    : ((error as NodeJS.ErrnoException).code ?? error.message);
  return mark.left
    ? { is: 'in_doubt', reason, late: Promise.resolve(null) }
    : { is: 'unreachable', reason };
}

/** Counts places in several budgets at once: all of them, or none. */
function places(): { take(budgets: [name: string, max: number][]): (() => void) | null } {
  const taken = new Map<string, number>();
  const change = (name: string, by: number): void => {
    const count = (taken.get(name) ?? 0) + by;
    if (count > 0) taken.set(name, count);
    else taken.delete(name);
  };
  return {
    take(budgets) {
      if (budgets.some(([name, max]) => (taken.get(name) ?? 0) >= max)) return null;
      for (const [name] of budgets) change(name, 1);
      return () => {
        for (const [name] of budgets) change(name, -1);
      };
    },
  };
}
