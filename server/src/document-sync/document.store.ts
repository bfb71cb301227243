import type { StoredProblem } from '@muhuri/shared/problems';
import type { BusinessSettings } from '../businesses/index.ts';
import type { Tx } from '../platform/db/database.ts';
import { json, query } from '../platform/db/query.ts';
import { searchWordsOf } from '../platform/search-words.ts';
import type { ListedDocument, UnreadableRow } from '../ports/books.ts';
import { askAnewOf, askAnewOfExempt } from '../receipts/index.ts';
import { knownAt, type Processed } from './processing.model.ts';

type Exempt = BusinessSettings['exempt'];

/**
 * A document as Zoho's lists and our looks at it say; what is sealed of it stands in its receipt.
 */
export type DocumentKey = { module: 'invoices' | 'creditnotes'; documentId: string };
/**
 * `source` says what it was heard from: a hint may be anybody's, so it never seals by itself. Nor
 * does what `wasExempt` before.
 */
export type Due = DocumentKey & {
  dueAt: string;
  tries: number;
  problemBefore: string | null;
  wasExempt: boolean;
  source: 'webhook' | 'poll' | 'hint';
};

const listed = `business_id, organization_id, module, document_id, number, date, status, customer_id, customer_name, currency, total, location_id, created_at,
  modified_at, seen_at, source, due_at, tries, exempt, was_exempt, gone, due_since, words`;

/**
 * What a list shows. A document whose time of change is new is looked at; one known as it is stays
 * as it is.
 */
export async function recordListed(
  tx: Tx,
  businessId: string,
  organizationId: string,
  rows: ListedDocument[],
  at: Date,
): Promise<number> {
  // In one order, as webhooks take them.
  const inOrder = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const values = inOrder.map((row) => ({
    business_id: businessId,
    organization_id: organizationId,
    module: row.module,
    document_id: row.id,
    number: row.number,
    date: row.date || null,
    status: row.status,
    customer_id: row.customer.id,
    customer_name: row.customer.name,
    currency: row.currency,
    total: row.total,
    location_id: row.locationId,
    created_at: row.createdAt?.toISOString() ?? null,
    modified_at: knownAt(row.modifiedAt, at).toISOString(),
    seen_at: at.toISOString(),
    source: 'poll',
    due_at: at.toISOString(),
    tries: 0,
    exempt: false,
    was_exempt: false,
    gone: false,
    due_since: isDue(row.status) ? at.toISOString() : null,
    words: searchWordsOf(row.number, row.customer.name, row.total),
  }));
  const changed = await query(
    tx,
    `insert into document (${listed}) select ${listed} from jsonb_populate_recordset(null::document, $1)
     on conflict (business_id, module, document_id) do update set organization_id = excluded.organization_id, number = excluded.number, date = excluded.date, status = excluded.status,
       customer_id = excluded.customer_id, customer_name = excluded.customer_name, currency = excluded.currency, total = excluded.total,
       location_id = excluded.location_id, created_at = coalesce(excluded.created_at, document.created_at), modified_at = excluded.modified_at, gone = false, words = excluded.words,
       source = 'poll', due_at = excluded.due_at, due_since = case when excluded.due_since is not null then coalesce(document.due_since, excluded.due_since) end
     where document.modified_at is distinct from excluded.modified_at or document.gone
     returning 1`,
    [json(values)],
  );
  return changed.length;
}

/** Whose list of which kind of document was read, and from which organization. */
type Poll = { businessId: string; organizationId: string; module: DocumentKey['module'] };

/**
 * Records rows of a list that cannot be taken as they are: known by their ids, each with its finding, and
 * looked at one by one. Without a number or a day of its own a document would stand in no list and
 * no month, and nothing would seem to be missing: it has its id, and the day it was seen.
 */
export const recordUnreadable = (
  tx: Tx,
  { businessId, organizationId, module }: Poll,
  rows: (UnreadableRow & { id: string })[],
  at: Date,
) =>
  query(
    tx,
    `insert into document (business_id, organization_id, module, document_id, number, date, seen_at, due_since, source, due_at, problem)
       select $1, $5, $2, id, coalesce(nullif(number, ''), id), coalesce(nullif(date, '')::date, $3::timestamptz::date), $3, $3, 'poll', $3,
           jsonb_build_object('code', 'document_unreadable', 'field', field)
         from (select distinct on (id) * from jsonb_to_recordset($4) as given (id text, number text, date text, field text) order by id) odd
     on conflict (business_id, module, document_id) do update set due_at = coalesce(document.due_at, excluded.due_at),
       problem = coalesce(document.problem, excluded.problem), source = 'poll'`,
    [businessId, module, at, json(rows), organizationId],
  );

/** Documents that are due, taken for a while so that no other worker looks at them too. */
export async function claimDueDocuments(
  tx: Tx,
  at: Date,
  until: Date,
  limit: number,
): Promise<Due[]> {
  const rows = await query<Record<string, unknown>>(
    tx,
    `update document d set leased_until = $2 from (
       select business_id, module, document_id from document where due_at <= $1 and (leased_until is null or leased_until < $1)
        order by due_at, document_id limit $3 for update skip locked) due
      where d.business_id = due.business_id and d.module = due.module and d.document_id = due.document_id
      returning d.module, d.document_id, d.due_at::text as due_at, d.tries, d.problem->>'code' as problem, d.was_exempt, d.source`,
    [at, until, limit],
  );
  return rows.map((row) => ({
    module: row.module as Due['module'],
    documentId: row.document_id as string,
    dueAt: row.due_at as string,
    tries: row.tries as number,
    problemBefore: row.problem as string | null,
    wasExempt: row.was_exempt as boolean,
    source: row.source as Due['source'],
  }));
}

/**
 * Whether a document of this status is to be sealed, or would be if the business wants its approved
 * ones sealed.
 */
const isDue = (status: string): boolean =>
  !['draft', 'pending_approval', 'submitted', 'rejected', 'void'].includes(status);

/** Records what a look found. Something that came in meanwhile keeps the document due. */
export async function endProcessing(tx: Tx, due: Due, found: Processed, at: Date): Promise<void> {
  if (found.exempt) await askAnewOf(tx, due);
  await query(
    tx,
    `update document set leased_until = null, tries = 0, due_at = case when due_at::text = $3 then $18::timestamptz else due_at end,
       number = coalesce($4, number), date = coalesce($5::date, date), status = coalesce($6, status), customer_id = coalesce($7, customer_id),
       customer_name = coalesce($8, customer_name), currency = coalesce($9, currency), total = coalesce($10::numeric, total),
       location_id = case when $4::text is null then location_id else $11 end, gone = $12, exempt = $13, was_exempt = was_exempt or $13 or $21, problem = $14,
       modified_at = greatest(modified_at, $15::timestamptz), words = coalesce($16, words), created_at = coalesce($17::timestamptz, created_at),
       due_since = case when $12 or not $20::boolean then null else coalesce(due_since, $19::timestamptz) end
     where module = $1 and document_id = $2`,
    [
      due.module,
      due.documentId,
      due.dueAt,
      ...columnsOf(found.seen),
      found.gone,
      found.exempt,
      json(found.problem),
      ...timesAndWordsOf(found.seen),
      found.lookAgainAt,
      at,
      found.seen === null || isDue(found.seen.status),
      // Found by when it was made alone: from now on it is known of it.
      found.problem?.code === 'was_exempt',
    ],
  );
}

/** What a document says of itself; nulls for one that was not seen, whose columns stay. */
const columnsOf = (seen: Processed['seen']) =>
  seen
    ? [
        seen.number,
        seen.date || null,
        seen.status,
        seen.customerId,
        seen.customerName,
        seen.currency,
        seen.total,
        seen.locationId ?? null,
      ]
    : Array.from({ length: 8 }, () => null);

const timesAndWordsOf = (seen: Processed['seen']) =>
  seen
    ? [
        seen.modifiedAt ?? null,
        searchWordsOf(seen.number, seen.customerName, seen.total),
        seen.createdAt ?? null,
      ]
    : [null, null, null];

/**
 * Looked at again later: Zoho did not answer, or asked for patience. One that could never be read
 * yet is known by its id and the day it was heard of until then, so that it stands in the list;
 * what only a hint told of may be nothing at all.
 */
export const postponeProcessing = (tx: Tx, due: Due, until: Date, problem: StoredProblem | null) =>
  query(
    tx,
    `update document set leased_until = null, tries = tries + 1, due_at = $3, problem = $4,
       number = case when source = 'hint' then number else coalesce(number, document_id) end,
       date = case when source = 'hint' then date else coalesce(date, seen_at::date) end where module = $1 and document_id = $2`,
    [due.module, due.documentId, until, json(problem)],
  );

/**
 * Documents that stand open with one of these problems (or exempt, or credit notes that nothing is
 * known against) are due for another look; one that is due already stays so.
 */
export const makeDueAgain = (
  tx: Tx,
  open: { codes: string[]; withExempt: boolean; withRefunds: boolean },
  at: Date,
) =>
  query(
    tx,
    `update document set due_at = $1, tries = 0 where not sealed and not gone and (due_at is null or due_at > $1)
       and (problem->>'code' = any($2::text[]) or $3 and exempt or $4 and module = 'creditnotes' and problem is null)`,
    [at, open.codes, open.withExempt, open.withRefunds],
  );

/**
 * What is exempt no longer, whether or not anybody has looked at it while it was. Of what is known
 * by its id only nobody can tell yet: when it is read, what has ended by then decides. A look that
 * is under way may have read the settings of before: such a document is looked at once more.
 */
export async function leaveToPerson(tx: Tx, ended: Exempt, at: Date): Promise<void> {
  const { customer_ids, location_ids, number_prefixes } = ended;
  // Receipts before documents, as a lane that ends a send takes them.
  await askAnewOfExempt(tx, ended);
  await query(
    tx,
    `update document d set was_exempt = d.was_exempt or found.matches, due_at = case when d.leased_until is null then d.due_at else $4 end from (
       select q.business_id, q.module, q.document_id, m.matches from document q
         cross join lateral (select coalesce(q.customer_id = any($1::text[]), false) or coalesce(q.location_id = any($2::text[]), false)
           or exists (select 1 from unnest($3::text[]) p where starts_with(q.number, p)) as matches) m
        where not q.sealed and (m.matches or q.customer_id is null) order by q.module, q.document_id for no key update of q) found
      where d.business_id = found.business_id and d.module = found.module and d.document_id = found.document_id`,
    [customer_ids, location_ids, number_prefixes, at],
  );
}

/** Our own writing changed the document in Zoho: that change is known, and nothing to look at. */
export const acknowledgeChange = (tx: Tx, key: DocumentKey, modifiedAt: Date) =>
  query(
    tx,
    `update document set modified_at = greatest(modified_at, $3::timestamptz) where module = $1 and document_id = $2`,
    [key.module, key.documentId, modifiedAt],
  );
