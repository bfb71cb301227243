import { z } from 'zod';
import { httpAddress } from '../http-address.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';
import { maker } from './maker.ts';

/**
 * What can be told: of a receipt, once it stands in the chain of activity; of an alert, when it is
 * opened and when it is over.
 */
export const noticeEvents = [
  'receipt.opened',
  'receipt.signed',
  'receipt.refused',
  'receipt.in_doubt',
  'receipt.withdrawn',
  'receipt.settled',
  'alert.opened',
  'alert.closed',
] as const;
const event = z.enum(noticeEvents);

const subscriberView = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    made_by: maker.nullable(),
    created_at: time,
  })
  .meta({ id: 'Subscriber' });
const newSubscriber = z.object({ subscriber: subscriberView, secret: z.string() });

export const listSubscribers = endpoint({
  method: 'GET',
  path: '/subscribers',
  summary: 'Addresses of your own that are told of receipts (Standard Webhooks)',
  guard: 'manage_business',
  output: z.object({ subscribers: z.array(subscriberView), next_cursor: z.null() }),
});

export const addSubscriber = endpoint({
  method: 'POST',
  path: '/subscribers',
  summary: 'Add an address; its secret is answered this once',
  guard: 'manage_business',
  secondFactor: true,
  answersSecret: true,
  input: z.strictObject({
    url: httpAddress(1000),
    events: z.array(event).min(1).max(noticeEvents.length),
  }),
  output: newSubscriber,
});

export const rotateSubscriber = endpoint({
  method: 'POST',
  path: '/subscribers/{id}/rotate',
  summary: 'A new secret; for a day messages carry the signatures of both',
  guard: 'manage_business',
  secondFactor: true,
  answersSecret: true,
  output: newSubscriber,
});

export const removeSubscriber = endpoint({
  method: 'POST',
  path: '/subscribers/{id}/remove',
  summary: 'Tell this address nothing more',
  guard: 'manage_business',
  secondFactor: true,
  output: z.object({ removed: z.literal(true) }),
});

const noticeView = z
  .object({
    id: z.string(),
    subscriber_id: z.string(),
    event: z.string(),
    state: z.enum(['waiting', 'delivered', 'failed']),
    tries: z.number(),
    last_status: z.number().nullable(),
    last_error: z.string().nullable(),
    created_at: time,
    next_at: time.nullable(),
    delivered_at: time.nullable(),
  })
  .meta({ id: 'Notice' });

export const listNotices = endpoint({
  method: 'GET',
  path: '/notices',
  summary: 'What was sent to those addresses, newest first, and what came of it',
  guard: 'manage_business',
  heavy: true,
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().max(200).optional(),
  }),
  output: z.object({ notices: z.array(noticeView), next_cursor: z.string().nullable() }),
});

export const replayNotice = endpoint({
  method: 'POST',
  path: '/notices/{id}/replay',
  summary: 'Send a message once more, under the same id',
  guard: 'manage_business',
  output: noticeView,
});
