import { findMakers } from '../access/index.ts';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Round } from '../platform/jobs.ts';
import type { RunJob } from '../platform/run-job.ts';
import type { Runtime } from '../platform/runtime.ts';
import { topic } from '../platform/signals.ts';
import type { WebhookSender } from '../ports/webhook-sender.ts';
import { deliverDue } from './deliver-due.ts';
import { webhookEndpoints } from './endpoints.ts';
import { queueEvent, queueReceiptEvents } from './queue-events.ts';
import { noticeRoutes } from './webhook.routes.ts';
import { deleteOldMessages, listMessages } from './webhook.store.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  jobHealth: { run: RunJob };
  sender: WebhookSender & { close(): void };
};

const messagesDue = topic('messages due');
/**
 * A round of its own: an address of a business that never answers must not hold up what is to be
 * signed for it.
 */
const telling: Round = {
  name: 'tell_all',
  everyMs: 60_000,
  woken: { name: 'tell', everyMs: 300, by: [messagesDue] },
  actor: 'notices',
  severalAs: 'telling of receipts',
  drain: 'work',
};

/** Opens the chapter that tells other programs of a business what happened. */
export function openWebhooks(runtime: Runtime, needs: Needs) {
  const { database, vault, clock, newId } = runtime;
  const { record, alerts, jobHealth, sender } = needs;
  const touch = runtime.raising(messagesDue);
  const sending = deliverDue({ vault, clock, alerts, messenger: sender, run: jobHealth.run });
  return chapter({
    queueEvent: queueEvent({ clock, newId, touch }),
    routes: noticeRoutes({
      subscribers: webhookEndpoints({ vault, clock, newId, record }),
      madeBy: findMakers({ database }, 'subscriber.added'),
      listNotices: (ctx, page) => ctx.transaction((tx) => listMessages(tx, page)),
      touch,
    }),
    auditListeners: [queueReceiptEvents({ clock, newId, touch })],
    jobs: [{ round: telling, name: 'notices', forBusiness: sending.begin, idle: sending.idle }],
    retention: [{ what: 'messages', keepDays: 30, scope: 'business', delete: deleteOldMessages }],
    close: () => sender.close(),
  });
}
