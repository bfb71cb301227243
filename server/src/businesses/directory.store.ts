import { pageAfter } from '../platform/db/keyset-page.ts';
import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';
import type { Business } from './business.model.ts';
import type { BusinessTotals, DirectoryEntry, PlatformTotals } from './directory.model.ts';

const toEntry = (row: Record<string, unknown>): DirectoryEntry => ({
  businessId: row.business_id as string,
  name: row.name as string,
  taxpayerId: row.tin_number as string,
  email: row.email as string,
  organizationId: row.organization_id as string | null,
  status: row.status as DirectoryEntry['status'],
  createdAt: toDate(row.created_at),
});

/** Inserts what is unique across businesses, in the reference schema (`platform` door). */
export async function insertDirectoryEntry(
  tx: Tx,
  entry: Omit<DirectoryEntry, 'createdAt'>,
  at: Date,
): Promise<void> {
  await query(
    tx,
    'insert into reference.business_directory (business_id, name, status, tin_number, email, organization_id, created_at) values ($1, $2, $3, $4, $5, $6, $7)',
    [
      entry.businessId,
      entry.name,
      entry.status,
      entry.taxpayerId,
      entry.email,
      entry.organizationId,
      at,
    ],
  );
}

export const updateDirectoryEntry = (
  tx: Tx,
  entry: Pick<DirectoryEntry, 'businessId' | 'name' | 'taxpayerId' | 'email'>,
  at: Date,
) =>
  query(
    tx,
    'update reference.business_directory set name = $2, tin_number = $3, email = $4, updated_at = $5, version = version + 1 where business_id = $1',
    [entry.businessId, entry.name, entry.taxpayerId, entry.email, at],
  );

export const setDirectoryStatus = (
  tx: Tx,
  businessId: string,
  status: Business['status'],
  at: Date,
) =>
  query(
    tx,
    `update reference.business_directory set status = $2, updated_at = $3, closed_on = case when $2 = 'closed' then ($3::timestamptz at time zone 'Pacific/Kiritimati')::date end
      where business_id = $1`,
    [businessId, status, at],
  );

/**
 * Returns the first day a business may begin on, if one of its taxpayer or organization was closed
 * before; null if there was none. Up to that day, in the earliest zone there is, the other one may
 * have signed what stands in the books.
 */
export const earliestGoLive = async (
  tx: Tx,
  owner: { taxpayerId: string; organizationId: string | null },
): Promise<string | null> =>
  (
    await queryOne<{ day: string | null }>(
      tx,
      "select (max(closed_on) + 1)::text as day from reference.business_directory where status = 'closed' and (tin_number = $1 or organization_id = $2)",
      [owner.taxpayerId, owner.organizationId],
    )
  )?.day ?? null;

/** Locks a business's entry for the rest of the transaction: every change of it waits. */
export const holdDirectoryEntry = (tx: Tx, businessId: string) =>
  query(tx, 'select 1 from reference.business_directory where business_id = $1 for no key update', [
    businessId,
  ]);

export const setOrganization = (
  tx: Tx,
  businessId: string,
  organizationId: string | null,
  at: Date,
) =>
  query(
    tx,
    'update reference.business_directory set organization_id = $2, updated_at = $3 where business_id = $1',
    [businessId, organizationId, at],
  );

export async function findDirectoryEntry(
  tx: Tx,
  businessId: string,
): Promise<DirectoryEntry | null> {
  const row = await queryOne(
    tx,
    'select business_id, name, tin_number, email, organization_id, status, created_at from reference.business_directory where business_id = $1',
    [businessId],
  );
  return row && toEntry(row);
}

/** Lists every business there is or was. */
export const listBusinessIds = async (tx: Tx): Promise<string[]> =>
  (
    await query<{ business_id: string }>(
      tx,
      'select business_id from reference.business_directory order by business_id',
    )
  ).map((row) => row.business_id);

/** Lists the ids by which a scheduler enters each business by the ordinary door. */
export const listActiveBusinessIds = async (tx: Tx): Promise<string[]> =>
  (
    await query<{ business_id: string }>(
      tx,
      "select business_id from reference.business_directory where status in ('pending', 'active')",
    )
  ).map((row) => row.business_id);

export type DirectoryPage = {
  limit: number;
  after: { at: string; id: string } | null;
  search: string | null;
  status: string | null;
};

/** Lists a page of the directory, newest first, with what a job last counted. */
export async function listDirectory(
  tx: Tx,
  page: DirectoryPage,
): Promise<(DirectoryEntry & { totals: BusinessTotals | null })[]> {
  const rows = await query<Record<string, unknown>>(
    tx,
    `select d.business_id, d.name, d.tin_number, d.email, d.organization_id, d.status, d.created_at, t.signed::text, t.signed_today::text, t.refused::text, t.queued::text, t.in_doubt::text, t.oldest_unsigned_at, t.last_contact_at, t.devices::text,
       t.devices_paused::text, t.people::text, t.requests_today::text, t.alerts::text, t.zoho_status, t.zoho_calls::text,
       t.zoho_failed::text, t.zoho_looked_at, t.updated_at as counted_at
     from reference.business_directory d left join reference.business_totals t on t.business_id = d.business_id
     where ($1::text is null or d.status = $1)
       and ($2::text is null or d.name ilike $2 or d.tin_number like $2 or d.email ilike $2 or d.organization_id like $2 or d.business_id like $2)
       and ${pageAfter('reference.business_directory', 'd.created_at', 'd.business_id', '$3', '$4')}
     order by d.created_at desc, d.business_id desc limit $5`,
    [
      page.status,
      page.search === null ? null : `%${page.search.replace(/[\\%_]/g, '\\$&')}%`,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
  return rows.map((row) => ({
    ...toEntry(row),
    totals: row.counted_at === null ? null : toTotals(row),
  }));
}

const toTotals = (row: Record<string, unknown>): BusinessTotals => ({
  signed: Number(row.signed),
  signedToday: Number(row.signed_today),
  refused: Number(row.refused),
  queued: Number(row.queued),
  inDoubt: Number(row.in_doubt),
  oldestUnsignedAt: toDateOrNull(row.oldest_unsigned_at),
  lastContactAt: toDateOrNull(row.last_contact_at),
  devices: Number(row.devices),
  devicesPaused: Number(row.devices_paused),
  people: Number(row.people),
  requestsToday: Number(row.requests_today),
  alerts: Number(row.alerts),
  zoho: {
    status: (row.zoho_status as BusinessTotals['zoho']['status'] | null) ?? 'none',
    calls: Number(row.zoho_calls ?? 0),
    failed: Number(row.zoho_failed ?? 0),
    lookedAt: toDateOrNull(row.zoho_looked_at),
  },
  updatedAt: toDate(row.counted_at),
});

export async function putTotals(tx: Tx, businessId: string, totals: BusinessTotals): Promise<void> {
  const values = [
    totals.signed,
    totals.refused,
    totals.queued,
    totals.inDoubt,
    totals.signedToday,
    totals.oldestUnsignedAt,
    totals.lastContactAt,
    totals.devices,
    totals.devicesPaused,
    totals.people,
    totals.requestsToday,
    totals.alerts,
    totals.updatedAt,
    totals.zoho.status,
    totals.zoho.calls,
    totals.zoho.failed,
    totals.zoho.lookedAt,
  ];
  await query(
    tx,
    `insert into reference.business_totals (business_id, signed, refused, queued, in_doubt, signed_today, oldest_unsigned_at, last_contact_at, devices, devices_paused,
       people, requests_today, alerts, updated_at, zoho_status, zoho_calls, zoho_failed, zoho_looked_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
     on conflict (business_id) do update set (signed, refused, queued, in_doubt, signed_today, oldest_unsigned_at, last_contact_at, devices, devices_paused,
       people, requests_today, alerts, updated_at, zoho_status, zoho_calls, zoho_failed, zoho_looked_at) = (excluded.signed, excluded.refused, excluded.queued, excluded.in_doubt, excluded.signed_today,
       excluded.oldest_unsigned_at, excluded.last_contact_at, excluded.devices, excluded.devices_paused, excluded.people, excluded.requests_today, excluded.alerts,
       excluded.updated_at, excluded.zoho_status, excluded.zoho_calls, excluded.zoho_failed, excluded.zoho_looked_at)`,
    [businessId, ...values],
  );
}

export async function sumTotals(tx: Tx): Promise<PlatformTotals> {
  const statuses = await query<{ status: string; n: number }>(
    tx,
    'select status, count(*)::int as n from reference.business_directory group by status',
  );
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select coalesce(sum(signed), 0)::text as signed, coalesce(sum(signed_today), 0)::text as signed_today, coalesce(sum(queued), 0)::text as queued,
       coalesce(sum(in_doubt), 0)::text as in_doubt, coalesce(sum(alerts), 0)::text as alerts, coalesce(sum(people), 0)::text as people,
       min(updated_at) as updated_at, max(zoho_looked_at) as looked_at from reference.business_totals`,
  );
  const sums = Object.fromEntries(
    ['signed', 'signed_today', 'queued', 'in_doubt', 'alerts', 'people'].map((key) => [
      key,
      Number(row?.[key] ?? 0),
    ]),
  );
  const zoho = await query<{ status: string; n: number }>(
    tx,
    "select coalesce(zoho_status, 'none') as status, count(*)::int as n from reference.business_totals group by 1",
  );
  return {
    businesses: Object.fromEntries(statuses.map((each) => [each.status, each.n])),
    sums,
    zoho: Object.fromEntries(zoho.map((each) => [each.status, each.n])),
    lookedAt: toDateOrNull(row?.looked_at),
    updatedAt: toDateOrNull(row?.updated_at),
  };
}
