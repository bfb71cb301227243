import { holdDataKey } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import { listAside } from './device-keys.store.ts';

export type Aside = {
  serial: string;
  sdc_id: string | null;
  asked_at: string | null;
  keys: unknown;
};
/** What is shown of keys that are set aside: which they are, never the keys. */
export type ShownAside = Omit<Aside, 'keys'>;

/** Reads what is set aside of each device that has any. */
export async function readAside(
  { vault }: { vault: Vault },
  tx: Tx,
  ctx: Context,
): Promise<Map<string, ShownAside[]>> {
  if ((await listAside(tx)).length === 0) return new Map();
  // Key and keys are read at one moment, because a rotation renews both.
  const dataKey = await holdDataKey(tx);
  const shown = (deviceId: string, encrypted: string) =>
    (
      JSON.parse(vault.decrypt(dataKey, ctx.businessId, asideField(deviceId), encrypted)) as Aside[]
    ).map(({ serial, sdc_id, asked_at }) => ({
      serial,
      sdc_id,
      asked_at,
    }));
  return new Map(
    (await listAside(tx)).map(({ deviceId, aside }) => [deviceId, shown(deviceId, aside)]),
  );
}

export const asideField = (deviceId: string) => `device:${deviceId}:aside`;
