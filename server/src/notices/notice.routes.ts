import { notices } from '@muhuri/shared/contract/index';
import { answer, type Call } from '../platform/http/answer.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import type { listNotices, NewSubscriber, Notice, Subscriber, subscribers } from './index.ts';

type Use = {
  subscribers: ReturnType<typeof subscribers>;
  listNotices(ctx: Call['ctx'], page: Parameters<typeof listNotices>[1]): ReturnType<typeof listNotices>;
  touch(businessId: string): void;
};

export const noticeRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  return [
    answer(notices.listSubscribers)(async (call) => ({ subscribers: (await use.subscribers.list(call.ctx)).map(subscriberView), next_cursor: null })),
    answer(notices.addSubscriber)(async (call, { input }) => newView(await use.subscribers.add(call.ctx, input))),
    answer(notices.rotateSubscriber)(async (call) => newView(await use.subscribers.rotate(call.ctx, id(call)))),
    answer(notices.removeSubscriber)(async (call) => {
      await use.subscribers.remove(call.ctx, id(call));
      return { removed: true as const };
    }),
    answer(notices.listNotices)(async (call, { query: { limit, cursor } }) => {
      const found = await use.listNotices(call.ctx, { limit: limit + 1, after: readCursor(cursor) });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return { notices: shown.map(noticeView), next_cursor: found.length > limit && last ? cursorOf(last.createdAt, last.id) : null };
    }),
    answer(notices.replayNotice)(async (call) => {
      const notice = await use.subscribers.replay(call.ctx, id(call));
      use.touch(call.ctx.businessId);
      return noticeView(notice);
    }),
  ];
};

const subscriberView = (is: Subscriber) => ({ id: is.id, url: is.url, events: is.events, created_at: is.createdAt.toISOString() });
const newView = ({ subscriber, secret }: NewSubscriber) => ({ subscriber: subscriberView(subscriber), secret });
const noticeView = (is: Notice) => ({
  id: is.id,
  subscriber_id: is.subscriberId,
  event: is.event,
  state: is.state,
  tries: is.tries,
  last_status: is.lastStatus,
  last_error: is.lastError,
  created_at: is.createdAt.toISOString(),
  next_at: is.nextAt?.toISOString() ?? null,
  delivered_at: is.deliveredAt?.toISOString() ?? null,
});
