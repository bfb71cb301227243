import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { Agent, request as undiciRequest } from 'undici';
import type { DeviceAnswer } from '../ports/dialect.ts';
import type { Sent, Vsdc } from '../ports/vsdc.ts';
import type { AddressPolicy, Resolved } from '../platform/address-policy.ts';
import { readText } from '../platform/read-text.ts';

type Mark = { left: boolean };

// The one line between "never left" and "in doubt": undici announces when it writes a request's headers. Error codes do not tell
// (ECONNRESET happens on both sides of it).
const marks = new WeakMap<object, Mark>();
const current = new AsyncLocalStorage<Mark>();
channel('undici:request:create').subscribe((message) => {
  const mark = current.getStore();
  if (mark) marks.set((message as { request: object }).request, mark);
});
channel('undici:client:sendHeaders').subscribe((message) => {
  const mark = marks.get((message as { request: object }).request);
  if (mark) mark.left = true;
});

export type DirectSettings = { connectTimeoutMs: number; answerTimeoutMs: number; lateTimeoutMs: number; answerBytesMax: number };

export const usualSettings: DirectSettings = { connectTimeoutMs: 5_000, answerTimeoutMs: 30_000, lateTimeoutMs: 600_000, answerBytesMax: 4 << 20 };

/**
 * Reaches a device directly: the server stands on its LAN or VPN. A fresh connection per request (with kept ones, devices that drop
 * idle connections make false doubts), no retry at any level, no redirect. After the time-out the socket stays open, and a late
 * answer is delivered through `late`.
 */
export function directVsdc(policy: AddressPolicy, settings: DirectSettings = usualSettings): Vsdc & { close(): Promise<void> } {
  const agents = new Map<string, Agent>();

  /** One agent per resolved address, pinned to it; it keeps no connection (`pipelining: 0`), only its settings. Bounded: the oldest goes. */
  const agentOf = ({ address, family }: Resolved): Agent => {
    const known = agents.get(address);
    if (known) return known;
    const agent = new Agent({
      connect: { timeout: settings.connectTimeoutMs, lookup: (_host, _options, done) => done(null, [{ address, family }]) },
      headersTimeout: settings.lateTimeoutMs,
      bodyTimeout: settings.lateTimeoutMs,
      maxResponseSize: settings.answerBytesMax,
      pipelining: 0,
    });
    agents.set(address, agent);
    if (agents.size > agentsMax) {
      const [oldest] = agents;
      if (oldest) {
        agents.delete(oldest[0]);
        void oldest[1].close().catch(() => {});
      }
    }
    return agent;
  };

  return {
    async send(target, request): Promise<Sent> {
      const resolved = await policy.resolve(target.address);
      if ('refused' in resolved) return { is: 'address_refused', reason: resolved.refused };
      if ('unknown' in resolved) return { is: 'unreachable', reason: `the name ${resolved.unknown} is not known` };
      const mark: Mark = { left: false };
      const abort = new AbortController();
      const url = `${resolved.url.href.replace(/\/$/, '')}${request.path}`;
      const closed: Promise<{ answer: DeviceAnswer } | { error: Error }> = current
        .run(mark, async () => {
          const answer = await undiciRequest(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json; charset=utf-8', accept: 'application/json' },
            body: request.body,
            dispatcher: agentOf(resolved),
            signal: abort.signal,
          });
          const bytes = Buffer.from(await answer.body.arrayBuffer());
          return { answer: { status: answer.statusCode, body: readText(bytes, String(answer.headers['content-type'] ?? '')), bytes } };
        })
        .catch((error: Error) => ({ error }));
      const first = await within(closed, settings.answerTimeoutMs);
      if (first === 'timeout') {
        if (mark.left) return { is: 'in_doubt', reason: 'no answer in time', late: closed.then((end) => ('answer' in end ? end.answer : null)) };
        // Not written within the time: it is taken back first, and only then it is sure that nothing left.
        abort.abort();
        const end = await closed;
        return 'answer' in end ? { is: 'answered', answer: end.answer } : afterError(end.error, mark);
      }
      return 'answer' in first ? { is: 'answered', answer: first.answer } : afterError(first.error, mark);
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy().catch(() => {})));
      agents.clear();
    },
  };
}

const agentsMax = 500;

function afterError(error: Error, mark: Mark): Sent {
  const reason = (error as NodeJS.ErrnoException).code ?? error.message;
  return mark.left ? { is: 'in_doubt', reason, late: Promise.resolve(null) } : { is: 'unreachable', reason };
}

/** What comes first; the timer does not outlive the answer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
