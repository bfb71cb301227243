import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { Agent, request as undiciRequest } from 'undici';
import type { DeviceAnswer } from '../ports/dialect.ts';
import type { Sent, Vsdc } from '../ports/vsdc.ts';
import type { AddressPolicy } from './address-policy.ts';

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
  const agents = new Set<Agent>();
  return {
    async send(target, request): Promise<Sent> {
      const resolved = await policy.resolve(target.address);
      if ('refused' in resolved) return { is: 'address_refused', reason: resolved.refused };
      if ('unknown' in resolved) return { is: 'unreachable', reason: `the name ${resolved.unknown} is not known` };
      const mark: Mark = { left: false };
      const agent = new Agent({
        connect: {
          timeout: settings.connectTimeoutMs,
          lookup: (_host, _options, done) => done(null, [{ address: resolved.address, family: resolved.family }]),
        },
        headersTimeout: settings.lateTimeoutMs,
        bodyTimeout: settings.lateTimeoutMs,
        maxResponseSize: settings.answerBytesMax,
        pipelining: 0,
      });
      agents.add(agent);
      const url = `${resolved.url.href.replace(/\/$/, '')}${request.path}`;
      const whole: Promise<DeviceAnswer> = current.run(mark, async () => {
        const answer = await undiciRequest(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8', accept: 'application/json' },
          body: request.body,
          dispatcher: agent,
        });
        return { status: answer.statusCode, body: await answer.body.text() };
      });
      const closed = whole
        .then(
          (answer) => ({ answer }),
          (error: Error) => ({ error }),
        )
        .finally(async () => {
          agents.delete(agent);
          await agent.destroy().catch(() => {});
        });
      const first = await Promise.race([closed, timeout(settings.answerTimeoutMs)]);
      if (first === 'timeout') {
        return mark.left
          ? { is: 'in_doubt', reason: 'no answer in time', late: closed.then((end) => ('answer' in end ? end.answer : null)) }
          : giveUp(agent, closed, mark);
      }
      if ('answer' in first) return { is: 'answered', answer: first.answer };
      return afterError(first.error, mark);
    },
    async close() {
      await Promise.all([...agents].map((agent) => agent.destroy().catch(() => {})));
    },
  };
}

function afterError(error: Error, mark: Mark): Sent {
  const reason = (error as NodeJS.ErrnoException).code ?? error.message;
  return mark.left ? { is: 'in_doubt', reason, late: Promise.resolve(null) } : { is: 'unreachable', reason };
}

/** Not written within the time: the connection is taken down first, and only then it is sure that nothing left. */
async function giveUp(agent: Agent, closed: Promise<{ answer: DeviceAnswer } | { error: Error }>, mark: Mark): Promise<Sent> {
  await agent.destroy().catch(() => {});
  const end = await closed;
  if ('answer' in end) return { is: 'answered', answer: end.answer };
  return afterError(end.error, mark);
}

function timeout(ms: number): Promise<'timeout'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('timeout'), ms).unref();
  });
}
