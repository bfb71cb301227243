import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';
import { alertRoutes } from './alert.routes.ts';
import { alertsOf } from './alerts.ts';

/** Opens the chapter that tells a business what it must know without asking. */
export function openAlerts({ clock, newId, log }: Runtime, { record }: { record: Recorder }) {
  const alerts = alertsOf({ clock, newId, log, record });
  return chapter({ alerts, routes: alertRoutes(alerts) });
}
