import type { Tx } from '../platform/db/database.ts';
import { fromJson, query } from '../platform/db/query.ts';

export type Quotas = { requests_per_minute?: number | null; requests_per_day?: number | null };

/** What the operator allows this business; nothing where it is the usual. */
export async function readQuotas(tx: Tx): Promise<Quotas> {
  const [row] = await query<{ quotas: unknown }>(tx, 'select quotas from business');
  return fromJson<Quotas>(row?.quotas ?? '{}');
}

/** Adds to a day's counter and answers what stands there now, other processes' share included. */
export async function addUsage(
  tx: Tx,
  businessId: string,
  day: string,
  what: string,
  used: number,
): Promise<number> {
  const [row] = await query<{ used: string }>(
    tx,
    `insert into usage_day (business_id, day, what, used) values ($1, $2, $3, $4)
     on conflict (business_id, day, what) do update set used = usage_day.used + excluded.used returning used::text`,
    [businessId, day, what, used],
  );
  return Number(row?.used ?? 0);
}

export async function listUsage(
  tx: Tx,
  from: string,
): Promise<{ day: string; what: string; used: number }[]> {
  const rows = await query<{ day: string; what: string; used: string }>(
    tx,
    'select day::text, what, used::text from usage_day where day >= $1 order by day',
    [from],
  );
  return rows.map((row) => ({ ...row, used: Number(row.used) }));
}
