import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDate } from '../platform/db/query.ts';

export type Verdict = 'accepted' | 'hint' | 'repeated' | 'stale' | 'foreign' | 'forged' | 'malformed' | 'ping';

/** One call of a webhook: who it was, not what it said. The body is kept as a digest only. */
export type Delivery = {
  id: string;
  hookId: string;
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

const values = (businessId: string, d: Delivery) => [
  businessId,
  d.id,
  d.hookId,
  d.at,
  d.verdict,
  d.module,
  d.documentId,
  d.modifiedAt,
  d.dedupeKey,
  d.digest,
  d.bytes,
  d.origin,
];
const insert = `insert into delivery (business_id, id, hook_id, at, verdict, module, document_id, modified_at, dedupe_key, digest, bytes, origin)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

export const insertDelivery = (tx: Tx, businessId: string, delivery: Delivery) => query(tx, insert, values(businessId, delivery));

/**
 * Keeps a delivery and has its document looked at, in one statement (anew, where a look is under way just now: it may have read too early): `repeated` where the same change came before, `stale` where a later
 * one is known, else `fresh`. A repetition with another body within the same second may be another change: it is looked at again.
 */
export async function takeDelivery(tx: Tx, businessId: string, delivery: Delivery, source: 'webhook' | 'hint'): Promise<'fresh' | 'repeated' | 'stale'> {
  const row = await queryOne<{ is_new: boolean; is_fresh: boolean }>(
    tx,
    `with kept as (
       ${insert} on conflict (business_id, dedupe_key) where dedupe_key is not null do nothing returning 1
     ), first as (
       select digest from delivery where business_id = $1 and dedupe_key = $9
     ), doc as (
       insert into document (business_id, module, document_id, modified_at, seen_at, source, look_at)
       select $1, $6, $7, null, $4, $13, $4 where exists (select 1 from kept) or exists (select 1 from first where digest <> $10)
       on conflict (business_id, module, document_id) do update set look_at = excluded.look_at,
         source = case when document.look_at is not null and document.source <> 'hint' then document.source else excluded.source end
         where $8::timestamptz is null or document.modified_at is null or document.gone or document.modified_at < $8::timestamptz
       returning 1
     )
     select exists (select 1 from kept) as is_new, exists (select 1 from doc) as is_fresh`,
    [...values(businessId, delivery), source],
  );
  return !row?.is_new ? 'repeated' : row.is_fresh ? 'fresh' : 'stale';
}

export const setVerdict = (tx: Tx, id: string, verdict: Verdict) => query(tx, 'update delivery set verdict = $2 where id = $1', [id, verdict]);

export const listDeliveries = async (tx: Tx, page: { limit: number; after: { at: string; id: string } | null; verdict: string | null }): Promise<Delivery[]> =>
  (
    await query(
      tx,
      `select id, hook_id, at, verdict, module, document_id, modified_at, digest, bytes, origin from delivery
        where ($1::text is null or verdict = $1) and ($2::timestamptz is null or (at, id) < ($2::timestamptz, $3::text)) order by at desc, id desc limit $4`,
      [page.verdict, page.after?.at ?? null, page.after?.id ?? null, page.limit],
    )
  ).map((row) => ({
    id: row.id as string,
    hookId: row.hook_id as string,
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

export const deleteOldDeliveries = (tx: Tx, before: Date) => query(tx, 'delete from delivery where at < $1', [before]);
