import { randomBytes } from 'node:crypto';
import { checkRoomForOneMore, holdDataKey } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import {
  endEndpoint,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
  replaceSecret,
  replayMessage,
  type WebhookEndpoint,
  type WebhookMessage,
} from './webhook.store.ts';
import { fieldOf, type Ports } from './webhook-ports.ts';

const overlapMs = 24 * 3_600_000;
const endpointsMax = 10;

export type NewEndpoint = { endpoint: WebhookEndpoint; secret: string };
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

/** Addresses of the business's own, each with a secret that is answered once. */
export const webhookEndpoints = (ports: Ports) => {
  const seal = async (tx: Tx, ctx: Context, id: string, secret: string) =>
    ports.vault.encrypt(await holdDataKey(tx), ctx.businessId, fieldOf(id), secret);
  return {
    list: (ctx: Context) => ctx.transaction(listEndpoints),
    async add(ctx: Context, ask: { url: string; events: string[] }): Promise<NewEndpoint> {
      const id = ports.newId('webhook_endpoint');
      const secret = newSecret();
      const endpoint = await ctx.transaction(async (tx) => {
        const full = new AppError('malformed', { field: 'url', reason: 'ten addresses at most' });
        await checkRoomForOneMore(
          tx,
          endpointsMax,
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
      return { endpoint, secret };
    },
    /**
     * For a day messages carry both signatures, so that nothing is refused while the new secret is
     * put in.
     */
    async rotate(ctx: Context, id: string): Promise<NewEndpoint> {
      const secret = newSecret();
      const endpoint = await ctx.transaction(async (tx) => {
        const sealed = await seal(tx, ctx, id, secret);
        if (!(await findEndpoint(tx, id))) throw new AppError('not_found');
        await replaceSecret(tx, id, sealed, new Date(ports.clock.now().getTime() + overlapMs));
        await ports.record(tx, ctx, { action: 'subscriber.rotated', subject: id });
        return (await findEndpoint(tx, id)) as WebhookEndpoint;
      });
      return { endpoint, secret };
    },
    remove: (ctx: Context, id: string): Promise<void> =>
      ctx.transaction(async (tx) => {
        if (!(await findEndpoint(tx, id))) throw new AppError('not_found');
        await endEndpoint(tx, id, ports.clock.now());
        await ports.record(tx, ctx, { action: 'subscriber.removed', subject: id });
      }),
    replay: (ctx: Context, messageId: string): Promise<WebhookMessage> =>
      ctx.transaction(async (tx) => {
        const message = await replayMessage(tx, messageId, ports.clock.now());
        if (!message) throw new AppError('not_found');
        await ports.record(tx, ctx, { action: 'notice.replayed', subject: messageId });
        return message;
      }),
  };
};
