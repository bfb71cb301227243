import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';
import type { Unbegun, Watched } from './deadlines.model.ts';

const doubtsMax = 50;

/** Every active or paused device of this business, with what waits for it. */
export async function listWatched(tx: Tx): Promise<Watched[]> {
  const devices = await query(
    tx,
    `select d.id, d.dialect, b.name, case when d.state <> 'retired' then d.difference end as difference, case when d.state <> 'retired' then greatest(d.last_contact_at, d.last_upstream_at) end as last_contact_at,
       case when d.state <> 'retired' then d.last_upstream_at end as last_upstream_at, o.document_number, o.opened_at, o.waiting, s.ahead
       from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id
       left join lateral (select r.document_number, r.opened_at, count(*) over ()::int as waiting from receipt r
                           where r.business_id = d.business_id and r.device_id = d.id and r.state in ('queued', 'in_doubt') order by r.opened_at limit 1) o on true
       left join lateral (select extract(epoch from s.signed_at - s.recorded_at)::float8 * 1000 as ahead from signature s
                           where s.business_id = d.business_id and s.device_id = d.id and s.source = 'device' and d.state <> 'retired' order by s.invoice_number desc limit 1) s on true
      where d.state in ('active', 'paused') or d.state = 'retired' and d.environment = 'production'`,
  );
  const doubts = await query(
    tx,
    `select device_id, id, document_number, doubt_since from receipt where device_id = any($1::text[]) and state = 'in_doubt' order by doubt_since limit ${doubtsMax}`,
    [devices.map((row) => row.id)],
  );
  return devices.map((row) => ({
    deviceId: row.id as string,
    dialect: row.dialect as string,
    branchName: row.name as string,
    lastContactAt: toDateOrNull(row.last_contact_at),
    lastUpstreamAt: toDateOrNull(row.last_upstream_at),
    oldest:
      row.opened_at === null
        ? null
        : {
            documentNumber: row.document_number as string,
            since: toDate(row.opened_at),
            count: row.waiting as number,
          },
    doubts: doubts
      .filter((each) => each.device_id === row.id)
      .map((each) => ({
        receiptId: each.id as string,
        documentNumber: each.document_number as string,
        since: toDate(each.doubt_since),
      })),
    difference: fromJson(row.difference),
    clockAheadMs: row.ahead === null ? null : Number(row.ahead),
  }));
}

export type OpenAlert = { id: string; subject: string; problem: StoredProblem; openedAt: Date };
const toAlert = (row: Record<string, unknown>): OpenAlert => ({
  id: row.id as string,
  subject: row.subject as string,
  problem: fromJson(row.problem),
  openedAt: toDate(row.opened_at),
});

export const listOpenOf = async (tx: Tx, codes: readonly string[]): Promise<OpenAlert[]> =>
  (
    await query(
      tx,
      'select id, subject, problem, opened_at from alert where code = any($1::text[]) and closed_at is null',
      [codes],
    )
  ).map(toAlert);

/**
 * Takes the alerts that were not mailed yet: whoever gets them mails them, and nobody else does.
 */
export const claimUnmailed = async (tx: Tx, at: Date): Promise<OpenAlert[]> =>
  (
    await query(
      tx,
      'update alert set mailed_at = $1 where mailed_at is null and closed_at is null returning id, subject, problem, opened_at',
      [at],
    )
  )
    .map(toAlert)
    .toSorted((a, b) => a.openedAt.getTime() - b.openedAt.getTime() || (a.id < b.id ? -1 : 1));

/** They could not be mailed; the next turn takes them again. */
export const releaseUnmailed = (tx: Tx, ids: string[]) =>
  query(tx, 'update alert set mailed_at = null where id = any($1::text[])', [ids]);

/**
 * Alerts of which nobody was told that they were opened, or closed; marked as told in the same
 * breath.
 */
export const claimUnsentEvents = async (
  tx: Tx,
  at: Date,
): Promise<(OpenAlert & { event: 'alert.opened' | 'alert.closed' })[]> => {
  const opened = await query(
    tx,
    'update alert set noticed_at = $1 where noticed_at is null returning id, subject, problem, opened_at',
    [at],
  );
  const closed = await query(
    tx,
    'update alert set close_noticed_at = $1 where close_noticed_at is null and closed_at is not null returning id, subject, problem, opened_at',
    [at],
  );
  return [
    ...opened.map((row) => ({ ...toAlert(row), event: 'alert.opened' as const })),
    ...closed.map((row) => ({ ...toAlert(row), event: 'alert.closed' as const })),
  ];
};

/** The seals that wait to be written to Zoho, by the oldest of them. */
export async function findLongestUnwritten(tx: Tx): Promise<Unbegun['writes']> {
  const row = await queryOne(
    tx,
    `select r.document_number, w.created_at, count(*) over ()::int as count from write_back w
       join receipt r on r.business_id = w.business_id and r.id = w.receipt_id
      where w.state in ('waiting', 'begun') order by w.created_at limit 1`,
  );
  return (
    row && {
      documentNumber: row.document_number as string,
      since: toDate(row.created_at),
      count: row.count as number,
    }
  );
}
