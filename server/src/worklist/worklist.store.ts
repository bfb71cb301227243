import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { findSelectivePrefix, containsAll, type SelectivePrefix } from '../platform/db/search.ts';
import { fromJson, query, queryOne, toDate } from '../platform/db/query.ts';
import { booksOf, type Elsewhere } from '../receipts/index.ts';
import { prefixesOf } from '../platform/search-words.ts';

/**
 * Where a document stands between Zoho and the authority. `signed_twice`: the device signed it
 * late, after it was settled or sent anew; `before_production`: another system may have sealed it,
 * and a person has to say whether one did; `sealed_elsewhere`: a person has said that one did;
 * `rehearsed`: there is only a test receipt, and its branch does not seal for real yet.
 */
export type DocumentStatus =
  | 'to_seal'
  | 'waiting'
  | 'in_doubt'
  | 'signed_twice'
  | 'refused'
  | 'drifted'
  | 'sealed'
  | 'exempt'
  | 'not_due'
  | 'before_production'
  | 'sealed_elsewhere'
  | 'rehearsed';

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

export type WorklistFilter = {
  goLiveDate: string;
  /** Whether approved documents are sealed by themselves, and so are due. */
  sealsApproved: boolean;
  from: string | null;
  to: string | null;
  standings: DocumentStatus[];
  /** A branch, and the places in Zoho that are mapped to it. */
  branch: { id: string; locationIds: string[] } | null;
  documentIds: string[] | null;
  search: string | null;
  limit: number;
  after: WorklistCursor | null;
};

/** The last row of the page before: its day, its document, and its `rowKey`. */
export type WorklistCursor = { at: string; id: string; key: string };

/**
 * Statuses in which a document is no business of the authority's yet, or any more; approved is one
 * unless approved documents are sealed.
 */
const notDue = (sealsApproved: boolean) =>
  `('draft', 'pending_approval', 'submitted', ${sealsApproved ? '' : "'approved', "}'rejected', 'void')`;

/**
 * What stands beside a document, looked up by its key for each document that is read (`offset 0`
 * holds the planner to it). Documents come in the order of their dates and there are enough of them
 * soon; joined freely, all receipts of the business may be read for a page of fifty. No `coalesce`
 * may stand in such a condition: row security takes it for a function that could leak, and no index
 * is used for what it is compared with.
 */
const beside = (name: string, table: string, which: string): string =>
  `left join lateral (select * from ${table} x where x.business_id = d.business_id and ${which} offset 0) ${name} on true`;

const ofDocument = (environment: 'production' | 'sandbox'): string =>
  `x.module = d.module and x.document_id = d.document_id and x.kind = case d.module when 'invoices' then 'sale' else 'refund' end
    and x.environment = '${environment}' and coalesce(x.moved_to, '') = ''`;

/**
 * From before its branch sealed for real, or its place in the books was mapped to a branch that
 * does. Where the document does not say when it was made, its date has to do; before anything is
 * sealed Zoho itself is asked.
 */
const isBeforeProduction = `(b.production_since is not null
  and (coalesce(d.created_at, d.date::timestamp at time zone 'UTC') <= greatest(b.production_since, m.production_since) or coalesce(t.state in ('signed', 'in_doubt'), false)))`;

/**
 * Refunds that no device here can take: they are settled with whoever has the sale, and a person
 * says so. What was found of the note at the last look, or by the lane that read it again, decides,
 * since whose refund it is stands in the books.
 */
const settledOutside: ProblemCode[] = ['refund_run_broken', 'refund_sale_elsewhere'];
const isSettledOutside = `(d.module = 'creditnotes' and coalesce(coalesce(q.problem, d.problem)->>'code' in (${settledOutside.map((code) => `'${code}'`).join(', ')}), false))`;

const text = (code: ProblemCode) => `'{"code": "${code}"}'::jsonb`;

/**
 * Why the receipt `q` at its device `v` stands where it does: what stops the whole lane says more
 * than what the document itself was last told, and a doubt that one person has answered waits for a
 * second one.
 */
const reasonOf = (otherwise: string) => `
    coalesce(
      case when q.contested then case when exists (select 1 from settlement x where x.business_id = q.business_id and x.receipt_id = q.id)
        then ${text('second_person_needed')}
        else (select jsonb_build_object('code', 'signed_twice', 'invoice_number', x.invoice_number::text, 'receipt', x.receipt_number || '/' || x.total_receipt_number)
          from second_signature x where x.business_id = q.business_id and x.receipt_id = q.id and x.settled_at is null order by x.ordinal desc, x.heard_at desc limit 1) end end,
      q.drift,
      case when q.state = 'queued' then coalesce(v.difference, case when v.state <> 'active' then coalesce(v.problem, ${text('device_paused')}) end) end,
      case when q.state = 'in_doubt' and (exists (select 1 from settlement x where x.business_id = q.business_id and x.receipt_id = q.id)
        or exists (select 1 from reversal x where x.business_id = q.business_id and x.receipt_id = q.id and x.confirmed_by is null))
        then ${text('second_person_needed')} end,
      q.problem,
      case when q.state = 'queued' and exists (select 1 from receipt o where o.business_id = q.business_id and o.device_id = q.device_id
        and o.state = 'in_doubt' and o.id <> q.id) then ${text('behind_doubt')} end, ${otherwise}) as problem`;

/**
 * Every document since go-live beside its receipt: what Zoho has, from the poll and the webhooks,
 * against what was sealed. Its test receipt, and that only while its branch has no production
 * device, stands for nothing but the rehearsal. Where many are only counted, nothing is asked of
 * them that a count does not need.
 */
const standings = (sealsApproved: boolean, isCounted = false) => `
  select d.module, d.document_id, coalesce(d.number, r.document_number, '') as number, d.date, ${isCounted ? 'd.due_since' : 'd.date::text as day'}, coalesce(d.status, '') as status,
    coalesce(d.customer_name, '') as customer_name, coalesce(d.currency, '') as currency, trim_scale(coalesce(d.total, 0)) as total, d.location_id, coalesce(r.branch_id, t.branch_id) as branch_id,
    ${isCounted ? 'case when r.id is not null then r.id when b.production_since is null then t.id end' : 'q.id'} as receipt_id,
    ${isCounted ? '' : "case when s.receipt_id is null then null else s.receipt_number || '/' || s.total_receipt_number || ' ' || s.label end as label,"}
    case when r.contested then 'signed_twice'
      when r.state = 'signed' and r.drift is not null then 'drifted'
      when r.state = 'signed' then 'sealed'
      when r.state = 'in_doubt' then 'in_doubt'
      when r.state = 'queued' then 'waiting'
      when d.gone or d.status in ${notDue(sealsApproved)} or d.number is null then 'not_due'
      when d.elsewhere is not null then 'sealed_elsewhere'
      when r.state = 'refused' then 'refused'
      when d.exempt then 'exempt'
      when ${isBeforeProduction} then 'before_production'
      when b.production_since is null and t.contested then 'signed_twice'
      when b.production_since is null and t.state = 'signed' then 'rehearsed'
      when b.production_since is null and t.state = 'in_doubt' then 'in_doubt'
      when b.production_since is null and t.state = 'queued' then 'waiting'
      when b.production_since is null and t.state = 'refused' then 'refused'
      else 'to_seal' end as standing${
        isCounted
          ? ''
          : `,
    ${reasonOf('d.problem')}, d.elsewhere,
    (${isBeforeProduction} or d.was_exempt or ${isSettledOutside}) and (r.state is null or r.contested is not true and r.state in ('refused', 'withdrawn')) as may_be_elsewhere`
      }
  from document d
  ${beside('r', 'receipt', ofDocument('production'))}
  ${beside('t', 'receipt', ofDocument('sandbox'))}
  ${beside('m', 'mapping', "x.kind = 'location' and x.key = case when d.location_id is null then 'none' else d.location_id end")}
  ${beside('b', 'branch', `x.id = coalesce(r.branch_id, t.branch_id, m.value->>'branch_id', (select case when count(*) = 1 then min(o.id) end from branch o))`)}
  ${
    isCounted
      ? ''
      : `${beside('q', 'receipt', 'x.id = case when r.id is not null then r.id when b.production_since is null then t.id end')}
  ${beside('v', 'device', 'x.id = q.device_id')}
  ${beside('s', 'signature', 'x.receipt_id = r.id')}`
  }
  where d.date >= $1::date and (d.elsewhere is null or d.sealed or r.state is null or r.contested is not true and r.state in ('refused', 'withdrawn'))`;

/**
 * Receipts that stand open and that no document of the list speaks for: of a document dated before
 * go-live, of one that no list of Zoho's has told of yet, or that is said to be sealed elsewhere,
 * the refund that undoes a lost sale. Nothing that was begun is overlooked because of where it came
 * from.
 */
const loose = `
  select q.module, q.document_id, q.document_number as number, q.document_date as date, q.document_date::text as day, '' as status,
    coalesce(q.sale->'sale'->'buyer'->>'name', '') as customer_name, coalesce(q.sale->'sale'->>'currency', '') as currency,
    trim_scale((q.sale->'sale'->>'total')::numeric) as total, null::text as location_id, q.branch_id, q.id as receipt_id, null::text as label,
    case when q.contested then 'signed_twice' when q.state = 'signed' then 'drifted' when q.state = 'queued' then 'waiting' else q.state end as standing,${reasonOf('null::jsonb')}, null::jsonb as elsewhere, false as may_be_elsewhere
  from receipt q join branch b on b.business_id = q.business_id and b.id = q.branch_id
    join device v on v.business_id = q.business_id and v.id = q.device_id
  where (q.state in ('queued', 'in_doubt', 'refused') or q.state = 'signed' and q.drift is not null or q.contested) and q.moved_to is null
    and (q.environment = 'production' or b.production_since is null)
    and not exists (select 1 from document d where d.business_id = q.business_id and d.module = q.module and d.document_id = q.document_id
      and q.kind = case d.module when 'invoices' then 'sale' else 'refund' end
      and (d.date >= $1::date and d.elsewhere is null or q.state = 'refused' and not q.contested and (d.gone or d.status = 'void' or d.elsewhere is not null)))`;

/** Those of them that hold every word searched for. */
const looseSearched = `and not exists (select 1 from unnest($12::text[]) w
  where position(lower(w) in lower(q.document_number || ' ' || coalesce(q.sale->'sale'->'buyer'->>'name', ''))) = 0)`;

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
    [
      filter.goLiveDate,
      filter.standings,
      filter.from,
      filter.to,
      filter.branch?.id ?? null,
      filter.limit,
      filter.after?.at ?? null,
      filter.after?.id ?? null,
      filter.branch?.locationIds ?? [],
      filter.documentIds,
      filter.after?.key ?? null,
      ...(search ? [search.beginnings] : []),
      ...(search && isOfDocuments ? search.receiptNumbers : []),
      ...(search?.rare && isOfDocuments ? [search.rare.from, search.rare.to] : []),
    ],
  );
  return rows.map((row) => ({
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
  }));
}

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
      `select ((select count(*) from document where look_at is not null and tries > 0 and date between $1::date and $2::date)
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
