import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { RateLimits } from '../rate-limits/index.ts';
import type { GetStats } from './reports.ts';

export type ReportUsage = ReturnType<typeof reportUsage>;

const shownDays = 30;

/**
 * What a business has used of its quotas now, and how much it asked for and sealed on each of the
 * last thirty days.
 */
export const reportUsage =
  (ports: { usage: Pick<RateLimits, 'limitsNow' | 'report'>; getStats: GetStats; clock: Clock }) =>
  async (ctx: Context) => {
    const { minute, day } = ports.usage.limitsNow(ctx.businessId);
    const now = ports.clock.now();
    const used = await ports.usage.report(ctx, shownDays);
    const stats = await ports.getStats(ctx, shownDays);
    const midnight = new Date(
      Date.parse(`${now.toISOString().slice(0, 10)}T00:00:00Z`) + 86_400_000,
    );
    const inAMinute = new Date(now.getTime() + 60_000);
    return {
      quotas: [
        {
          what: 'requests',
          period: 'minute' as const,
          limit: minute.limit,
          used: minute.limit - minute.left,
          left: minute.left,
          resets_at: inAMinute.toISOString(),
        },
        {
          what: 'requests',
          period: 'day' as const,
          limit: day.limit,
          used: day.used,
          left: Math.max(0, day.limit - day.used),
          resets_at: midnight.toISOString(),
        },
      ],
      days: stats.days.map((each) => ({
        day: each.day,
        requests: used
          .filter((row) => row.day === each.day && row.what === 'requests')
          .reduce((sum, row) => sum + row.used, 0),
        receipts: each.signed,
      })),
    };
  };
