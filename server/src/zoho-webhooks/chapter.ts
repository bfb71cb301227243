import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { ConnectionViewPorts } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { documentsDue, type PollResult } from '../document-sync/index.ts';
import type { JobHealth } from '../job-health/index.ts';
import { openTokenGate } from '../platform/http/token-gate.ts';
import type { PriorityGate } from '../platform/priority-gate.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { BooksSetup } from '../ports/books-setup.ts';
import type { BooksWebhookReader } from '../ports/books-webhooks.ts';
import type { RateLimits } from '../rate-limits/index.ts';
import { deleteOldDeliveries, listDeliveries } from './delivery.store.ts';
import { disconnectOrganization } from './disconnect-organization.ts';
import { installation } from './install.ts';
import { receiveDelivery } from './receive-delivery.ts';
import {
  createWebhookAddress,
  listWebhookAddresses,
  removeWebhookAddress,
  rotateWebhookAddress,
} from './webhook-addresses.ts';
import { readZohoHealth } from './zoho-health.ts';
import { zohoWebhookRoutes } from './zoho-webhook.routes.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  jobHealth: Pick<JobHealth, 'list'>;
  limits: RateLimits;
  reader: BooksWebhookReader;
  books: { setup: BooksSetup };
  documents: { giveWay: PriorityGate; pollNow(ctx: Context): Promise<PollResult[]> };
  connections: {
    view: ConnectionViewPorts;
    disconnect(ctx: Context, id: string): Promise<void>;
  };
};

/** Opens the chapter that hears from Zoho, and sets up there what it tells us by. */
export function openZohoWebhooks(runtime: Runtime, needs: Needs) {
  const { vault, clock, newId, log, publicUrl } = runtime;
  const { record, alerts, limits, books, documents, connections, jobHealth } = needs;
  const addressing = { vault, clock, newId, record, publicUrl };
  const installing = installation({ ...addressing, setup: books.setup });
  const listHooks = listWebhookAddresses({ clock });
  const contextOf = runtime.contextFor('webhook');
  const { receive, expect } = receiveDelivery({
    reader: needs.reader,
    vault,
    clock,
    newId,
    log,
    alerts,
    contextOf: (businessId) => ({
      ...contextOf(businessId),
      transaction: (work) => runtime.webhookDatabase.transaction(businessId, work),
    }),
    touch: runtime.raising(documentsDue),
    giveWay: documents.giveWay,
    limits,
  });
  return chapter({
    listHooks,
    routes: zohoWebhookRoutes({
      listHooks,
      makeHook: createWebhookAddress(addressing),
      rotateHook: rotateWebhookAddress(addressing),
      removeHook: removeWebhookAddress(addressing),
      listDeliveries: (ctx, page) => ctx.transaction((tx) => listDeliveries(tx, page)),
      receive,
      expect: openTokenGate({ look: expect, refusal: 'not_found', limits }).read,
      installation: installing,
      health: readZohoHealth({ clock, jobs: jobHealth }),
      pollNow: documents.pollNow,
      connection: connections.view,
      disconnect: disconnectOrganization({
        uninstall: installing.uninstall,
        disconnect: connections.disconnect,
      }),
    }),
    retention: [
      { what: 'deliveries', keepDays: 30, scope: 'business', delete: deleteOldDeliveries },
    ],
  });
}
