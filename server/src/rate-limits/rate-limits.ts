import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Context, Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { networkOf } from '../platform/http/client-network.ts';
import type { TokenLimits } from '../platform/http/token-gate.ts';
import type { RunJob } from '../platform/run-job.ts';
import { dayCounters } from './day-counters.ts';
import { limiter, spend } from './limiter.ts';
import { knownQuotas, type QuotaLimits } from './quotas.ts';
import { listUsage } from './usage.store.ts';

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
  /** Forgets the quotas of a business, since the operator has set others: they are read again. */
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
  const quotas = knownQuotas(ports);
  const counters = dayCounters(ports);
  const addresses = limiter(limits.addressPerMinute);
  const changes = [limiter(limits.changesPerMinute), limiter(limits.changesPerDay, daySeconds)];
  const deliveries = [
    limiter(limits.deliveriesPerMinute),
    limiter(limits.deliveriesPerDay, daySeconds),
  ];
  const sessions = sessionLimits(ports, quotas, counters);

  return {
    ofAddress: async (address) =>
      toSpent(await spend(addresses, networkOf(address)), limits.addressPerMinute, null),
    ...tokenLimits(limits.addressPerMinute),
    async ofChange(businessId) {
      for (const each of changes) await spend(each, businessId);
    },
    async ofDelivery(businessId) {
      for (const each of deliveries) await spend(each, businessId);
    },
    ofSession: sessions.ofSession,
    flush: counters.flush,
    report: (ctx, days) =>
      ctx.transaction((tx) =>
        listUsage(
          tx,
          new Date(clock.now().getTime() - (days - 1) * 86_400_000).toISOString().slice(0, 10),
        ),
      ),
    forget: quotas.forget,
    limitsNow: sessions.limitsNow,
  };
}

const daySeconds = 86_400;

const toSpent = (left: RateLimiterRes, limit: number, dayLeft: number | null): Spent => ({
  limit,
  left: left.remainingPoints,
  resetSeconds: Math.ceil(left.msBeforeNext / 1000),
  dayLeft,
});

/** Counts tokens that were refused, by network, and says for how long it is turned away. */
function tokenLimits(most: number): TokenLimits {
  const refusedTokens = limiter(most);
  return {
    async refusedToken(network) {
      await spend(refusedTokens, network);
    },
    async turnedAwaySeconds(network) {
      const counted = await refusedTokens.get(network);
      return counted && counted.consumedPoints >= most
        ? Math.max(1, Math.ceil(counted.msBeforeNext / 1000))
        : 0;
    },
  };
}

/** Counts calls of people and businesses, by the minute and by the day. */
function sessionLimits(
  { limits, clock }: { limits: Limits; clock: Clock },
  quotas: ReturnType<typeof knownQuotas>,
  counters: ReturnType<typeof dayCounters>,
): Pick<RateLimits, 'ofSession' | 'limitsNow'> {
  const people = limiter(limits.personPerMinute);
  const byLimit = new Map<number, RateLimiterMemory>();
  const businesses = (limit: number): RateLimiterMemory => {
    const found = byLimit.get(limit) ?? limiter(limit);
    byLimit.set(limit, found);
    return found;
  };
  const latest = new Map<string, number>();
  return {
    async ofSession(session, isSealing) {
      const businessId = session.business?.membership.businessId ?? null;
      const person = await spend(people, session.person.id);
      if (!businessId) return toSpent(person, limits.personPerMinute, null);
      const { minute, day }: QuotaLimits = await quotas.limitsOf(businessId);
      const business = await spend(businesses(minute), businessId);
      latest.set(businessId, business.remainingPoints);
      const entry = counters.entryOf(businessId);
      const used = entry.known + entry.fresh;
      if (used >= day && !isSealing) throw quotaUsedUp(entry.day, clock.now());
      entry.fresh += 1;
      return toSpent(business, minute, Math.max(0, day - used - 1));
    },
    limitsNow(businessId) {
      const entry = counters.entryOf(businessId);
      const { minute, day } = quotas.limitsKnown(businessId);
      return {
        minute: { limit: minute, left: Math.min(minute, latest.get(businessId) ?? minute) },
        day: { limit: day, used: entry.known + entry.fresh },
      };
    },
  };
}

function quotaUsedUp(day: string, now: Date): AppError {
  const midnight = new Date(`${day}T00:00:00Z`).getTime() + 86_400_000;
  return new AppError('quota_used_up', {
    resets_at: new Date(midnight).toISOString(),
    retry_after_s: Math.ceil((midnight - now.getTime()) / 1000),
  });
}
