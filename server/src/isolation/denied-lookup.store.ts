import { pageAfter } from '../platform/db/keyset-page.ts';
import type { Tx } from '../platform/db/database.ts';
import { query, toDate } from '../platform/db/query.ts';

/**
 * An id a caller named in a request that was refused; whether it exists elsewhere is looked at
 * later, by a job.
 */
export type DeniedLookup = {
  id: string;
  at: Date;
  actorType: string;
  actorId: string;
  route: string;
  asked: string;
  origin: string | null;
};

export const insertDeniedLookup = (tx: Tx, businessId: string, lookup: DeniedLookup) =>
  query(
    tx,
    'insert into denied_lookup (business_id, id, at, actor_type, actor_id, route, asked, origin) values ($1, $2, $3, $4, $5, $6, $7, $8)',
    [
      businessId,
      lookup.id,
      lookup.at,
      lookup.actorType,
      lookup.actorId,
      lookup.route,
      lookup.asked,
      lookup.origin,
    ],
  );

export async function listDeniedLookups(tx: Tx, limit: number): Promise<DeniedLookup[]> {
  const rows = await query<Record<string, string | null>>(
    tx,
    'select id, at, actor_type, actor_id, route, asked, origin from denied_lookup where looked_at is null order by at limit $1',
    [limit],
  );
  return rows.map((row) => ({
    id: row.id as string,
    at: toDate(row.at),
    actorType: row.actor_type as string,
    actorId: row.actor_id as string,
    route: row.route as string,
    asked: row.asked as string,
    origin: row.origin ?? null,
  }));
}

/**
 * Looked at: an attempt stands elsewhere by now, and the rest was nothing. False where another
 * process has looked at it before.
 */
export const deleteDeniedLookup = async (tx: Tx, id: string): Promise<boolean> =>
  (await query(tx, 'delete from denied_lookup where id = $1 returning 1 as gone', [id])).length > 0;

/**
 * The one question that may be asked across businesses (`platform` door): whether the id stands in
 * another one. Answers yes or no.
 */
export async function existsElsewhere(tx: Tx, asked: string, businessId: string): Promise<boolean> {
  const [row] = await query<{ yes: boolean }>(
    tx,
    'select public.id_stands_elsewhere($1, $2) as yes',
    [asked, businessId],
  );
  return row?.yes === true;
}

export type CrossBusinessAccess = {
  id: string;
  at: Date;
  businessId: string;
  actorType: string;
  actorId: string;
  route: string;
  asked: string;
  origin: string | null;
};

/** Two processes may look into the same lookup: it becomes one attempt. */
export const insertCrossBusinessAccess = (tx: Tx, access: CrossBusinessAccess) =>
  query(
    tx,
    `insert into reference.cross_business_access (id, at, business_id, actor_type, actor_id, route, asked, origin) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do nothing`,
    [
      access.id,
      access.at,
      access.businessId,
      access.actorType,
      access.actorId,
      access.route,
      access.asked,
      access.origin,
    ],
  );

export async function listCrossBusinessAccess(
  tx: Tx,
  page: { limit: number; after: { at: string; id: string } | null },
): Promise<CrossBusinessAccess[]> {
  const rows = await query<Record<string, string | null>>(
    tx,
    `select id, at, business_id, actor_type, actor_id, route, asked, origin from reference.cross_business_access where ${pageAfter('reference.cross_business_access', 'at', 'id', '$1', '$2')} order by at desc, id desc limit $3`,
    [page.after?.at ?? null, page.after?.id ?? null, page.limit],
  );
  return rows.map((row) => ({
    id: row.id as string,
    at: toDate(row.at),
    businessId: row.business_id as string,
    actorType: row.actor_type as string,
    actorId: row.actor_id as string,
    route: row.route as string,
    asked: row.asked as string,
    origin: row.origin ?? null,
  }));
}

export const countCrossBusinessAccess = async (tx: Tx, since: Date): Promise<number> =>
  Number(
    (
      await query<{ n: number }>(
        tx,
        'select count(*)::int as n from reference.cross_business_access where at > $1',
        [since],
      )
    )[0]?.n ?? 0,
  );
