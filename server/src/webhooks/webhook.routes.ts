import { notices } from '@muhuri/shared/contract/index';
import type { Maker } from '../access/index.ts';
import { route, type Call } from '../platform/http/route.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import type {
  listMessages,
  NewEndpoint,
  WebhookMessage,
  WebhookEndpoint,
  webhookEndpoints,
} from './index.ts';

type Use = {
  subscribers: ReturnType<typeof webhookEndpoints>;
  listNotices(
    ctx: Call['ctx'],
    page: Parameters<typeof listMessages>[1],
  ): ReturnType<typeof listMessages>;
  madeBy(ctx: Call['ctx'], ids: string[]): Promise<Map<string, Maker>>;
  touch(businessId: string): void;
};

export const noticeRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  const views = async (call: Call, all: WebhookEndpoint[]) => {
    const makers = await use.madeBy(
      call.ctx,
      all.map((each) => each.id),
    );
    return all.map((each) => subscriberView(each, makers.get(each.id) ?? null));
  };
  const newView = async (call: Call, { endpoint, secret }: NewEndpoint) => {
    const [view] = await views(call, [endpoint]);
    return { subscriber: view as ReturnType<typeof subscriberView>, secret };
  };
  return [
    route(notices.listSubscribers)(async (call) => ({
      subscribers: await views(call, await use.subscribers.list(call.ctx)),
      next_cursor: null,
    })),
    route(notices.addSubscriber)(async (call, { input }) =>
      newView(call, await use.subscribers.add(call.ctx, input)),
    ),
    route(notices.rotateSubscriber)(async (call) =>
      newView(call, await use.subscribers.rotate(call.ctx, id(call))),
    ),
    route(notices.removeSubscriber)(async (call) => {
      await use.subscribers.remove(call.ctx, id(call));
      return { removed: true as const };
    }),
    route(notices.listNotices)(async (call, { query: { limit, cursor } }) => {
      const found = await use.listNotices(call.ctx, {
        limit: limit + 1,
        after: readCursor(cursor),
      });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        notices: shown.map(noticeView),
        next_cursor: found.length > limit && last ? cursorOf(last.createdAt, last.id) : null,
      };
    }),
    route(notices.replayNotice)(async (call) => {
      const message = await use.subscribers.replay(call.ctx, id(call));
      use.touch(call.ctx.businessId);
      return noticeView(message);
    }),
  ];
};

const subscriberView = (endpoint: WebhookEndpoint, maker: Maker | null) => ({
  id: endpoint.id,
  url: endpoint.url,
  events: endpoint.events,
  made_by: maker,
  created_at: endpoint.createdAt.toISOString(),
});
const noticeView = (message: WebhookMessage) => ({
  id: message.id,
  subscriber_id: message.endpointId,
  event: message.event,
  state: message.state,
  tries: message.tries,
  last_status: message.lastStatus,
  last_error: message.lastError,
  created_at: message.createdAt.toISOString(),
  next_at: message.nextAt?.toISOString() ?? null,
  delivered_at: message.deliveredAt?.toISOString() ?? null,
});
