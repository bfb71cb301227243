import { LRUCache } from 'lru-cache';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import { type Quotas, readQuotas } from './usage.store.ts';

type Ports = {
  clock: Clock;
  contextOf(businessId: string): Context;
  limits: { businessPerMinute: number; requestsPerDay: number };
};

/** What a business may ask for in a minute and in a day. */
export type QuotaLimits = { minute: number; day: number };

const quotasMs = 60_000;
const knownMax = 10_000;

/** Knows the quotas of businesses for a while. */
export function knownQuotas({ clock, contextOf, limits }: Ports) {
  const known = new LRUCache<string, { quotas: Quotas; until: number }>({ max: knownMax });
  const quotasOf = async (businessId: string): Promise<Quotas> => {
    const have = known.get(businessId);
    if (have && have.until > clock.now().getTime()) return have.quotas;
    const quotas = await contextOf(businessId).transaction(readQuotas);
    known.set(businessId, { quotas, until: clock.now().getTime() + quotasMs });
    return quotas;
  };
  const limitsFor = (quotas: Quotas | undefined): QuotaLimits => ({
    minute: quotas?.requests_per_minute ?? limits.businessPerMinute,
    day: quotas?.requests_per_day ?? limits.requestsPerDay,
  });
  return {
    limitsOf: async (businessId: string) => limitsFor(await quotasOf(businessId)),
    /** What was known last, without a question to the database. */
    limitsKnown: (businessId: string) => limitsFor(known.get(businessId)?.quotas),
    forget: (businessId: string) => void known.delete(businessId),
  };
}
