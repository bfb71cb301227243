import type { Alerts } from '../alerts/index.ts';
import type { Context } from '../context.ts';
import {
  type ClaimedDelivery,
  claimDeliveries,
  type Delivery,
  setVerdict,
} from './delivery.store.ts';
import { markAddress, type WebhookAddress } from './webhook-address.store.ts';

type Ports = { alerts: Pick<Alerts, 'resolve'> };

type Waiting = {
  delivery: Delivery;
  hook: WebhookAddress;
  done(claimed: ClaimedDelivery): void;
  failed(error: unknown): void;
};
type Gathering = { waiting: Waiting[]; running: number };

const batchMax = 200;
const commitsAtOnce = 2;
/** When a delivery came last is written down so often and no more. */
const markedMs = 60_000;

/** Keeps a delivery, and says what it was; ends once it is committed. */
export type KeepDelivery = (
  ctx: Context,
  hook: WebhookAddress,
  delivery: Delivery,
) => Promise<ClaimedDelivery>;

/**
 * Gathers the deliveries that come while one transaction is being committed for the next. A burst
 * is a few transactions instead of hundreds, and each is answered only once it is kept.
 */
export function deliveryBatches(ports: Ports): KeepDelivery {
  const gathering = new Map<string, Gathering>();
  const next = (ctx: Context, state: Gathering): void => {
    if (state.running < commitsAtOnce && state.waiting.length > 0) {
      state.running += 1;
      void commit(ports, ctx, state.waiting.splice(0, batchMax)).finally(() => {
        state.running -= 1;
        next(ctx, state);
      });
    } else if (state.running === 0) gathering.delete(ctx.businessId);
  };
  return (ctx, hook, delivery) =>
    new Promise((done, failed) => {
      const state = gathering.get(ctx.businessId) ?? { waiting: [], running: 0 };
      gathering.set(ctx.businessId, state);
      state.waiting.push({ delivery, hook, done, failed });
      next(ctx, state);
    });
}

async function commit(ports: Ports, ctx: Context, batch: Waiting[]): Promise<void> {
  try {
    const claimed = await ctx.transaction(async (tx) => {
      const found = await claimDeliveries(
        tx,
        ctx.businessId,
        batch.map((each) => each.delivery),
      );
      for (const { delivery } of batch)
        if (found.get(delivery.id) === 'stale') await setVerdict(tx, delivery.id, 'stale');
      for (const { hook, delivery } of batch) {
        if (
          hook.lastDeliveryAt &&
          delivery.at.getTime() - hook.lastDeliveryAt.getTime() <= markedMs
        )
          continue;
        hook.lastDeliveryAt = delivery.at;
        await markAddress(tx, hook.id, delivery.at);
        await ports.alerts.resolve(tx, ctx, hook.id, ['webhooks_malformed']);
      }
      return found;
    });
    for (const each of batch) each.done(claimed.get(each.delivery.id) ?? 'repeated');
  } catch (error) {
    for (const each of batch) each.failed(error);
  }
}
