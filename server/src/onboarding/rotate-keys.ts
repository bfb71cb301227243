import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import type { Vault } from '../platform/vault.ts';

type Ports = {
  database: Database;
  vault: Vault;
  record: Recorder;
  contextOf(businessId: string): Context;
};

/** Encrypts again, under the next data key, what the present one encrypted for a field. */
type Reencrypt = (field: string, encrypted: string) => string;

/**
 * Moves every data key from the former master key to the present one, and gives every business a
 * new data key with its secrets encrypted again. It goes one business at a time, under a lock on its
 * row, so that work goes on meanwhile. Grants and people keep their data keys, because a token being
 * renewed just now is encrypted outside a transaction; only their wrapping moves. Returns how many
 * keys were moved.
 */
export const rotateKeys = (ports: Ports) => async (): Promise<number> => {
  let moved = 0;
  const businesses = await ports.database.platform((tx) =>
    query<{ business_id: string }>(
      tx,
      "select business_id from reference.business_directory where status <> 'closed'",
    ),
  );
  for (const { business_id: businessId } of businesses)
    if (await rotateBusiness(ports, businessId)) moved += 1;
  for (const table of ['"grant"', 'person']) moved += await rewrapOwners(ports, table);
  return moved;
};

/** Gives a business a new data key; false if it has none to replace. */
function rotateBusiness(ports: Ports, businessId: string): Promise<boolean> {
  const { vault } = ports;
  const ctx = ports.contextOf(businessId);
  return ctx.transaction(async (tx) => {
    const [row] = await query<{ data_key: string }>(
      tx,
      'select data_key from business for no key update',
    );
    if (!row?.data_key) return false;
    const next = vault.newDataKey(businessId);
    const reencrypt: Reencrypt = (field, encrypted) =>
      vault.encrypt(
        next,
        businessId,
        field,
        vault.decrypt(row.data_key, businessId, field, encrypted),
      );
    await reencryptDevices(tx, reencrypt);
    await reencryptHooks(tx, reencrypt);
    await reencryptSubscribers(tx, reencrypt);
    await reencryptConsents(tx, reencrypt);
    await query(tx, 'update business set data_key = $1', [next]);
    await ports.record(tx, ctx, { action: 'keys.rotated', subject: businessId });
    return true;
  });
}

async function reencryptDevices(tx: Tx, reencrypt: Reencrypt): Promise<void> {
  const devices = await query<{ id: string; secrets: string | null; keys_aside: string | null }>(
    tx,
    'select id, secrets, keys_aside from device where secrets is not null or keys_aside is not null order by id for no key update',
  );
  for (const { id, secrets, keys_aside } of devices)
    await query(tx, 'update device set secrets = $2, keys_aside = $3 where id = $1', [
      id,
      secrets && reencrypt(`device:${id}`, secrets),
      keys_aside && reencrypt(`device:${id}:aside`, keys_aside),
    ]);
}

async function reencryptHooks(tx: Tx, reencrypt: Reencrypt): Promise<void> {
  const hooks = await query<{ id: string; secret: string }>(
    tx,
    'select id, secret from zoho_webhook where secret is not null order by id for no key update',
  );
  for (const { id, secret } of hooks)
    await query(tx, 'update zoho_webhook set secret = $2 where id = $1', [
      id,
      reencrypt(`hook:${id}`, secret),
    ]);
}

async function reencryptSubscribers(tx: Tx, reencrypt: Reencrypt): Promise<void> {
  const subscribers = await query<{ id: string; secret: string }>(
    tx,
    'select id, secret from webhook_endpoint order by id for no key update',
  );
  for (const { id, secret } of subscribers)
    await query(
      tx,
      'update webhook_endpoint set secret = $2, previous_secret = null where id = $1',
      [id, reencrypt(`subscriber:${id}`, secret)],
    );
}

async function reencryptConsents(tx: Tx, reencrypt: Reencrypt): Promise<void> {
  const consents = await query<{ id: string; client_secret: string; verifier: string }>(
    tx,
    'select id, client_secret, verifier from consent where used_at is null order by id for no key update',
  );
  for (const { id, client_secret, verifier } of consents)
    await query(tx, 'update consent set client_secret = $2, verifier = $3 where id = $1', [
      id,
      reencrypt(`consent:${id}:client_secret`, client_secret),
      reencrypt(`consent:${id}:verifier`, verifier),
    ]);
}

/** Wraps the data keys of grants or people in the present master key, a row at a time. */
async function rewrapOwners({ database, vault }: Ports, table: string): Promise<number> {
  const owners = await database.platform((tx) =>
    query<{ id: string }>(
      tx,
      `select id from reference.${table} where data_key is not null and data_key <> ''`,
    ),
  );
  for (const { id } of owners)
    await database.platform(async (tx) => {
      const [row] = await query<{ data_key: string }>(
        tx,
        `select data_key from reference.${table} where id = $1 for update`,
        [id],
      );
      if (row)
        await query(tx, `update reference.${table} set data_key = $2 where id = $1`, [
          id,
          vault.rewrap(row.data_key, id),
        ]);
    });
  return owners.length;
}
