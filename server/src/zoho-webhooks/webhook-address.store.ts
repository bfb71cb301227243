import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';

/**
 * An address Zoho sends to: its key as a hash, its signing secret sealed; null: nothing was set up
 * to sign with.
 */
export type WebhookAddress = {
  id: string;
  module: 'invoices' | 'creditnotes';
  keyPrefix: string;
  secret: string | null;
  createdAt: Date;
  /** Until when an address that was replaced still holds; null: no end. */
  endsAt: Date | null;
  lastDeliveryAt: Date | null;
};

const columns = 'id, module, key_prefix, secret, created_at, ends_at, last_delivery_at';
const toHook = (row: Record<string, unknown>): WebhookAddress => ({
  id: row.id as string,
  module: row.module as WebhookAddress['module'],
  keyPrefix: row.key_prefix as string,
  secret: row.secret as string | null,
  createdAt: toDate(row.created_at),
  endsAt: toDateOrNull(row.ends_at),
  lastDeliveryAt: toDateOrNull(row.last_delivery_at),
});

export const insertAddress = (
  tx: Tx,
  businessId: string,
  hook: Pick<WebhookAddress, 'id' | 'module' | 'keyPrefix' | 'secret'> & { keyHash: string },
  at: Date,
) =>
  query(
    tx,
    'insert into zoho_webhook (business_id, id, module, key_hash, key_prefix, secret, created_at) values ($1, $2, $3, $4, $5, $6, $7)',
    [businessId, hook.id, hook.module, hook.keyHash, hook.keyPrefix, hook.secret, at],
  );

export async function findAddressByKey(
  tx: Tx,
  keyHash: string,
  at: Date,
): Promise<WebhookAddress | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from zoho_webhook where key_hash = $1 and (ends_at is null or ends_at > $2)`,
    [keyHash, at],
  );
  return row && toHook(row);
}

/** Those that hold, newest first. */
export const listAddresses = async (tx: Tx, at: Date): Promise<WebhookAddress[]> =>
  (
    await query(
      tx,
      `select ${columns} from zoho_webhook where ends_at is null or ends_at > $1 order by module, created_at desc`,
      [at],
    )
  ).map(toHook);

export async function findAddress(tx: Tx, id: string, at: Date): Promise<WebhookAddress | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from zoho_webhook where id = $1 and (ends_at is null or ends_at > $2) for update`,
    [id, at],
  );
  return row && toHook(row);
}

export const endAddress = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update zoho_webhook set ends_at = $2 where id = $1', [id, at]);
export const endEveryAddress = (tx: Tx, at: Date) =>
  query(tx, 'update zoho_webhook set ends_at = $1 where ends_at is null or ends_at > $1', [at]);
export const markAddress = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update zoho_webhook set last_delivery_at = $2 where id = $1', [id, at]);
