import { randomBytes } from 'node:crypto';
import type { Alerts } from '../alerts/index.ts';
import type { AuditListener, Recorder } from '../audit/index.ts';
import { holdDataKey, checkRoomForOneMore } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { RunJob } from '../platform/run-job.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { WebhookSender } from '../ports/webhook-sender.ts';
import { findReceipt } from '../receipts/index.ts';
import {
  endMessage,
  endEndpoint,
  findEndpoint,
  insertMessage,
  insertEndpoint,
  listEndpoints,
  type WebhookMessage,
  releaseMessages,
  replaceSecret,
  replayMessage,
  type WebhookEndpoint,
  claimMessages,
} from './webhook.store.ts';

type Ports = { vault: Vault; clock: Clock; newId: NewId; record: Recorder };

/** What the trail calls it, and what those who are told call it. */
const events: Record<string, string> = {
  'receipt.opened': 'receipt.opened',
  'receipt.signed': 'receipt.signed',
  'receipt.refused': 'receipt.refused',
  'receipt.doubted': 'receipt.in_doubt',
  'receipt.answer_lost': 'receipt.in_doubt',
  'receipt.withdrawn': 'receipt.withdrawn',
  'receipt.settled_not_signed': 'receipt.settled',
};

/** As Standard Webhooks recommends: soon, then ever more seldom, over three days. */
const delaysMs = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];
const overlapMs = 24 * 3_600_000;
/** Longer than a batch can take: each message has fifteen seconds. */
const leaseMs = 6 * 60_000;
const subscribersMax = 10;
const batch = 20;
const fieldOf = (id: string) => `subscriber:${id}`;

/**
 * Follows the trail: what happened to a receipt is told to whoever asked for it, once it stands in
 * the chain.
 */
export const queueReceiptEvents =
  (ports: { clock: Clock; newId: NewId; touch(businessId: string): void }): AuditListener =>
  async (tx, ctx, entries) => {
    const told = entries.flatMap((entry) =>
      events[entry.action] ? [{ entry, event: events[entry.action] as string }] : [],
    );
    if (told.length === 0) return;
    const webhookEndpoints = await listEndpoints(tx);
    if (webhookEndpoints.length === 0) return;
    for (const { entry, event } of told) {
      const receipt = await findReceipt(tx, entry.subject);
      if (!receipt) continue;
      const { signature } = receipt;
      const body = JSON.stringify({
        type: event,
        timestamp: entry.at,
        data: {
          receipt_id: receipt.id,
          module: receipt.module,
          document_id: receipt.documentId,
          document_number: receipt.documentNumber,
          kind: receipt.kind,
          environment: receipt.environment,
          state: receipt.state,
          total: receipt.filed.sale.total,
          currency: receipt.filed.sale.currency,
          ...(event === 'receipt.signed' && signature
            ? {
                receipt_number: signature.receiptNumber,
                total_receipt_number: signature.totalReceiptNumber,
                label: signature.label,
                sdc_id: signature.sdcId,
                receipt_signature: signature.receiptSignature,
                verification_url: signature.verificationUrl,
                signed_at: signature.signedAt.toISOString(),
              }
            : {}),
        },
      });
      for (const subscriber of webhookEndpoints.filter((each) => each.events.includes(event)))
        await insertMessage(
          tx,
          ctx.businessId,
          { id: ports.newId('notice'), endpointId: subscriber.id, event, body },
          ports.clock.now(),
        );
    }
    ports.touch(ctx.businessId);
  };

/** Tells whoever asked for it of something that is no receipt, in the transaction that finds it. */
export const queueEvent =
  (ports: { clock: Clock; newId: NewId; touch(businessId: string): void }) =>
  async (tx: Tx, ctx: Context, event: string, data: object): Promise<void> => {
    const subscribers = (await listEndpoints(tx)).filter((each) => each.events.includes(event));
    const at = ports.clock.now();
    const body = JSON.stringify({ type: event, timestamp: at.toISOString(), data });
    for (const { id } of subscribers)
      await insertMessage(
        tx,
        ctx.businessId,
        { id: ports.newId('notice'), endpointId: id, event, body },
        at,
      );
    if (subscribers.length > 0) ports.touch(ctx.businessId);
  };

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
 * Sends what is due. Each address goes by itself: one that is slow or never answers holds up its
 * own messages and nobody else's.
 */
export function deliverDue(
  ports: Pick<Ports, 'vault' | 'clock'> & {
    messenger: WebhookSender;
    alerts: Pick<Alerts, 'raise' | 'resolve'>;
    run: RunJob;
  },
): Sending {
  const running = new Map<string, { isAsked: boolean; done: Promise<void> }>();

  const begin = (ctx: Context, subscriberId: string): void => {
    const known = running.get(subscriberId);
    if (known) {
      known.isAsked = true;
      return;
    }
    const run = { isAsked: false, done: Promise.resolve() };
    running.set(subscriberId, run);
    run.done = ports
      .run(ctx.businessId, `notices.${subscriberId}`, () => sendTo(ports, ctx, subscriberId))
      .then(() => {})
      .finally(() => {
        running.delete(subscriberId);
        if (run.isAsked) begin(ctx, subscriberId);
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
  subscriberId: string,
): Promise<void> {
  for (;;) {
    const now = ports.clock.now();
    const { to, dataKey, due } = await ctx.transaction(async (tx) => {
      // In this order: the key is held while the secrets that were sealed with it are read.
      const dataKey = await holdDataKey(tx);
      const subscriber = await findEndpoint(tx, subscriberId);
      return {
        to: subscriber,
        dataKey,
        due: subscriber
          ? await claimMessages(tx, subscriberId, now, new Date(now.getTime() + leaseMs), batch)
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
      for (const notice of due) {
        const { businessId } = ctx;
        const sent = await ports.messenger.send({
          businessId,
          url: to.url,
          id: notice.id,
          at: ports.clock.now(),
          body: notice.body,
          secrets,
        });
        await ctx.transaction(async (tx) => {
          const end = after(notice, sent, ports.clock.now());
          await endMessage(tx, end);
          if (end.state === 'failed')
            await ports.alerts.raise(tx, ctx, to.id, {
              code: 'subscriber_unreachable',
              url: to.url,
            });
          if (end.state === 'delivered')
            await ports.alerts.resolve(tx, ctx, to.id, ['subscriber_unreachable']);
        });
        left.delete(notice.id);
        if (sent.status === null) return;
      }
    } finally {
      if (left.size > 0) await ctx.transaction((tx) => releaseMessages(tx, [...left]));
    }
  }
}

function after(
  notice: WebhookMessage,
  sent: Awaited<ReturnType<WebhookSender['send']>>,
  at: Date,
): Parameters<typeof endMessage>[1] {
  const tries = notice.tries + 1;
  if (sent.status !== null && sent.status >= 200 && sent.status < 300)
    return {
      id: notice.id,
      state: 'delivered',
      tries,
      lastStatus: sent.status,
      lastError: null,
      nextAt: null,
      deliveredAt: at,
    };
  const delay = delaysMs[tries - 1];
  return {
    id: notice.id,
    // 410 says: never again.
    state: delay === undefined || sent.status === 410 ? 'failed' : 'waiting',
    tries,
    lastStatus: sent.status,
    lastError: sent.error?.slice(0, 300) ?? null,
    nextAt: delay === undefined || sent.status === 410 ? null : new Date(at.getTime() + delay),
    deliveredAt: null,
  };
}

export type NewEndpoint = { subscriber: WebhookEndpoint; secret: string };
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** Addresses of the business's own, each with a secret that is answered once. */
export const subscribers = (ports: Ports) => {
  const seal = async (tx: Tx, ctx: Context, id: string, secret: string) =>
    ports.vault.encrypt(await holdDataKey(tx), ctx.businessId, fieldOf(id), secret);
  return {
    list: (ctx: Context) => ctx.transaction(listEndpoints),
    async add(ctx: Context, ask: { url: string; events: string[] }): Promise<NewEndpoint> {
      const id = ports.newId('subscriber');
      const secret = newSecret();
      const subscriber = await ctx.transaction(async (tx) => {
        const full = new AppError('malformed', { field: 'url', reason: 'ten addresses at most' });
        await checkRoomForOneMore(
          tx,
          subscribersMax,
          async () => (await listEndpoints(tx)).length,
          full,
        );
        const sealed = await seal(tx, ctx, id, secret);
        await insertEndpoint(
          tx,
          ctx.businessId,
          { id, url: ask.url, events: ask.events, secret: sealed },
          ports.clock.now(),
        );
        await ports.record(tx, ctx, {
          action: 'subscriber.added',
          subject: id,
          after: { url: ask.url, events: ask.events },
        });
        return (await findEndpoint(tx, id)) as WebhookEndpoint;
      });
      return { subscriber, secret };
    },
    /**
     * For a day messages carry both signatures, so that nothing is refused while the new secret is
     * put in.
     */
    async rotate(ctx: Context, id: string): Promise<NewEndpoint> {
      const secret = newSecret();
      const subscriber = await ctx.transaction(async (tx) => {
        const sealed = await seal(tx, ctx, id, secret);
        if (!(await findEndpoint(tx, id))) throw new AppError('not_found');
        await replaceSecret(tx, id, sealed, new Date(ports.clock.now().getTime() + overlapMs));
        await ports.record(tx, ctx, { action: 'subscriber.rotated', subject: id });
        return (await findEndpoint(tx, id)) as WebhookEndpoint;
      });
      return { subscriber, secret };
    },
    remove: (ctx: Context, id: string): Promise<void> =>
      ctx.transaction(async (tx) => {
        if (!(await findEndpoint(tx, id))) throw new AppError('not_found');
        await endEndpoint(tx, id, ports.clock.now());
        await ports.record(tx, ctx, { action: 'subscriber.removed', subject: id });
      }),
    replay: (ctx: Context, noticeId: string): Promise<WebhookMessage> =>
      ctx.transaction(async (tx) => {
        const notice = await replayMessage(tx, noticeId, ports.clock.now());
        if (!notice) throw new AppError('not_found');
        await ports.record(tx, ctx, { action: 'notice.replayed', subject: noticeId });
        return notice;
      }),
  };
};
