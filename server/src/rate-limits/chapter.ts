import { chapter } from '../chapter.ts';
import type { JobHealth } from '../job-health/index.ts';
import type { Runtime } from '../platform/runtime.ts';
import { defaultLimits, type Limits, rateLimitsOf } from './rate-limits.ts';

/** Opens the chapter that counts what callers ask for, and bounds it. */
export function openRateLimits(
  { clock, contextFor }: Runtime,
  needs: { jobHealth: Pick<JobHealth, 'run'>; limits: Partial<Limits> | undefined },
) {
  const limits = rateLimitsOf({
    clock,
    run: needs.jobHealth.run,
    contextOf: contextFor('usage'),
    limits: { ...defaultLimits, ...needs.limits },
  });
  return chapter({
    limits,
    jobs: [{ name: 'usage', everyMs: 10_000, run: limits.flush, drain: 'first' }],
    flush: limits.flush,
  });
}
