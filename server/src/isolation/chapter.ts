import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Round } from '../platform/jobs.ts';
import type { Runtime } from '../platform/runtime.ts';
import { topic } from '../platform/signals.ts';
import { listCrossBusinessAccess } from './denied-lookup.store.ts';
import { detectAccess } from './detect-access.ts';
import { idsInRequest } from './ids-in-request.ts';
import { isolationRoutes } from './isolation.routes.ts';

const lookupsDenied = topic('lookups denied');
const inspecting: Round = {
  name: 'misses_all',
  everyMs: 60_000,
  woken: { name: 'misses', everyMs: 5_000, by: [lookupsDenied] },
  actor: 'walls',
  drain: 'first',
};

/** Opens the chapter that notices who asks for another business's data. */
export function openIsolation(runtime: Runtime, needs: { record: Recorder; alerts: Alerts }) {
  const { database, clock, newId, log, background } = runtime;
  const { inspect, recordDeniedLookups, recordMismatch } = detectAccess({
    database,
    clock,
    newId,
    log,
    record: needs.record,
    alerts: needs.alerts,
    contextOf: runtime.contextFor('walls'),
    tell: (attempt) => runtime.tellOperator('cross_business_access', attempt),
    touch: runtime.raising(lookupsDenied),
    background,
  });
  return chapter({
    walls: { recordDeniedLookups, recordMismatch, idsInRequest },
    routes: isolationRoutes({
      listAttempts: (page) => database.platform((tx) => listCrossBusinessAccess(tx, page)),
    }),
    jobs: [{ round: inspecting, name: 'misses', forBusiness: inspect }],
  });
}
