import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, query } from '../platform/db/query.ts';

/** Where a document stands between Zoho and the authority. */
export type Standing = 'to_seal' | 'waiting' | 'in_doubt' | 'refused' | 'drifted' | 'sealed' | 'exempt' | 'not_due';

export type ListRow = {
  module: 'invoices' | 'creditnotes';
  documentId: string;
  number: string;
  date: string;
  status: string;
  customerName: string;
  currency: string;
  total: string;
  locationId: string | null;
  standing: Standing;
  /** Why it stands so, where something stands in the way. */
  problem: StoredProblem | null;
  receiptId: string | null;
  /** Receipt number and total receipt number with their label, once sealed. */
  receiptLabel: string | null;
};

export type ListFilter = {
  goLiveDate: string;
  from: string | null;
  to: string | null;
  standings: Standing[];
  /** A branch, and the places in Zoho that are mapped to it. */
  branch: { id: string; locationIds: string[] } | null;
  documentIds: string[] | null;
  search: string | null;
  limit: number;
  after: { at: string; id: string } | null;
};

/** Statuses in which a document is no business of the authority's yet, or any more. */
const notDue = "('draft', 'pending_approval', 'submitted', 'approved', 'rejected', 'void')";

/** Every document since go-live beside its receipt: what Zoho has, from the poll and the webhooks, against what was sealed. */
const standings = `
  select d.module, d.document_id, coalesce(d.number, r.document_number, '') as number, d.date, d.date::text as day, coalesce(d.status, '') as status,
    coalesce(d.customer_name, '') as customer_name, coalesce(d.currency, '') as currency, trim_scale(coalesce(d.total, 0)) as total, d.location_id, r.branch_id,
    r.id as receipt_id,
    case when s.receipt_id is null then null else s.receipt_number || '/' || s.total_receipt_number || ' ' || s.label end as label,
    case when r.state = 'signed' and r.drift is not null then 'drifted'
      when r.state = 'signed' then 'sealed'
      when r.state = 'in_doubt' then 'in_doubt'
      when r.state = 'queued' then 'waiting'
      when d.gone or d.status in ${notDue} or d.number is null then 'not_due'
      when r.state = 'refused' then 'refused'
      when d.exempt then 'exempt'
      else 'to_seal' end as standing,
    coalesce(r.drift, r.problem, d.problem) as problem
  from document d
  left join receipt r on r.business_id = d.business_id and r.module = d.module and r.document_id = d.document_id
    and r.kind = case d.module when 'invoices' then 'sale' else 'refund' end
  left join signature s on s.business_id = r.business_id and s.receipt_id = r.id
  where d.date >= $1::date`;

/**
 * What the document itself says of being sealed, as text of the statement, so that its indexes are chosen: what is open is found among what
 * is open, and what is sealed comes in order of its date until there is enough.
 */
const sealedOrNot = (wanted: Standing[]): string => (wanted.includes('sealed') ? (wanted.length === 1 ? 'and d.sealed' : '') : 'and not d.sealed');

export async function listStandings(tx: Tx, filter: ListFilter): Promise<ListRow[]> {
  const text = filter.search?.replace(/[\\%_]/g, '\\$&') ?? null;
  const rows = await query<Record<string, unknown>>(
    tx,
    `select module, document_id, number, day, status, customer_name, currency, total::text, location_id, standing, problem, receipt_id, label from (${standings} ${sealedOrNot(filter.standings)}) l
      where ${filter.standings.join() === 'sealed' ? '$2::text[] is not null' : 'standing = any($2::text[])'} and ($3::date is null or date >= $3::date) and ($4::date is null or date <= $4::date)
        and ($5::text is null or coalesce(branch_id = $5, coalesce(location_id, 'none') = any($10::text[])))
        and ($11::text[] is null or document_id = any($11))
        and ($6::text is null or number ilike '%' || $6 || '%' or customer_name ilike '%' || $6 || '%' or total::text like $6 || '%' or label like $6 || '%')
        and ($7::date is null or (date, document_id) < ($7::date, $8::text))
      order by date desc, document_id desc limit $9`,
    [
      filter.goLiveDate,
      filter.standings,
      filter.from,
      filter.to,
      filter.branch?.id ?? null,
      text,
      filter.after?.at ?? null,
      filter.after?.id ?? null,
      filter.limit,
      filter.branch?.locationIds ?? [],
      filter.documentIds,
    ],
  );
  return rows.map((row) => ({
    module: row.module as ListRow['module'],
    documentId: row.document_id as string,
    number: row.number as string,
    date: row.day as string,
    status: row.status as string,
    customerName: row.customer_name as string,
    currency: row.currency as string,
    total: row.total as string,
    locationId: row.location_id as string | null,
    standing: row.standing as Standing,
    problem: fromJson(row.problem),
    receiptId: row.receipt_id as string | null,
    receiptLabel: row.label as string | null,
  }));
}

export type MonthSum = { module: string; currency: string; standing: Standing; count: number; total: string };

/** What the documents of a span come to, by where they stand and in their own currencies. */
export const sumStandings = async (tx: Tx, goLiveDate: string, from: string, to: string): Promise<MonthSum[]> =>
  (
    await query<Record<string, unknown>>(
      tx,
      `select module, currency, standing, count(*)::int as count, sum(total)::numeric(20, 2)::text as total from (${standings}) l
        where date between $2::date and $3::date group by module, currency, standing order by module, currency, standing`,
      [goLiveDate, from, to],
    )
  ).map((row) => ({
    module: row.module as string,
    currency: row.currency as string,
    standing: row.standing as Standing,
    count: row.count as number,
    total: row.total as string,
  }));
