import { chapter } from '../chapter.ts';
import type { Round } from '../platform/jobs.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Calendar } from '../ports/calendar.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { RateLimits } from '../rate-limits/index.ts';
import { reportUsage } from './report-usage.ts';
import { countFromAuditLog, countTotals, getStats } from './reports.ts';

type Needs = { dialects: Dialects; limits: RateLimits; calendar: Calendar };

const counting: Round = { name: 'totals', everyMs: 60_000, actor: 'totals', drain: 'last' };

/** Opens the chapter that counts what was done, for the business and for the operator. */
export function openReports({ database, clock }: Runtime, { dialects, limits, calendar }: Needs) {
  const ports = { database, dialects, clock, day: calendar.dayIn };
  const stats = getStats(ports);
  return chapter({
    getStats: stats,
    reportUsage: reportUsage({ usage: limits, getStats: stats, clock }),
    auditListeners: [countFromAuditLog({ dialects })],
    jobs: [{ round: counting, name: 'totals', forBusiness: countTotals(ports) }],
  });
}
