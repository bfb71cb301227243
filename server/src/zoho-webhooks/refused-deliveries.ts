import { LRUCache } from 'lru-cache';
import type { Alerts } from '../alerts/index.ts';
import type { Context } from '../context.ts';
import type { Log } from '../platform/log.ts';
import { type Delivery, insertDelivery, type Verdict } from './delivery.store.ts';
import { knownMax } from './known-addresses.ts';
import { countRefusal, isAttack, type RefusalCount } from './refusals.model.ts';
import type { WebhookAddress } from './webhook-address.store.ts';

type Ports = { log: Log; alerts: Pick<Alerts, 'raise'> };

/** What could not be read of a delivery, for whoever mends the rule that sent it. */
export type UnreadPart = { field: string; sent_as: string | null; value?: string };

/** Keeps a refused delivery and says its verdict. */
export type RefuseDelivery = (
  ctx: Context,
  hook: WebhookAddress,
  delivery: Delivery,
  unread?: UnreadPart | null,
) => Promise<Verdict>;

/** Keeps a refused delivery with a digest of its body, and alerts the business if many come. */
export function refusedDeliveries(ports: Ports): RefuseDelivery {
  const counts = new LRUCache<string, RefusalCount>({ max: knownMax });
  return async (ctx, hook, delivery, unread = null) => {
    const { verdict } = delivery;
    const fate = countRefusal(counts.get(hook.id), verdict, delivery.at.getTime());
    counts.set(hook.id, fate.count);
    if (!fate.isKept && !fate.isCluster) return verdict;
    await ctx.transaction(async (tx) => {
      if (fate.isKept) await insertDelivery(tx, ctx.businessId, delivery);
      if (fate.isCluster)
        await ports.alerts.raise(tx, ctx, hook.id, {
          code: isAttack(verdict) ? 'webhooks_forged' : 'webhooks_malformed',
          verdict,
          ...unread,
        });
    });
    if (isAttack(verdict))
      ports.log.warn(
        { business_id: ctx.businessId, hook: hook.id, verdict },
        'a webhook was not believed',
      );
    return verdict;
  };
}
