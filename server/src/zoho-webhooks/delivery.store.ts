import { idPrefixes } from '@muhuri/shared/ids';
import { pageAfter } from '../platform/db/keyset-page.ts';
import type { Tx } from '../platform/db/database.ts';
import { json, query, toDate } from '../platform/db/query.ts';

export type Verdict =
  | 'accepted'
  | 'hint'
  | 'repeated'
  | 'stale'
  | 'foreign'
  | 'forged'
  | 'malformed'
  | 'ping';

/** One call of a webhook: who it was, not what it said. The body is kept as a digest only. */
export type Delivery = {
  id: string;
  webhookId: string;
  at: Date;
  verdict: Verdict;
  module: 'invoices' | 'creditnotes';
  documentId: string | null;
  modifiedAt: Date | null;
  dedupeKey: string | null;
  digest: string;
  bytes: number;
  origin: string | null;
};

/** What `rowOf` fills. Columns that a later version adds have their default. */
const columns =
  'business_id, id, webhook_id, at, verdict, module, document_id, modified_at, dedupe_key, digest, bytes, origin';
const rowOf = (businessId: string, d: Delivery) => ({
  business_id: businessId,
  id: d.id,
  webhook_id: d.webhookId,
  at: d.at.toISOString(),
  verdict: d.verdict,
  module: d.module,
  document_id: d.documentId,
  modified_at: d.modifiedAt?.toISOString() ?? null,
  dedupe_key: d.dedupeKey,
  digest: d.digest,
  bytes: d.bytes,
  origin: d.origin,
});

export const insertDelivery = (tx: Tx, businessId: string, delivery: Delivery) =>
  query(
    tx,
    `insert into delivery (${columns}) select ${columns} from jsonb_populate_record(null::delivery, $1)`,
    [json(rowOf(businessId, delivery))],
  );

export type ClaimedDelivery = 'fresh' | 'repeated' | 'stale';

/**
 * Keeps deliveries and has their documents looked at, in one statement (anew, where a look is under
 * way just now: it may have read too early): `repeated` where the same change came before, `stale`
 * where a later one is known, else `fresh`. A repetition with another body within the same second
 * may be another change: it is looked at again. A time of change that lies ahead of our own says
 * nothing of what is stale: a clock or a zone is wrong somewhere, and until that time had passed
 * nothing would be heard of the document. Rows are taken in one order, so that two batches that
 * meet wait for each other instead of locking each other out. What came before is looked up row by
 * row: joined, a table whose statistics lag behind would be read whole. Answers by the deliveries'
 * ids.
 */
export async function claimDeliveries(
  tx: Tx,
  businessId: string,
  deliveries: Delivery[],
): Promise<Map<string, ClaimedDelivery>> {
  const rows = await query<{ id: string; is_new: boolean; is_fresh: boolean }>(
    tx,
    `with given as (
       select ${columns} from jsonb_populate_recordset(null::delivery, $1)
     ), kept as (
       insert into delivery (${columns}) select ${columns} from given order by dedupe_key
         on conflict (business_id, dedupe_key) where dedupe_key is not null do nothing returning id
     ), told as (
       select g.module, g.document_id, max(g.modified_at) as modified_at, bool_or(g.modified_at is null) as is_unsaid, max(g.at) as at,
         bool_and(g.verdict = 'hint') as is_hint
       from given g left join kept k on k.id = g.id
         left join lateral (select digest from delivery where business_id = $2 and dedupe_key = g.dedupe_key limit 1) d on k.id is null
       where k.id is not null or d.digest <> g.digest group by g.module, g.document_id
     ), doc as (
       insert into document (business_id, module, document_id, modified_at, seen_at, due_since, source, due_at)
       select $2, module, document_id, null, at, at, case when is_hint then 'hint' else 'webhook' end, at from told order by module, document_id
       on conflict (business_id, module, document_id) do update set due_at = excluded.due_at,
         source = case when document.due_at is not null and document.source <> 'hint' then document.source else excluded.source end
         where document.modified_at is null or document.gone or exists (select 1 from told t where t.module = excluded.module
           and t.document_id = excluded.document_id and (t.is_unsaid or document.modified_at < t.modified_at or document.modified_at > t.at))
       returning module, document_id
     )
     select g.id, k.id is not null as is_new, doc.document_id is not null as is_fresh
     from given g left join kept k on k.id = g.id left join doc on doc.module = g.module and doc.document_id = g.document_id`,
    [json(deliveries.map((each) => rowOf(businessId, each))), businessId],
  );
  return new Map(
    rows.map((row) => [row.id, !row.is_new ? 'repeated' : row.is_fresh ? 'fresh' : 'stale']),
  );
}

export const setVerdict = (tx: Tx, id: string, verdict: Verdict) =>
  query(tx, 'update delivery set verdict = $2 where id = $1', [id, verdict]);

export const listDeliveries = async (
  tx: Tx,
  page: { limit: number; after: { at: string; id: string } | null; verdict: string | null },
): Promise<Delivery[]> =>
  (
    await query(
      tx,
      `select id, webhook_id, at, verdict, module, document_id, modified_at, digest, bytes, origin from delivery
        where ($1::text is null or verdict = $1) and ($2::text is null or id < $2)
          and ${pageAfter('delivery', 'at', 'id', '$3', '$4')} order by id desc limit $5`,
      // One thousandth further than the time says, and from there by time and id: an id alone,
      // which anybody may make up, decides nothing.
      [
        page.verdict,
        page.after ? idAt(Date.parse(page.after.at) + 1) : null,
        page.after?.at ?? null,
        page.after?.id ?? null,
        page.limit,
      ],
    )
  ).map((row) => ({
    id: row.id as string,
    webhookId: row.webhook_id as string,
    at: toDate(row.at),
    verdict: row.verdict as Verdict,
    module: row.module as Delivery['module'],
    documentId: row.document_id as string | null,
    modifiedAt: row.modified_at === null ? null : toDate(row.modified_at),
    dedupeKey: null,
    digest: row.digest as string,
    bytes: row.bytes as number,
    origin: row.origin as string | null,
  }));

export const deleteOldDeliveries = (tx: Tx, before: Date) =>
  query(tx, 'delete from delivery where id < $1', [idAt(before.getTime())]);

/** Where ids of a time begin: an id's first digits are its milliseconds. */
const idAt = (ms: number): string => `${idPrefixes.delivery}_${ms.toString(16).padStart(12, '0')}`;
