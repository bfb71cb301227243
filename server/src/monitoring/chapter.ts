import type { listPeople } from '../access/index.ts';
import type { Alerts } from '../alerts/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import type { TestDevice } from '../devices/index.ts';
import type { JobHealth } from '../job-health/index.ts';
import type { Round } from '../platform/jobs.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import { longestDue } from '../worklist/index.ts';
import { deliverAlerts } from './deliver-alerts.ts';
import { watchDeadlines } from './watch-deadlines.ts';

type Needs = {
  alerts: Alerts;
  dialects: Dialects;
  jobHealth: Pick<JobHealth, 'forgetOld'>;
  access: { listPeople: ReturnType<typeof listPeople> };
  catalogue: { refreshDueLists(ctx: Context): Promise<unknown> };
  devices: { test: TestDevice };
  webhooks: { queueEvent: Parameters<typeof deliverAlerts>[0]['notify'] };
};

/** A deadline is counted in hours: five minutes late is in time. */
const deadlineMinutes = 5;
const watching: Round = {
  name: 'deadlines',
  everyMs: 60_000,
  actor: 'deadlines',
  severalAs: 'watching deadlines',
};

/** Opens the chapter that watches what a business must not miss. */
export function openMonitoring(runtime: Runtime, needs: Needs) {
  const { clock, log, worker, sendMail, publicUrl } = runtime;
  const { alerts, dialects, access, catalogue, devices, webhooks } = needs;
  const watchOver = watchDeadlines({
    dialects,
    longestDue,
    alerts,
    testDevice: devices.test,
    clock,
    worker,
    minutes: deadlineMinutes,
  });
  const tell = deliverAlerts({
    clock,
    log,
    sendMail,
    publicUrl,
    adminMails: async (ctx) =>
      (await access.listPeople(ctx))
        .filter(
          ({ membership: { role, status } }) => role === 'business_admin' && status === 'active',
        )
        .map(({ email }) => email),
    notify: webhooks.queueEvent,
  });
  return chapter({
    jobs: [
      { round: watching, name: 'authority_lists', forBusiness: catalogue.refreshDueLists },
      { round: watching, name: 'deadlines', forBusiness: watchOver },
      { round: watching, name: 'tell_alerts', forBusiness: tell },
      { round: watching, name: 'health', forBusiness: needs.jobHealth.forgetOld },
    ],
  });
}
