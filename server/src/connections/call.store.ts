import type { Tx } from '../platform/db/database.ts';
import { json, query, queryOne, toDateOrNull } from '../platform/db/query.ts';
import type { CallMade } from '../ports/books.ts';

export async function insertCalls(
  tx: Tx,
  businessId: string,
  worker: string,
  calls: (CallMade & { id: string })[],
): Promise<void> {
  const rows = calls.map((call) => ({
    business_id: businessId,
    id: call.id,
    at: call.at.toISOString(),
    worker,
    organization_id: call.organizationId,
    purpose: call.purpose,
    method: call.method,
    endpoint: call.endpoint,
    status: call.status,
    zoho_code: call.zohoCode,
    ms: call.ms,
  }));
  const given =
    'business_id, id, at, worker, organization_id, purpose, method, endpoint, status, zoho_code, ms';
  await query(
    tx,
    `insert into zoho_call (${given}) select ${given} from jsonb_populate_recordset(null::zoho_call, $1)`,
    [json(rows)],
  );
}

/** What other processes called lately, and what all of them called in the last day. */
export async function countCalls(
  tx: Tx,
  worker: string,
  at: Date,
): Promise<{ othersLastMinute: number; today: number }> {
  const row = await queryOne<{ others: number; today: number }>(
    tx,
    `select count(*) filter (where worker <> $1 and at > $2::timestamptz - interval '60 seconds')::int as others, count(*)::int as today
       from zoho_call where at > $2::timestamptz - interval '24 hours'`,
    [worker, at],
  );
  return { othersLastMinute: row?.others ?? 0, today: row?.today ?? 0 };
}

export const keepQuota = (
  tx: Tx,
  organizationId: string,
  quota: { limit: number; left: number; resetAt: Date; seenAt: Date },
) =>
  query(tx, "update connection set quota = $2 where organization_id = $1 and status <> 'ended'", [
    organizationId,
    json({
      limit: quota.limit,
      left: quota.left,
      reset_at: quota.resetAt.toISOString(),
      seen_at: quota.seenAt.toISOString(),
    }),
  ]);

export const deleteOldCalls = (tx: Tx, before: Date) =>
  query(tx, 'delete from zoho_call where at < $1', [before]);

export type CallHealth = {
  calls: number;
  failed: number;
  medianMs: number | null;
  slowMs: number | null;
  lastSuccessAt: Date | null;
};

/**
 * How calls went since a moment. A refusal by a limit or a fault counts as failed; one that is
 * Zoho's plain answer does not.
 */
export async function readCallHealth(tx: Tx, since: Date): Promise<CallHealth> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select count(*)::int as calls, count(*) filter (where status is null or status = 429 or status = 401 or status >= 500)::int as failed,
       (percentile_cont(0.5) within group (order by ms))::float as median, (percentile_cont(0.99) within group (order by ms))::float as slow,
       max(at) filter (where status between 200 and 299) as last_success
     from zoho_call where at >= $1`,
    [since],
  );
  return {
    calls: Number(row?.calls ?? 0),
    failed: Number(row?.failed ?? 0),
    medianMs:
      row?.median === null || row?.median === undefined ? null : Math.round(Number(row.median)),
    slowMs: row?.slow === null || row?.slow === undefined ? null : Math.round(Number(row.slow)),
    lastSuccessAt: toDateOrNull(row?.last_success),
  };
}
