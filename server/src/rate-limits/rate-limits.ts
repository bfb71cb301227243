import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Context, Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { networkOf } from '../platform/http/network-of.ts';
import type { TokenLimits } from '../platform/http/token-gate.ts';
import type { RunJob } from '../platform/run-job.ts';
import { addUsage, listUsage, type Quotas, readQuotas } from './usage.store.ts';

/**
 * What a caller may ask for in a minute and a day. A business's own quotas stand in its row and
 * win.
 */
export type Limits = {
  businessPerMinute: number;
  personPerMinute: number;
  addressPerMinute: number;
  requestsPerDay: number;
  /**
   * Changes of how a business is set up: each stands in its log for good, with what was before and
   * after.
   */
  changesPerMinute: number;
  changesPerDay: number;
  /**
   * Webhooks that are believed: whoever has the secret of their own address may send as many as
   * they like, and each is kept.
   */
  deliveriesPerMinute: number;
  deliveriesPerDay: number;
};

export const defaultLimits: Limits = {
  businessPerMinute: 6_000,
  personPerMinute: 3_000,
  addressPerMinute: 600,
  requestsPerDay: 500_000,
  changesPerMinute: 600,
  changesPerDay: 10_000,
  deliveriesPerMinute: 6_000,
  deliveriesPerDay: 200_000,
};

type Spent = { limit: number; left: number; resetSeconds: number; dayLeft: number | null };

export type RateLimits = TokenLimits & {
  /** Counts a call before sign-in, by address. Throws `rate_limited`. */
  ofAddress(address: string): Promise<Spent>;
  /**
   * Counts a call of a session. Throws `rate_limited`, or `quota_used_up` except for sealing, which
   * is never held up by a quota.
   */
  ofSession(session: Session, isSealing: boolean): Promise<Spent>;
  /**
   * Counts a change of how a business is set up, besides. Throws `rate_limited`; whatever else it
   * does goes on.
   */
  ofChange(businessId: string): Promise<void>;
  /**
   * Counts a webhook that is believed. Throws `rate_limited`: what it told of is found by the next
   * look at what has changed.
   */
  ofDelivery(businessId: string): Promise<void>;
  /** Writes the counters of this process to the database; called now and then and at the end. */
  flush(): Promise<void>;
  report(ctx: Context, days: number): Promise<{ day: string; what: string; used: number }[]>;
  /** The operator has set other quotas: read anew at the next call. */
  forget(businessId: string): void;
  limitsNow(businessId: string): {
    minute: { limit: number; left: number };
    day: { limit: number; used: number };
  };
};

/**
 * Limits are per process, like the memory they are kept in: n processes allow n times as much,
 * which bounds a flood all the same.
 */
export function rateLimitsOf(ports: {
  clock: Clock;
  run: RunJob;
  contextOf(businessId: string): Context;
  limits: Limits;
}): RateLimits {
  const { limits, clock } = ports;
  const limiter = (points: number, duration = 60) => new RateLimiterMemory({ points, duration });
  const daySeconds = 86_400;
  const byLimit = new Map<number, RateLimiterMemory>();
  const businesses = (limit: number): RateLimiterMemory => {
    const found = byLimit.get(limit) ?? limiter(limit);
    byLimit.set(limit, found);
    return found;
  };
  const quotas = new Map<string, { is: Quotas; until: number }>();
  const quotasMs = 60_000;
  const quotasOf = async (businessId: string): Promise<Quotas> => {
    const known = quotas.get(businessId);
    if (known && known.until > clock.now().getTime()) return known.is;
    const is = await ports.contextOf(businessId).transaction(readQuotas);
    if (quotas.size > 10_000) quotas.clear();
    quotas.set(businessId, { is, until: clock.now().getTime() + quotasMs });
    return is;
  };
  const limitsOf = (is: Quotas | undefined) => ({
    minute: is?.requests_per_minute ?? limits.businessPerMinute,
    day: is?.requests_per_day ?? limits.requestsPerDay,
  });
  const people = limiter(limits.personPerMinute);
  const addresses = limiter(limits.addressPerMinute);
  const refusedTokens = limiter(limits.addressPerMinute);
  const changes = [limiter(limits.changesPerMinute), limiter(limits.changesPerDay, daySeconds)];
  const deliveries = [
    limiter(limits.deliveriesPerMinute),
    limiter(limits.deliveriesPerDay, daySeconds),
  ];
  const counted = new Map<string, { day: string; fresh: number; known: number }>();
  const ended: { businessId: string; day: string; fresh: number }[] = [];
  const latest = new Map<string, number>();

  const spend = async (from: RateLimiterMemory, key: string): Promise<RateLimiterRes> => {
    try {
      return await from.consume(key);
    } catch (error) {
      const seconds = Math.max(1, Math.ceil((error as RateLimiterRes).msBeforeNext / 1000));
      throw new AppError('rate_limited', { retry_after_s: seconds });
    }
  };
  const today = () => clock.now().toISOString().slice(0, 10);
  const entryOf = (businessId: string) => {
    const day = today();
    const entry = counted.get(businessId);
    if (entry?.day === day) return entry;
    // What the day before still holds is written with the next flush.
    if (entry && entry.fresh > 0) ended.push({ businessId, day: entry.day, fresh: entry.fresh });
    const made = { day, fresh: 0, known: 0 };
    counted.set(businessId, made);
    return made;
  };
  const toSpent = (left: RateLimiterRes, limit: number, dayLeft: number | null): Spent => ({
    limit,
    left: left.remainingPoints,
    resetSeconds: Math.ceil(left.msBeforeNext / 1000),
    dayLeft,
  });

  return {
    ofAddress: async (address) =>
      toSpent(await spend(addresses, networkOf(address)), limits.addressPerMinute, null),
    async refusedToken(network) {
      await spend(refusedTokens, network);
    },
    async turnedAwaySeconds(network) {
      const counted = await refusedTokens.get(network);
      return counted && counted.consumedPoints >= limits.addressPerMinute
        ? Math.max(1, Math.ceil(counted.msBeforeNext / 1000))
        : 0;
    },
    async ofChange(businessId) {
      for (const each of changes) await spend(each, businessId);
    },
    async ofDelivery(businessId) {
      for (const each of deliveries) await spend(each, businessId);
    },
    async ofSession(session, isSealing) {
      const businessId = session.business?.membership.businessId ?? null;
      const person = await spend(people, session.person.id);
      if (!businessId) return toSpent(person, limits.personPerMinute, null);
      const { minute, day } = limitsOf(await quotasOf(businessId));
      const business = await spend(businesses(minute), businessId);
      latest.set(businessId, business.remainingPoints);
      const entry = entryOf(businessId);
      const used = entry.known + entry.fresh;
      if (used >= day && !isSealing) {
        const midnight = new Date(`${entry.day}T00:00:00Z`).getTime() + 86_400_000;
        throw new AppError('quota_used_up', {
          resets_at: new Date(midnight).toISOString(),
          retry_after_s: Math.ceil((midnight - clock.now().getTime()) / 1000),
        });
      }
      entry.fresh += 1;
      return toSpent(business, minute, Math.max(0, day - used - 1));
    },
    async flush() {
      for (const each of ended.splice(0)) {
        const write = () =>
          ports
            .contextOf(each.businessId)
            .transaction((tx) => addUsage(tx, each.businessId, each.day, 'requests', each.fresh));
        if (!(await ports.run(each.businessId, 'usage', write))) ended.push(each);
      }
      for (const [businessId, entry] of counted) {
        if (entry.day !== today() && entry.fresh === 0) counted.delete(businessId);
        const { fresh } = entry;
        if (fresh === 0) continue;
        entry.fresh = 0;
        const isWritten = await ports.run(businessId, 'usage', async () => {
          entry.known = await ports
            .contextOf(businessId)
            .transaction((tx) => addUsage(tx, businessId, entry.day, 'requests', fresh));
        });
        if (!isWritten) entry.fresh += fresh;
      }
    },
    report: (ctx, days) =>
      ctx.transaction((tx) =>
        listUsage(
          tx,
          new Date(clock.now().getTime() - (days - 1) * 86_400_000).toISOString().slice(0, 10),
        ),
      ),
    forget: (businessId) => void quotas.delete(businessId),
    limitsNow(businessId) {
      const entry = entryOf(businessId);
      const { minute, day } = limitsOf(quotas.get(businessId)?.is);
      return {
        minute: { limit: minute, left: Math.min(minute, latest.get(businessId) ?? minute) },
        day: { limit: day, used: entry.known + entry.fresh },
      };
    },
  };
}
