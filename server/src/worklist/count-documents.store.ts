import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';
import { booksOf } from '../receipts/index.ts';
import {
  type DocumentStatus,
  loose,
  notDue,
  standings,
  type WorklistFilter,
} from './document-status.ts';
import { listDocumentStatuses } from './worklist.store.ts';

/**
 * Of the documents that another system has sealed, those of a span; one that turned out to be under
 * way here as well is counted there.
 */
const elsewhereIn = (from: string, to: string): string =>
  `not sealed and elsewhere is not null and date between ${from}::date and ${to}::date
    and not exists (select 1 from receipt q where q.business_id = document.business_id and (q.state in ('queued', 'in_doubt') or q.drift is not null or q.contested)
      and q.module = document.module and q.document_id = document.document_id and q.environment = 'production')`;

/** How many documents of a span another system has sealed, as people have said. */
export const countElsewhere = async (
  tx: Tx,
  { goLiveDate, sealsApproved }: Pick<WorklistFilter, 'goLiveDate' | 'sealsApproved'>,
  from: string,
  to: string,
): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      `select count(*)::int as n from document
        where ${elsewhereIn('$2', '$3')} and date >= $1::date and not gone and (status is null or status not in ${notDue(sealsApproved)})`,
      [goLiveDate, from, to],
    )
  )?.n ?? 0;

/**
 * How many documents of these books are not settled: under way or in doubt, refused, or due. Before
 * any branch seals for real nothing is due yet that only these books know of.
 */
export const countUnsettledOf = async (
  tx: Tx,
  { goLiveDate, sealsApproved }: Pick<WorklistFilter, 'goLiveDate' | 'sealsApproved'>,
  organizationId: string,
): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      `select count(*)::int as n from (
         select module, document_id from (${standings(sealsApproved, true)} and not d.sealed and d.elsewhere is null) l
          where standing in ('waiting', 'in_doubt', 'signed_twice')
             or standing in ('to_seal', 'refused') and exists (select 1 from branch where production_since is not null)
         union select module, document_id from (${loose}) o where standing in ('waiting', 'in_doubt', 'signed_twice')) u
        where ${booksOf('u.module', 'u.document_id')} = $2`,
      [goLiveDate, organizationId],
    )
  )?.n ?? 0;

export type MonthSum = {
  module: string;
  currency: string;
  standing: DocumentStatus;
  count: number;
  total: string;
};

/**
 * What the documents of a span come to, by where they stand and in their own currencies. Of what is
 * sealed, here or elsewhere, an index knows all there is to know; only the rest is looked at beside
 * its receipts.
 */
export const sumByStatus = async (
  tx: Tx,
  { goLiveDate, sealsApproved }: Pick<WorklistFilter, 'goLiveDate' | 'sealsApproved'>,
  from: string,
  to: string,
): Promise<MonthSum[]> =>
  (
    await query<Record<string, unknown>>(
      tx,
      `select module, currency, standing, count(*)::int as count, sum(total)::numeric(20, 2)::text as total from (
         select module, currency, standing, total from (${standings(sealsApproved, true)} and not d.sealed and d.elsewhere is null and d.date between $2::date and $3::date) l
         union all
         select module, currency, standing, total from (${loose} and q.document_date between $2::date and $3::date) o
         union all
         select module, coalesce(currency, ''), 'sealed', coalesce(total, 0) from document
          where sealed and date >= $1::date and date between $2::date and $3::date
         union all
         select module, coalesce(currency, ''), case when gone or status in ${notDue(sealsApproved)} then 'not_due' else 'sealed_elsewhere' end, coalesce(total, 0)
           from document where ${elsewhereIn('$2', '$3')} and date >= $1::date) a
        group by module, currency, standing order by module, currency, standing`,
      [goLiveDate, from, to],
    )
  ).map((row) => ({
    module: row.module as string,
    currency: row.currency as string,
    standing: row.standing as DocumentStatus,
    count: row.count as number,
    total: row.total as string,
  }));

/**
 * Documents whose last look failed, and those that were heard of and not read for a while: what is
 * true of them now nobody knows.
 */
export const countUnsure = async (
  tx: Tx,
  from: string,
  to: string,
  heardBefore: Date,
): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      `select ((select count(*) from document where due_at is not null and tries > 0 and date between $1::date and $2::date)
        + (select count(*) from document where date is null and not gone and source <> 'hint' and due_since < $3))::int as n`,
      [from, to, heardBefore],
    )
  )?.n ?? 0;

/**
 * What has been due for longest and is not sealed, why, and how many there are; null where nothing
 * is.
 */
export async function findLongestDue(
  tx: Tx,
  filter: Pick<WorklistFilter, 'goLiveDate' | 'sealsApproved'>,
): Promise<{ number: string; since: Date; count: number; problem: StoredProblem | null } | null> {
  const due = "('to_seal', 'refused', 'before_production')";
  const row = await queryOne<{
    module: string;
    document_id: string;
    number: string;
    since: unknown;
    count: number;
  }>(
    tx,
    `select l.module, l.document_id, l.number, coalesce(l.due_since, q.opened_at) as since, count(*) over ()::int as count
       from (select module, document_id, number, receipt_id, due_since from (${standings(filter.sealsApproved, true)} and not d.sealed and d.elsewhere is null) d where standing in ${due}
             union all select o.module, o.document_id, o.number, o.receipt_id, null from (${loose}) o where o.standing in ${due}) l
       left join receipt q on q.id = l.receipt_id
      where coalesce(l.due_since, q.opened_at) is not null order by since limit 1`,
    [filter.goLiveDate],
  );
  if (!row) return null;
  const said = await listDocumentStatuses(tx, {
    goLiveDate: filter.goLiveDate,
    sealsApproved: filter.sealsApproved,
    from: null,
    to: null,
    standings: ['to_seal', 'refused', 'before_production'],
    branch: null,
    documentIds: [row.document_id],
    search: null,
    limit: 5,
    after: null,
  });
  const problem = said.find((each) => each.module === row.module)?.problem ?? null;
  return { number: row.number, since: toDate(row.since), count: row.count, problem };
}
