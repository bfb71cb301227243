import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import type { Messenger } from '../ports/messenger.ts';
import type { AddressPolicy } from '../platform/address-policy.ts';

const timeoutMs = 15_000;
const answerBytesMax = 64 << 10;

/**
 * Messages as Standard Webhooks has them: id, time and one signature per secret in force in their headers. The address is hostile like a
 * device's: resolved once and pinned, inner networks refused unless the operator allows them, no redirect followed, bounded in time and size.
 */
export const standardWebhooks = (policy: AddressPolicy): Messenger => ({
  async send({ url, id, at, body, secrets }) {
    const resolved = await policy.resolve(url);
    if ('refused' in resolved) return { status: null, error: resolved.refused };
    if ('unknown' in resolved) return { status: null, error: `the name ${resolved.unknown} is not known` };
    const { address, family } = resolved;
    const agent = new Agent({
      connect: { timeout: 5_000, lookup: (_host, _options, done) => done(null, [{ address, family }]) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: answerBytesMax,
    });
    try {
      const answer = await request(resolved.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Muhuri',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
        },
        body,
        dispatcher: agent,
      });
      await answer.body.dump();
      return { status: answer.statusCode, error: answer.statusCode < 300 ? null : `HTTP ${answer.statusCode}` };
    } catch (error) {
      return { status: null, error: (error as Error).message || 'no answer' };
    } finally {
      await agent.destroy();
    }
  },
});
