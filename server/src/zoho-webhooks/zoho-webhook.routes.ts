import { oauth, zoho } from '@muhuri/shared/contract/index';
import { connectionView, type ConnectionViewPorts } from '../connections/index.ts';
import { describeProblem } from '@muhuri/shared/problems';
import { route, type Call } from '../platform/http/route.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import type {
  WebhookAddress,
  installation,
  listDeliveries,
  NewWebhookAddress,
  PlannedPart,
  readZohoHealth,
  ReceiveDelivery,
} from './index.ts';
import type { PollResult } from '../document-sync/index.ts';

type Ctx = Call['ctx'];
type Page = Parameters<typeof listDeliveries>[1];
type Delivery = Awaited<ReturnType<typeof listDeliveries>>[number];

type Use = {
  listHooks(ctx: Ctx): Promise<WebhookAddress[]>;
  makeHook(ctx: Ctx, module: WebhookAddress['module']): Promise<NewWebhookAddress>;
  rotateHook(ctx: Ctx, id: string): Promise<NewWebhookAddress>;
  removeHook(ctx: Ctx, id: string): Promise<void>;
  listDeliveries(ctx: Ctx, page: Page): ReturnType<typeof listDeliveries>;
  receive: ReceiveDelivery;
  /** Whose address it is, asked before any byte is read. */
  expect(key: string, address: string): Promise<{ owner: string }>;
  installation: ReturnType<typeof installation>;
  health: ReturnType<typeof readZohoHealth>;
  pollNow(ctx: Ctx): Promise<PollResult[]>;
  connection: ConnectionViewPorts;
  disconnect(ctx: Ctx, id: string): Promise<void>;
};

export const zohoWebhookRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  const plan = async (call: Call) => ({
    parts: (await use.installation.plan(call.ctx)).map(partView),
  });
  const connection = connectionView(use.connection);
  return [
    // Before the paths that take an id.
    route(zoho.listDeliveries)(async (call, { query: { limit, cursor, verdict } }) => {
      const found = await use.listDeliveries(call.ctx, {
        limit: limit + 1,
        after: readCursor(cursor),
        verdict: verdict ?? null,
      });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        deliveries: shown.map(deliveryView),
        next_cursor: found.length > limit && last ? cursorOf(last.at, last.id) : null,
      };
    }),
    route(zoho.receive)(
      async (call) => ({
        received: await use.receive({
          key: call.params.key as string,
          query: call.raw.query,
          raw: call.raw.bytes,
          contentType: call.raw.contentType,
          signature: call.raw.header('x-zoho-webhook-signature'),
          origin: call.from.address || null,
        }),
      }),
      (call) => use.expect(call.params.key as string, call.from.address),
    ),
    route(zoho.listHooks)(async (call) => ({
      webhooks: (await use.listHooks(call.ctx)).map(hookView),
      next_cursor: null,
    })),
    route(zoho.makeHook)(async (call, { input }) =>
      newHookView(await use.makeHook(call.ctx, input.module)),
    ),
    route(zoho.rotateHook)(async (call) => newHookView(await use.rotateHook(call.ctx, id(call)))),
    route(zoho.removeHook)(async (call) => {
      await use.removeHook(call.ctx, id(call));
      return { removed: true as const };
    }),
    route(zoho.installPlan)(plan),
    route(zoho.install)(async (call) => {
      await use.installation.install(call.ctx);
      return plan(call);
    }),
    route(zoho.uninstall)(async (call) => {
      await use.installation.uninstall(call.ctx);
      return plan(call);
    }),
    route(zoho.pollNow)(async (call) => {
      const looked = await use.pollNow(call.ctx);
      return {
        changed: looked.reduce((sum, each) => sum + each.changed, 0),
        modules: looked.map(({ problem, ...each }) => ({
          ...each,
          problem: problem && describeProblem(problem, call.language),
        })),
      };
    }),
    route(zoho.zohoHealth)(async (call) => healthView(await use.health(call.ctx), call.language)),
    route(oauth.disconnect)(async (call) => {
      await use.disconnect(call.ctx, call.params.id as string);
      return connection(call);
    }),
  ];
};

const deliveryView = (delivery: Delivery) => ({
  id: delivery.id,
  webhook_id: delivery.webhookId,
  at: delivery.at.toISOString(),
  verdict: delivery.verdict,
  module: delivery.module,
  document_id: delivery.documentId,
  modified_at: delivery.modifiedAt?.toISOString() ?? null,
  digest: delivery.digest,
  bytes: delivery.bytes,
  origin: delivery.origin,
});

const healthView = (health: Awaited<ReturnType<Use['health']>>, language: string) => ({
  organization_id: health.organizationId,
  status: health.status,
  calls_today: health.calls.calls,
  failed_today: health.calls.failed,
  median_ms: health.calls.medianMs,
  p99_ms: health.calls.slowMs,
  last_success_at: health.calls.lastSuccessAt?.toISOString() ?? null,
  quota: health.quota,
  polled: Object.fromEntries(
    Object.entries(health.polled).map(([module, { at, problem }]) => [
      module,
      { at, problem: problem && describeProblem(problem, language) },
    ]),
  ),
  waiting_documents: health.waitingDocuments,
  waiting_writes: health.waitingWrites,
  failed_writes: health.failedWrites,
  failing: health.failing.map(({ job, since, lastAt, failures, problem }) => ({
    job,
    since: since.toISOString(),
    last_at: lastAt.toISOString(),
    failures,
    problem: describeProblem(problem, language),
  })),
});

const hookView = (hook: WebhookAddress) => ({
  id: hook.id,
  module: hook.module,
  prefix: hook.keyPrefix,
  is_signed: hook.secret !== null,
  created_at: hook.createdAt.toISOString(),
  ends_at: hook.endsAt?.toISOString() ?? null,
  last_delivery_at: hook.lastDeliveryAt?.toISOString() ?? null,
});
const newHookView = ({ hook, url, secret }: NewWebhookAddress) => ({
  webhook: hookView(hook),
  url,
  secret,
});
const partView = (part: PlannedPart) => ({
  kind: part.kind,
  name: part.name,
  entity: part.entity,
  is_there: part.isThere,
});
