import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDateOrNull } from '../platform/db/query.ts';

/**
 * The keys of a device, encrypted, and when it was asked for them. `aside`: those that could not
 * take their place.
 */
export type DeviceKeys = { secrets: string | null; askedAt: Date | null; aside: string | null };

export async function findKeys(tx: Tx, id: string): Promise<DeviceKeys> {
  const row = await queryOne<{
    secrets: string | null;
    keys_asked_at: unknown;
    keys_aside: string | null;
  }>(tx, 'select secrets, keys_asked_at, keys_aside from device where id = $1', [id]);
  return {
    secrets: row?.secrets ?? null,
    askedAt: toDateOrNull(row?.keys_asked_at ?? null),
    aside: row?.keys_aside ?? null,
  };
}

/** Lists the devices of which keys are set aside, with those keys as they are encrypted. */
export const listAside = async (tx: Tx): Promise<{ deviceId: string; aside: string }[]> =>
  (
    await query<{ id: string; keys_aside: string }>(
      tx,
      'select id, keys_aside from device where keys_aside is not null',
    )
  ).map((row) => ({
    deviceId: row.id,
    aside: row.keys_aside,
  }));

export const keepKeys = (tx: Tx, id: string, keys: DeviceKeys) =>
  query(tx, 'update device set secrets = $2, keys_asked_at = $3, keys_aside = $4 where id = $1', [
    id,
    keys.secrets,
    keys.askedAt,
    keys.aside,
  ]);
