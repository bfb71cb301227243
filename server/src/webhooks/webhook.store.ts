import { pageAfter } from '../platform/db/keyset-page.ts';
import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';

/** A webhook endpoint of the business. `secret` is encrypted. */
export type WebhookEndpoint = {
  id: string;
  url: string;
  events: string[];
  secret: string;
  previousSecret: string | null;
  previousUntil: Date | null;
  createdAt: Date;
};

const endpointColumns = 'id, url, events, secret, previous_secret, previous_until, created_at';
const toEndpoint = (row: Record<string, unknown>): WebhookEndpoint => ({
  id: row.id as string,
  url: row.url as string,
  events: row.events as string[],
  secret: row.secret as string,
  previousSecret: row.previous_secret as string | null,
  previousUntil: toDateOrNull(row.previous_until),
  createdAt: toDate(row.created_at),
});

export const insertEndpoint = (
  tx: Tx,
  businessId: string,
  endpoint: Pick<WebhookEndpoint, 'id' | 'url' | 'events' | 'secret'>,
  at: Date,
) =>
  query(
    tx,
    'insert into webhook_endpoint (business_id, id, url, events, secret, created_at) values ($1, $2, $3, $4, $5, $6)',
    [businessId, endpoint.id, endpoint.url, endpoint.events, endpoint.secret, at],
  );

export const listEndpoints = async (tx: Tx): Promise<WebhookEndpoint[]> =>
  (
    await query(
      tx,
      `select ${endpointColumns} from webhook_endpoint where ended_at is null order by created_at`,
    )
  ).map(toEndpoint);

export async function findEndpoint(tx: Tx, id: string): Promise<WebhookEndpoint | null> {
  const row = await queryOne(
    tx,
    `select ${endpointColumns} from webhook_endpoint where id = $1 and ended_at is null`,
    [id],
  );
  return row && toEndpoint(row);
}

/** The secret before goes on for a while: messages are signed with both. */
export const replaceSecret = (tx: Tx, id: string, secret: string, previousUntil: Date) =>
  query(
    tx,
    'update webhook_endpoint set previous_secret = secret, previous_until = $3, secret = $2 where id = $1',
    [id, secret, previousUntil],
  );

export async function endEndpoint(tx: Tx, id: string, at: Date): Promise<void> {
  await query(tx, 'update webhook_endpoint set ended_at = $2 where id = $1', [id, at]);
  await query(
    tx,
    "update webhook_message set state = 'failed', next_at = null, last_error = 'the address was removed' where endpoint_id = $1 and state = 'waiting'",
    [id],
  );
}

export type WebhookMessage = {
  id: string;
  endpointId: string;
  event: string;
  body: string;
  state: 'waiting' | 'delivered' | 'failed';
  tries: number;
  lastStatus: number | null;
  lastError: string | null;
  nextAt: Date | null;
  createdAt: Date;
  deliveredAt: Date | null;
};

const columns =
  'n.id, n.endpoint_id, n.event, n.body, n.state, n.tries, n.last_status, n.last_error, n.next_at, n.created_at, n.delivered_at';
const toNotice = (row: Record<string, unknown>): WebhookMessage => ({
  id: row.id as string,
  endpointId: row.endpoint_id as string,
  event: row.event as string,
  body: row.body as string,
  state: row.state as WebhookMessage['state'],
  tries: row.tries as number,
  lastStatus: row.last_status as number | null,
  lastError: row.last_error as string | null,
  nextAt: toDateOrNull(row.next_at),
  createdAt: toDate(row.created_at),
  deliveredAt: toDateOrNull(row.delivered_at),
});

export const insertMessage = (
  tx: Tx,
  businessId: string,
  message: Pick<WebhookMessage, 'id' | 'endpointId' | 'event' | 'body'>,
  at: Date,
) =>
  query(
    tx,
    "insert into webhook_message (business_id, id, endpoint_id, event, body, state, next_at, created_at) values ($1, $2, $3, $4, $5, 'waiting', $6, $6)",
    [businessId, message.id, message.endpointId, message.event, message.body, at],
  );

/** What is due to an address, taken for a while so that no other worker sends it too. */
export const claimMessages = async (
  tx: Tx,
  subscriberId: string,
  at: Date,
  until: Date,
  limit: number,
): Promise<WebhookMessage[]> =>
  (
    await query(
      tx,
      `update webhook_message n set leased_until = $2 from (
         select business_id, id from webhook_message where endpoint_id = $4 and state = 'waiting' and next_at <= $1 and (leased_until is null or leased_until < $1)
          order by next_at, id limit $3 for update skip locked) due
        where n.business_id = due.business_id and n.id = due.id returning ${columns}`,
      [at, until, limit, subscriberId],
    )
  ).map(toNotice);

/** Taken and not sent after all. */
export const releaseMessages = (tx: Tx, ids: string[]) =>
  query(tx, 'update webhook_message set leased_until = null where id = any($1)', [ids]);

export const endMessage = (
  tx: Tx,
  message: Pick<
    WebhookMessage,
    'id' | 'state' | 'tries' | 'lastStatus' | 'lastError' | 'nextAt' | 'deliveredAt'
  >,
) =>
  query(
    tx,
    `update webhook_message set state = $2, tries = $3, last_status = $4, last_error = $5, next_at = $6, delivered_at = $7, leased_until = null where id = $1`,
    [
      message.id,
      message.state,
      message.tries,
      message.lastStatus,
      message.lastError,
      message.nextAt,
      message.deliveredAt,
    ],
  );

export const listMessages = async (
  tx: Tx,
  page: { limit: number; after: { at: string; id: string } | null },
): Promise<WebhookMessage[]> =>
  (
    await query(
      tx,
      `select ${columns} from webhook_message n where ${pageAfter('webhook_message', 'n.created_at', 'n.id', '$1', '$2')} order by n.created_at desc, n.id desc limit $3`,
      [page.after?.at ?? null, page.after?.id ?? null, page.limit],
    )
  ).map(toNotice);

/** Sent once more, under the same id, so that whoever has had it knows it again. */
export const replayMessage = async (
  tx: Tx,
  id: string,
  at: Date,
): Promise<WebhookMessage | null> => {
  const row = await queryOne(
    tx,
    `update webhook_message n set state = 'waiting', tries = 0, next_at = $2, last_error = null where n.id = $1
       and exists (select 1 from webhook_endpoint s where s.business_id = n.business_id and s.id = n.endpoint_id and s.ended_at is null) returning ${columns}`,
    [id, at],
  );
  return row && toNotice(row);
};

export const deleteOldMessages = (tx: Tx, before: Date) =>
  query(tx, "delete from webhook_message where created_at < $1 and state <> 'waiting'", [before]);
