import { alerts } from '@muhuri/shared/contract/index';
import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import { route } from '../platform/http/route.ts';
import type { Alerts } from './alerts.ts';

export const alertRoutes = (use: Alerts) => [
  route(alerts.listAlerts)(async (call) => ({
    alerts: (await use.list(call.ctx)).map((each) => toView(each, call.language)),
    next_cursor: null,
  })),
  route(alerts.closeAlert)(async (call) =>
    toView(await use.close(call.ctx, call.params.id as string), call.language),
  ),
];

const toView = (
  alert: { id: string; subject: string; problem: StoredProblem; openedAt: Date },
  language: string,
) => ({
  id: alert.id,
  subject: alert.subject,
  problem: describeProblem(alert.problem, language),
  opened_at: alert.openedAt.toISOString(),
});
