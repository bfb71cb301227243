import type { Alerts } from '../alerts/index.ts';
import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';
import { jobHealth, type JobHealth } from './job-health.ts';

/** Opens the chapter that writes down how work went which no request asked for. */
export function openJobHealth(runtime: Runtime, { alerts }: { alerts: Alerts }) {
  const { database, clock, log } = runtime;
  const health: JobHealth = jobHealth({
    database,
    clock,
    log,
    alerts,
    contextOf: runtime.contextFor('jobs'),
    tell: (about) => runtime.tellOperator('job_failing', about),
  });
  return chapter({ jobHealth: health, jobs: [] });
}
