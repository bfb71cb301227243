import type { ProblemCode } from '@muhuri/shared/problems';

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
export const notDue = (sealsApproved: boolean) =>
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
        then ${text('second_person_required')}
        else (select jsonb_build_object('code', 'signed_twice', 'invoice_number', x.invoice_number::text, 'receipt', x.receipt_number || '/' || x.total_receipt_number)
          from second_signature x where x.business_id = q.business_id and x.receipt_id = q.id and x.settled_at is null order by x.ordinal desc, x.heard_at desc limit 1) end end,
      q.drift,
      case when q.state = 'queued' then coalesce(v.difference, case when v.state <> 'active' then coalesce(v.problem, ${text('device_paused')}) end) end,
      case when q.state = 'in_doubt' and (exists (select 1 from settlement x where x.business_id = q.business_id and x.receipt_id = q.id)
        or exists (select 1 from reversal x where x.business_id = q.business_id and x.receipt_id = q.id and x.confirmed_by is null))
        then ${text('second_person_required')} end,
      q.problem,
      case when q.state = 'queued' and exists (select 1 from receipt o where o.business_id = q.business_id and o.device_id = q.device_id
        and o.state = 'in_doubt' and o.id <> q.id) then ${text('behind_doubt')} end, ${otherwise}) as problem`;

/**
 * Every document since go-live beside its receipt: what Zoho has, from the poll and the webhooks,
 * against what was sealed. Its test receipt, and that only while its branch has no production
 * device, stands for nothing but the rehearsal. Where many are only counted, nothing is asked of
 * them that a count does not need.
 */
export const standings = (sealsApproved: boolean, isCounted = false) => `
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
export const loose = `
  select q.module, q.document_id, q.document_number as number, q.document_date as date, q.document_date::text as day, '' as status,
    coalesce(q.signing_input->'sale'->'buyer'->>'name', '') as customer_name, coalesce(q.signing_input->'sale'->>'currency', '') as currency,
    trim_scale((q.signing_input->'sale'->>'total')::numeric) as total, null::text as location_id, q.branch_id, q.id as receipt_id, null::text as label,
    case when q.contested then 'signed_twice' when q.state = 'signed' then 'drifted' when q.state = 'queued' then 'waiting' else q.state end as standing,${reasonOf('null::jsonb')}, null::jsonb as elsewhere, false as may_be_elsewhere
  from receipt q join branch b on b.business_id = q.business_id and b.id = q.branch_id
    join device v on v.business_id = q.business_id and v.id = q.device_id
  where (q.state in ('queued', 'in_doubt', 'refused') or q.state = 'signed' and q.drift is not null or q.contested) and q.moved_to is null
    and (q.environment = 'production' or b.production_since is null)
    and not exists (select 1 from document d where d.business_id = q.business_id and d.module = q.module and d.document_id = q.document_id
      and q.kind = case d.module when 'invoices' then 'sale' else 'refund' end
      and (d.date >= $1::date and d.elsewhere is null or q.state = 'refused' and not q.contested and (d.gone or d.status = 'void' or d.elsewhere is not null)))`;
