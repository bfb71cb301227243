import type { Tx } from '../platform/db/database.ts';
import { json, query } from '../platform/db/query.ts';

export type ProbeResult =
  | 'fine'
  | 'down'
  | 'wrong_address'
  | 'vsdc_missing'
  | 'offline_soon'
  | 'down_or_stopped'
  | 'address_refused'
  | 'not_initialised'
  | 'other_taxpayer';

/** The last test of a device, as it stands in its row. */
export type StoredProbe = {
  result: ProbeResult;
  at: string;
  answer_ms: number | null;
  last_upstream_at: string | null;
  offline_hours: number | null;
  reason: string | null;
};

/** Keeps what a device has shown that it demands; whatever is sent from now on heeds it. */
export const keepDemand = (tx: Tx, id: string, demand: string) =>
  query(
    tx,
    'update device set demands = array_append(demands, $2) where id = $1 and not ($2 = any(demands))',
    [id, demand],
  );

/** Keeps the result of a test; `isHeard` says that it was the device that answered. */
export const keepProbe = (tx: Tx, id: string, probe: StoredProbe, isHeard: boolean) =>
  query(
    tx,
    'update device set probe = $2, last_contact_at = case when $3::boolean then greatest(last_contact_at, $4::timestamptz) else last_contact_at end where id = $1',
    [id, json(probe), isHeard, probe.at],
  );

export const setLastUpstreamContact = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update device set last_upstream_at = greatest(last_upstream_at, $2) where id = $1', [
    id,
    at,
  ]);
