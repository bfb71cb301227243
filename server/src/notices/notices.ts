import { randomBytes } from 'node:crypto';
import type { Alerts } from '../alerts/index.ts';
import type { Follower, Recorder } from '../audit/index.ts';
import { holdDataKey } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Messenger } from '../ports/messenger.ts';
import { findReceipt } from '../receipts/index.ts';
import {
  endNotice,
  endSubscriber,
  findSubscriber,
  insertNotice,
  insertSubscriber,
  listSubscribers,
  type Notice,
  replaceSecret,
  replayNotice,
  type Subscriber,
  takeNotices,
} from './notice.store.ts';

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
const delaysMs = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000];
const overlapMs = 24 * 3_600_000;
const leaseMs = 2 * 60_000;
const subscribersMax = 10;
const batch = 50;
const fieldOf = (id: string) => `subscriber:${id}`;

/** Follows the trail: what happened to a receipt is told to whoever asked for it, once it stands in the chain. */
export const tellOfReceipts =
  (ports: { clock: Clock; newId: NewId; touch(businessId: string): void }): Follower =>
  async (tx, ctx, entries) => {
    const told = entries.flatMap((entry) => (events[entry.action] ? [{ entry, event: events[entry.action] as string }] : []));
    if (told.length === 0) return;
    const subscribers = await listSubscribers(tx);
    if (subscribers.length === 0) return;
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
      for (const subscriber of subscribers.filter((each) => each.events.includes(event)))
        await insertNotice(tx, ctx.businessId, { id: ports.newId('notice'), subscriberId: subscriber.id, event, body }, ports.clock.now());
    }
    ports.touch(ctx.businessId);
  };

/** Tells whoever asked for it of something that is no receipt, in the transaction that finds it. */
export const notify =
  (ports: { clock: Clock; newId: NewId; touch(businessId: string): void }) =>
  async (tx: Tx, ctx: Context, event: string, data: object): Promise<void> => {
    const subscribers = (await listSubscribers(tx)).filter((each) => each.events.includes(event));
    const at = ports.clock.now();
    const body = JSON.stringify({ type: event, timestamp: at.toISOString(), data });
    for (const { id } of subscribers) await insertNotice(tx, ctx.businessId, { id: ports.newId('notice'), subscriberId: id, event, body }, at);
    if (subscribers.length > 0) ports.touch(ctx.businessId);
  };

/** Sends what is due, some at a time. Says how many; none: there is no more. */
export const sendDue =
  (ports: Pick<Ports, 'vault' | 'clock'> & { messenger: Messenger; alerts: Pick<Alerts, 'raise' | 'settle'> }) =>
  async (ctx: Context): Promise<number> => {
    const now = ports.clock.now();
    const due = await ctx.transaction((tx) => takeNotices(tx, now, new Date(now.getTime() + leaseMs), batch));
    if (due.length === 0) return 0;
    // In this order: the key is held while the secrets that were sealed with it are read.
    const { subscribers, dataKey } = await ctx.transaction(async (tx) => ({ dataKey: await holdDataKey(tx), subscribers: await listSubscribers(tx) }));
    const open = (subscriber: Subscriber, sealed: string) => ports.vault.open(dataKey, ctx.businessId, fieldOf(subscriber.id), sealed);
    for (const notice of due) {
      const to = subscribers.find((each) => each.id === notice.subscriberId);
      if (!to) continue;
      const secrets = [open(to, to.secret)];
      if (to.previousSecret && to.previousUntil && to.previousUntil > now) secrets.push(open(to, to.previousSecret));
      const sent = await ports.messenger.send({ url: to.url, id: notice.id, at: ports.clock.now(), body: notice.body, secrets });
      await ctx.transaction(async (tx) => {
        const end = after(notice, sent, ports.clock.now());
        await endNotice(tx, end);
        if (end.state === 'failed') await ports.alerts.raise(tx, ctx, to.id, { code: 'subscriber_unreachable', url: to.url });
        if (end.state === 'delivered') await ports.alerts.settle(tx, ctx, to.id, ['subscriber_unreachable']);
      });
    }
    return due.length;
  };

function after(notice: Notice, sent: Awaited<ReturnType<Messenger['send']>>, at: Date): Parameters<typeof endNotice>[1] {
  const tries = notice.tries + 1;
  if (sent.status !== null && sent.status >= 200 && sent.status < 300)
    return { id: notice.id, state: 'delivered', tries, lastStatus: sent.status, lastError: null, nextAt: null, deliveredAt: at };
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

export type NewSubscriber = { subscriber: Subscriber; secret: string };
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** Addresses of the business's own, each with a secret that is answered once. */
export const subscribers = (ports: Ports) => {
  const seal = async (tx: Tx, ctx: Context, id: string, secret: string) => ports.vault.seal(await holdDataKey(tx), ctx.businessId, fieldOf(id), secret);
  return {
    list: (ctx: Context) => ctx.transaction(listSubscribers),
    async add(ctx: Context, ask: { url: string; events: string[] }): Promise<NewSubscriber> {
      const id = ports.newId('subscriber');
      const secret = newSecret();
      const subscriber = await ctx.transaction(async (tx) => {
        const sealed = await seal(tx, ctx, id, secret);
        if ((await listSubscribers(tx)).length >= subscribersMax) throw new AppError('malformed', { field: 'url', reason: 'ten addresses at most' });
        await insertSubscriber(tx, ctx.businessId, { id, url: ask.url, events: ask.events, secret: sealed }, ports.clock.now());
        await ports.record(tx, ctx, { action: 'subscriber.added', subject: id, after: { url: ask.url, events: ask.events } });
        return (await findSubscriber(tx, id)) as Subscriber;
      });
      return { subscriber, secret };
    },
    /** For a day messages carry both signatures, so that nothing is refused while the new secret is put in. */
    async rotate(ctx: Context, id: string): Promise<NewSubscriber> {
      const secret = newSecret();
      const subscriber = await ctx.transaction(async (tx) => {
        const sealed = await seal(tx, ctx, id, secret);
        if (!(await findSubscriber(tx, id))) throw new AppError('not_found');
        await replaceSecret(tx, id, sealed, new Date(ports.clock.now().getTime() + overlapMs));
        await ports.record(tx, ctx, { action: 'subscriber.rotated', subject: id });
        return (await findSubscriber(tx, id)) as Subscriber;
      });
      return { subscriber, secret };
    },
    remove: (ctx: Context, id: string): Promise<void> =>
      ctx.transaction(async (tx) => {
        if (!(await findSubscriber(tx, id))) throw new AppError('not_found');
        await endSubscriber(tx, id, ports.clock.now());
        await ports.record(tx, ctx, { action: 'subscriber.removed', subject: id });
      }),
    replay: (ctx: Context, noticeId: string): Promise<Notice> =>
      ctx.transaction(async (tx) => {
        const notice = await replayNotice(tx, noticeId, ports.clock.now());
        if (!notice) throw new AppError('not_found');
        await ports.record(tx, ctx, { action: 'notice.replayed', subject: noticeId });
        return notice;
      }),
  };
};
