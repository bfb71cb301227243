import type { Alerts } from '../alerts/index.ts';
import { holdDataKey } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { RunJob } from '../platform/run-job.ts';
import type { WebhookSender } from '../ports/webhook-sender.ts';
import {
  claimMessages,
  endMessage,
  findEndpoint,
  listEndpoints,
  releaseMessages,
  type WebhookMessage,
} from './webhook.store.ts';
import { fieldOf, type Ports } from './webhook-ports.ts';

/** As Standard Webhooks recommends: soon, then ever more seldom, over three days. */
const delaysMs = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];
/** Longer than a batch can take: each message has fifteen seconds. */
const leaseMs = 6 * 60_000;
const batch = 20;

export type Sending = {
  /**
   * Begins to send what is due to each address that nothing is being sent to yet; answers once that
   * has begun.
   */
  begin(ctx: Context): Promise<void>;
  /** Once nothing is being sent. */
  idle(): Promise<void>;
};

/**
 * Sends the messages that are due. Each address has a turn of its own: one that is slow or never
 * answers holds up its own messages and nobody else's.
 */
export function deliverDue(
  ports: Pick<Ports, 'vault' | 'clock'> & {
    messenger: WebhookSender;
    alerts: Pick<Alerts, 'raise' | 'resolve'>;
    run: RunJob;
  },
): Sending {
  const running = new Map<string, { isAsked: boolean; done: Promise<void> }>();

  const begin = (ctx: Context, endpointId: string): void => {
    const known = running.get(endpointId);
    if (known) {
      known.isAsked = true;
      return;
    }
    const run = { isAsked: false, done: Promise.resolve() };
    running.set(endpointId, run);
    run.done = ports
      .run(ctx.businessId, `notices.${endpointId}`, () => sendTo(ports, ctx, endpointId))
      .then(() => {})
      .finally(() => {
        running.delete(endpointId);
        if (run.isAsked) begin(ctx, endpointId);
      });
  };

  return {
    async begin(ctx) {
      for (const { id } of await ctx.transaction(listEndpoints)) begin(ctx, id);
    },
    async idle() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

/**
 * What is due to one address, until nothing is or it does not answer: the rest is given back, and
 * is due again at the next look.
 */
async function sendTo(
  ports: Parameters<typeof deliverDue>[0],
  ctx: Context,
  endpointId: string,
): Promise<void> {
  for (;;) {
    const now = ports.clock.now();
    const { to, dataKey, due } = await ctx.transaction(async (tx) => {
      // In this order: the key is held while the secrets that were sealed with it are read.
      const dataKey = await holdDataKey(tx);
      const endpoint = await findEndpoint(tx, endpointId);
      return {
        to: endpoint,
        dataKey,
        due: endpoint
          ? await claimMessages(tx, endpointId, now, new Date(now.getTime() + leaseMs), batch)
          : [],
      };
    });
    if (!to || due.length === 0) return;
    const open = (sealed: string) =>
      ports.vault.decrypt(dataKey, ctx.businessId, fieldOf(to.id), sealed);
    const left = new Set(due.map(({ id }) => id));
    try {
      const secrets = [open(to.secret)];
      if (to.previousSecret && to.previousUntil && to.previousUntil > now)
        secrets.push(open(to.previousSecret));
      for (const message of due) {
        const { businessId } = ctx;
        const sent = await ports.messenger.send({
          businessId,
          url: to.url,
          id: message.id,
          at: ports.clock.now(),
          body: message.body,
          secrets,
        });
        await ctx.transaction(async (tx) => {
          const end = after(message, sent, ports.clock.now());
          await endMessage(tx, end);
          if (end.state === 'failed')
            await ports.alerts.raise(tx, ctx, to.id, {
              code: 'subscriber_unreachable',
              url: to.url,
            });
          if (end.state === 'delivered')
            await ports.alerts.resolve(tx, ctx, to.id, ['subscriber_unreachable']);
        });
        left.delete(message.id);
        if (sent.status === null) return;
      }
    } finally {
      if (left.size > 0) await ctx.transaction((tx) => releaseMessages(tx, [...left]));
    }
  }
}

function after(
  message: WebhookMessage,
  sent: Awaited<ReturnType<WebhookSender['send']>>,
  at: Date,
): Parameters<typeof endMessage>[1] {
  const tries = message.tries + 1;
  if (sent.status !== null && sent.status >= 200 && sent.status < 300)
    return {
      id: message.id,
      state: 'delivered',
      tries,
      lastStatus: sent.status,
      lastError: null,
      nextAt: null,
      deliveredAt: at,
    };
  const delay = delaysMs[tries - 1];
  return {
    id: message.id,
    // 410 says: never again.
    state: delay === undefined || sent.status === 410 ? 'failed' : 'waiting',
    tries,
    lastStatus: sent.status,
    lastError: sent.error?.slice(0, 300) ?? null,
    nextAt: delay === undefined || sent.status === 410 ? null : new Date(at.getTime() + delay),
    deliveredAt: null,
  };
}
