import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { containsAll, findSelectivePrefix, type SelectivePrefix } from '../platform/db/search.ts';
import { fromJson, query } from '../platform/db/query.ts';
import type { Elsewhere } from '../receipts/index.ts';
import { prefixesOf } from '../platform/search-words.ts';
import { type DocumentStatus, loose, standings, type WorklistFilter } from './document-status.ts';

export type WorklistRow = {
  module: 'invoices' | 'creditnotes';
  documentId: string;
  number: string;
  date: string;
  status: string;
  customerName: string;
  currency: string;
  total: string;
  locationId: string | null;
  standing: DocumentStatus;
  /** Why it stands so, where something stands in the way. */
  problem: StoredProblem | null;
  receiptId: string | null;
  /** Receipt number and total receipt number with their label, once sealed. */
  receiptLabel: string | null;
  /** Who has said that another system sealed it. */
  elsewhere: Elsewhere | null;
  /**
   * Whether somebody may say so: it is from before its branch sealed for real, or a refund that no
   * device here takes, and nothing of it is under way here.
   */
  mayBeElsewhere: boolean;
};

/** Those of them that hold every word searched for. */
const looseSearched = `and not exists (select 1 from unnest($12::text[]) w
  where position(lower(w) in lower(q.document_number || ' ' || coalesce(q.signing_input->'sale'->'buyer'->>'name', ''))) = 0)`;

/**
 * What the document itself says of being sealed, as text of the statement, so that its indexes are
 * chosen: what is open is found among what is open, and what is sealed, here or elsewhere, comes in
 * order of its date until there is enough.
 */
const sealedOrNot = (wanted: DocumentStatus[], isOfBranch: boolean): string => {
  if (wanted.includes('sealed'))
    return isOfBranch ? 'and d.sealed and d.sealed_branch = $5' : 'and d.sealed';
  if (wanted.join() === 'sealed_elsewhere') return 'and not d.sealed and d.elsewhere is not null';
  return wanted.includes('sealed_elsewhere') || wanted.includes('not_due')
    ? 'and not d.sealed'
    : 'and not d.sealed and d.elsewhere is null';
};

/**
 * Documents whose receipt has this number among all of its device's, and, where two are given, this
 * one of its own.
 */
const byReceipt = `
  select r.module, r.document_id from signature s join receipt r on r.business_id = s.business_id and r.id = s.receipt_id
   where s.environment = 'production' and s.sdc_id = any(array(select v.sdc_id from device v where v.sdc_id is not null)) and s.total_receipt_number = $13::bigint
     and ($14::bigint is null or s.receipt_number = $14::bigint)`;

/**
 * What is searched for narrows the documents before anything is joined to them: those with the
 * rarest of the words, or with a receipt of that number. Where every word is in many documents,
 * enough of them come on the way through all.
 */
const searched = (isRare: boolean): string => {
  const holds = containsAll('d.words', '$12');
  const isMeant = `(${holds} or (d.module, d.document_id) in (${byReceipt}))`;
  if (!isRare) return `and ${isMeant}`;
  return `and d.module in ('invoices', 'creditnotes') and d.document_id = any(array(
      select w.document_id from search_word w where w.word >= $15 and w.word < $16 union all select n.document_id from (${byReceipt}) n))
    and ${isMeant}`;
};

/** Where a receipt may stand that no document of the list speaks for. */
const standingsOfLoose: DocumentStatus[] = [
  'waiting',
  'in_doubt',
  'signed_twice',
  'refused',
  'drifted',
];

/**
 * Documents as they stand, the latest first. What is sealed, what is not, and receipts that no
 * document speaks for are found by indexes of their own, each in its order until there is enough,
 * and put together here: in one statement all of them would be read for a page of fifty.
 */
export async function listDocumentStatuses(tx: Tx, filter: WorklistFilter): Promise<WorklistRow[]> {
  const search = filter.search ? await readSearch(tx, filter.search) : null;
  // Nothing but signs: no word begins with that.
  if (search?.beginnings.length === 0) return [];
  const open = filter.standings.filter((each) => each !== 'sealed');
  const rows: WorklistRow[] = [];
  if (open.length < filter.standings.length)
    rows.push(...(await listPart(tx, { ...filter, standings: ['sealed'] }, 'sealed', search)));
  if (open.length > 0)
    rows.push(...(await listPart(tx, { ...filter, standings: open }, 'open', search)));
  if (open.some((each) => standingsOfLoose.includes(each)))
    rows.push(...(await listPart(tx, { ...filter, standings: open }, 'loose', search)));
  return rows.toSorted(latestFirst).slice(0, filter.limit);
}

type Search = { beginnings: string[]; receiptNumbers: (string | null)[]; rare: SelectivePrefix };

async function readSearch(tx: Tx, text: string): Promise<Search> {
  const beginnings = prefixesOf(text);
  const numbers = /^\s*(?:(\d{1,15})\s*\/\s*)?(\d{1,15})(?:\s*\p{L}{2})?\s*$/u.exec(text);
  return {
    beginnings,
    receiptNumbers: [numbers?.[2] ?? null, numbers?.[1] ?? null],
    rare: await findSelectivePrefix(tx, beginnings),
  };
}

/**
 * What a row is told apart by where another one has its day and its document: of one document a
 * sale and the refund that undoes it may both stand open.
 */
export const rowKey = (row: Pick<WorklistRow, 'module' | 'receiptId'>): string =>
  `${row.module}/${row.receiptId ?? ''}`;

/** The order of the statement; ids are digits, which every collation sorts alike. */
function latestFirst(a: WorklistRow, b: WorklistRow): number {
  const [one, other] = [a, b].map((row) => [row.date, row.documentId, rowKey(row)]) as [
    string[],
    string[],
  ];
  const at = one.findIndex((part, i) => part !== other[i]);
  return at < 0 ? 0 : (one[at] as string) < (other[at] as string) ? 1 : -1;
}

async function listPart(
  tx: Tx,
  filter: WorklistFilter,
  part: 'sealed' | 'open' | 'loose',
  search: Search | null,
): Promise<WorklistRow[]> {
  const isOfDocuments = part !== 'loose';
  const from = isOfDocuments
    ? `${standings(filter.sealsApproved)} ${sealedOrNot(filter.standings, filter.branch !== null)} ${search ? searched(search.rare !== null) : ''}`
    : `${loose} ${search ? looseSearched : ''}`;
  const key = `(module || '/' || coalesce(receipt_id, '')) collate "C"`;
  const rows = await query<Record<string, unknown>>(
    tx,
    `select module, document_id, number, day, status, customer_name, currency, total::text, location_id, standing, problem, receipt_id, label, elsewhere, may_be_elsewhere from (${from}) l
      where ${part === 'sealed' ? '$2::text[] is not null' : 'standing = any($2::text[])'} and ($3::date is null or date >= $3::date) and ($4::date is null or date <= $4::date)
        and ($5::text is null or coalesce(branch_id = $5, coalesce(location_id, 'none') = any($9::text[])))
        and ($10::text[] is null or document_id = any($10))
        and ($7::date is null or (date, document_id) <= ($7::date, $8::text) and ((date, document_id) < ($7::date, $8::text) or ${key} < $11::text))
      order by date desc, document_id desc${isOfDocuments ? '' : `, ${key} desc`} limit $6`,
    valuesOf(filter, search, isOfDocuments),
  );
  return rows.map(rowOf);
}

/** Returns what the statement asks for, in the order in which its numbers name it. */
const valuesOf = (
  { after, ...filter }: WorklistFilter,
  search: Search | null,
  isOfDocuments: boolean,
) => [
  filter.goLiveDate,
  filter.standings,
  filter.from,
  filter.to,
  filter.branch?.id ?? null,
  filter.limit,
  after?.at ?? null,
  after?.id ?? null,
  filter.branch?.locationIds ?? [],
  filter.documentIds,
  after?.key ?? null,
  ...(search ? searchedFor(search, isOfDocuments) : []),
];

const searchedFor = ({ beginnings, receiptNumbers, rare }: Search, isOfDocuments: boolean) =>
  isOfDocuments
    ? [beginnings, ...receiptNumbers, ...(rare ? [rare.from, rare.to] : [])]
    : [beginnings];

const rowOf = (row: Record<string, unknown>): WorklistRow => ({
  module: row.module as WorklistRow['module'],
  documentId: row.document_id as string,
  number: row.number as string,
  date: row.day as string,
  status: row.status as string,
  customerName: row.customer_name as string,
  currency: row.currency as string,
  total: row.total as string,
  locationId: row.location_id as string | null,
  standing: row.standing as DocumentStatus,
  problem: fromJson(row.problem),
  receiptId: row.receipt_id as string | null,
  receiptLabel: row.label as string | null,
  elsewhere: fromJson(row.elsewhere),
  mayBeElsewhere: row.may_be_elsewhere === true,
});
