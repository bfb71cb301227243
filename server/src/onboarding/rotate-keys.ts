import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Database } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import type { Vault } from '../platform/vault.ts';

type Ports = {
  database: Database;
  vault: Vault;
  record: Recorder;
  contextOf(businessId: string): Context;
};

/**
 * Moves every data key from the master key before to the present one, and gives every business a
 * new data key with its secrets sealed anew, one business at a time under a lock on its row: work
 * goes on meanwhile. Grants and people keep their data keys, because a token being renewed just now
 * is sealed outside a transaction; only their wrapping moves. Answers how many keys were moved.
 */
export const rotateKeys = (ports: Ports) => async (): Promise<number> => {
  const { database, vault } = ports;
  let moved = 0;
  const ids = await database.platform((tx) =>
    query<{ business_id: string }>(
      tx,
      "select business_id from reference.business_directory where status <> 'closed'",
    ),
  );
  for (const { business_id: businessId } of ids) {
    const ctx = ports.contextOf(businessId);
    await ctx.transaction(async (tx) => {
      const [row] = await query<{ data_key: string }>(
        tx,
        'select data_key from business for no key update',
      );
      if (!row?.data_key) return;
      const next = vault.newDataKey(businessId);
      for (const device of await query<{
        id: string;
        secrets: string | null;
        keys_aside: string | null;
      }>(
        tx,
        'select id, secrets, keys_aside from device where secrets is not null or keys_aside is not null order by id for no key update',
      )) {
        const anew = (field: string, sealed: string | null) =>
          sealed &&
          vault.encrypt(
            next,
            businessId,
            field,
            vault.decrypt(row.data_key, businessId, field, sealed),
          );
        await query(tx, 'update device set secrets = $2, keys_aside = $3 where id = $1', [
          device.id,
          anew(`device:${device.id}`, device.secrets),
          anew(`device:${device.id}:aside`, device.keys_aside),
        ]);
      }
      for (const hook of await query<{ id: string; secret: string }>(
        tx,
        'select id, secret from hook where secret is not null order by id for no key update',
      )) {
        const field = `hook:${hook.id}`;
        await query(tx, 'update hook set secret = $2 where id = $1', [
          hook.id,
          vault.encrypt(
            next,
            businessId,
            field,
            vault.decrypt(row.data_key, businessId, field, hook.secret),
          ),
        ]);
      }
      for (const each of await query<{ id: string; secret: string }>(
        tx,
        'select id, secret from subscriber order by id for no key update',
      )) {
        const field = `subscriber:${each.id}`;
        await query(tx, 'update subscriber set secret = $2, previous_secret = null where id = $1', [
          each.id,
          vault.encrypt(
            next,
            businessId,
            field,
            vault.decrypt(row.data_key, businessId, field, each.secret),
          ),
        ]);
      }
      for (const each of await query<{ id: string; client_secret: string; verifier: string }>(
        tx,
        'select id, client_secret, verifier from consent where used_at is null order by id for no key update',
      )) {
        const anew = (field: 'client_secret' | 'verifier') => {
          const name = `consent:${each.id}:${field}`;
          return vault.encrypt(
            next,
            businessId,
            name,
            vault.decrypt(row.data_key, businessId, name, each[field]),
          );
        };
        await query(tx, 'update consent set client_secret = $2, verifier = $3 where id = $1', [
          each.id,
          anew('client_secret'),
          anew('verifier'),
        ]);
      }
      await query(tx, 'update business set data_key = $1', [next]);
      await ports.record(tx, ctx, { action: 'keys.rotated', subject: businessId });
      moved += 1;
    });
  }
  for (const table of ['"grant"', 'person']) {
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
        moved += 1;
      });
  }
  return moved;
};
