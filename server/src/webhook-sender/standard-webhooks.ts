import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import type { AddressPolicy } from '../platform/address-policy.ts';
import type { WebhookSender } from '../ports/webhook-sender.ts';

/**
 * For one whole exchange, from the first question to a name server to the last byte of the head.
 */
const exchangeMs = 15_000;
const headBytesMax = 16 << 10;

/**
 * Messages as Standard Webhooks has them: id, time and one signature per secret in force in their
 * headers. The address is hostile like a device's: resolved once and pinned, inner networks refused
 * unless the operator allows them, no redirect followed. The answer is its status: not a byte of
 * its body is waited for, so that nobody can make it last.
 */
export function standardWebhooks(
  policy: AddressPolicy,
  timeoutMs = exchangeMs,
): WebhookSender & { close(): void } {
  const closing = new AbortController();
  return {
    async send({ businessId, url, id, at, body, secrets }) {
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), closing.signal]);
      const resolved = await policy.resolve(url, businessId);
      if ('refused' in resolved) return { status: null, error: resolved.refused };
      if ('unknown' in resolved) return { status: null, error: resolved.unknown };
      const { address, family } = resolved;
      const agent = new Agent({
        connect: {
          timeout: 5_000,
          lookup: (_host, _options, done) => done(null, [{ address, family }]),
        },
        headersTimeout: timeoutMs,
        maxHeaderSize: headBytesMax,
      });
      try {
        const answer = await request(resolved.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'Muhuri',
            'webhook-id': id,
            'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
            'webhook-signature': secrets
              .map((secret) => new Webhook(secret).sign(id, at, body))
              .join(' '),
          },
          body,
          dispatcher: agent,
          signal,
        });
        answer.body.on('error', () => {}).destroy();
        return {
          status: answer.statusCode,
          error: answer.statusCode < 300 ? null : `HTTP ${answer.statusCode}`,
        };
      } catch (error) {
        // Whether a port inside a network is closed, silent or something else is that network's own
        // matter.
        return {
          status: null,
          error: resolved.isInner ? 'no answer' : `no answer (${codeOf(error)})`,
        };
      } finally {
        await agent.destroy();
      }
    },
    close: () => closing.abort(),
  };
}

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code?.toString() ?? (error as Error).name;
