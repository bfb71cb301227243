import type { MappingKind } from '@muhuri/shared/contract/mappings.contract';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDateOrNull } from '../platform/db/query.ts';

export type Mapping = { key: string; value: Record<string, string> };

export async function readMappings(
  tx: Tx,
): Promise<Record<MappingKind, Record<string, Record<string, string>>>> {
  const rows = await query<{ kind: MappingKind; key: string; value: unknown }>(
    tx,
    'select kind, key, value from mapping',
  );
  // By whatever key was given: none of them may be taken for what every object has.
  const none = (): Record<string, Record<string, string>> =>
    Object.create(null) as Record<string, Record<string, string>>;
  const mappings: Record<MappingKind, Record<string, Record<string, string>>> = {
    tax: none(),
    item: none(),
    charge: none(),
    location: none(),
    payment_mode: none(),
  };
  for (const row of rows) mappings[row.kind][row.key] = fromJson(row.value);
  return mappings;
}

export const countMappings = async (tx: Tx): Promise<number> =>
  (await query<{ n: number }>(tx, 'select count(*)::int as n from mapping'))[0]?.n ?? 0;

/**
 * A place in the books that is mapped to a branch in production is ours from that moment on, and
 * stays ours while it goes from one such branch to another. Documents without a place go to the
 * only branch there is, mapped or not: they are as long ours as it is in production.
 */
const production = `case when $2::text = 'location' then (select case when $3::text = 'none' and (select count(*) from branch) = 1 then b.production_since
  when b.production_since is not null then $5::timestamptz end from branch b where b.id = $4::jsonb->>'branch_id') end`;

/** Since when this place is mapped to a branch in production; null where it is not, or to none. */
export const placeSince = async (tx: Tx, key: string): Promise<Date | null> =>
  toDateOrNull(
    (
      await queryOne(
        tx,
        "select production_since as since from mapping where kind = 'location' and key = $1",
        [key],
      )
    )?.since ?? null,
  );

export async function putMapping(
  tx: Tx,
  businessId: string,
  kind: MappingKind,
  mapping: Mapping,
  at: Date,
): Promise<void> {
  await query(
    tx,
    `insert into mapping (business_id, kind, key, value, updated_at, production_since) values ($1, $2, $3, $4, $5, ${production})
     on conflict (business_id, kind, key) do update set value = excluded.value, updated_at = excluded.updated_at,
       production_since = case when excluded.production_since is not null then coalesce(mapping.production_since, excluded.production_since) end`,
    [businessId, kind, mapping.key, json(mapping.value), at],
  );
}
