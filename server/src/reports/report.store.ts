import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDateOrNull } from '../platform/db/query.ts';

export type DayCount = {
  receiptId: string;
  at: string;
  outcome: 'signed' | 'refused';
  code: string;
};

/**
 * Counts a receipt into its day in the country's zone; called once for each entry of the trail.
 * Each receipt is found by its key (`offset 0`): joined freely, the planner may read every receipt
 * there is for a few hundred.
 */
export const addToDays = (tx: Tx, counts: DayCount[], timeZone: string) =>
  query(
    tx,
    `insert into receipt_day (business_id, day, branch_id, kind, outcome, code, environment, count, total)
     select r.business_id, (c.at at time zone $5)::date, r.branch_id, r.kind, c.outcome, c.code, r.environment, count(*), sum((r.signing_input->'sale'->>'total')::numeric)
       from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[]) as c(id, at, outcome, code) cross join lateral (select branch_id, kind, environment, business_id, signing_input from receipt where id = c.id offset 0) r
      group by 1, 2, 3, 4, 5, 6, 7
     on conflict (business_id, day, branch_id, kind, outcome, code, environment) do update set count = receipt_day.count + excluded.count, total = receipt_day.total + excluded.total`,
    [
      counts.map((each) => each.receiptId),
      counts.map((each) => each.at),
      counts.map((each) => each.outcome),
      counts.map((each) => each.code),
      timeZone,
    ],
  );

export type DayRow = {
  day: string;
  kind: 'sale' | 'refund';
  outcome: 'signed' | 'refused';
  code: string;
  environment: string;
  count: number;
  total: string;
};

export async function listDays(tx: Tx, from: string, to: string): Promise<DayRow[]> {
  const rows = await query<Record<string, string>>(
    tx,
    `select day::text, kind, outcome, code, environment, sum(count)::text as count, sum(total)::text as total from receipt_day where day between $1 and $2
      group by day, kind, outcome, code, environment order by day`,
    [from, to],
  );
  return rows.map((row) => ({ ...row, count: Number(row.count) }) as DayRow);
}

/** What stands open now, by the partial index the lanes use. */
export async function countOpen(
  tx: Tx,
): Promise<{ queued: number; inDoubt: number; oldestAt: Date | null }> {
  const row = await queryOne<{ queued: number; in_doubt: number; oldest: unknown }>(
    tx,
    `select count(*) filter (where state = 'queued')::int as queued, count(*) filter (where state = 'in_doubt')::int as in_doubt, min(opened_at) as oldest
       from receipt where state in ('queued', 'in_doubt') and environment = 'production'`,
  );
  return {
    queued: row?.queued ?? 0,
    inDoubt: row?.in_doubt ?? 0,
    oldestAt: toDateOrNull(row?.oldest),
  };
}

export async function countRest(tx: Tx): Promise<{
  devices: number;
  devicesPaused: number;
  people: number;
  alerts: number;
  lastContactAt: Date | null;
}> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select (select count(*)::int from device where state in ('active', 'paused')) as devices, (select count(*)::int from device where state = 'paused') as paused,
       (select count(*)::int from membership where status = 'active') as people, (select count(*)::int from alert where closed_at is null) as alerts,
       (select max(last_contact_at) from device) as contact`,
  );
  return {
    devices: row?.devices as number,
    devicesPaused: row?.paused as number,
    people: row?.people as number,
    alerts: row?.alerts as number,
    lastContactAt: toDateOrNull(row?.contact),
  };
}

export async function sumDays(
  tx: Tx,
  today: string,
): Promise<{ signed: number; refused: number; signedToday: number; requestsToday: number }> {
  const row = await queryOne<Record<string, string>>(
    tx,
    `select coalesce(sum(count) filter (where outcome = 'signed'), 0)::text as signed, coalesce(sum(count) filter (where outcome = 'refused'), 0)::text as refused,
       coalesce(sum(count) filter (where outcome = 'signed' and day = $1), 0)::text as today,
       (select coalesce(sum(used), 0)::text from usage_day where day = $1 and what = 'requests') as requests from receipt_day where environment = 'production'`,
    [today],
  );
  return {
    signed: Number(row?.signed),
    refused: Number(row?.refused),
    signedToday: Number(row?.today),
    requestsToday: Number(row?.requests),
  };
}
