import type { MappingKind } from '@muhuri/shared/contract/mappings.contract';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query } from '../platform/db/query.ts';

export type Mapping = { key: string; value: Record<string, string> };

export async function readMappings(tx: Tx): Promise<Record<MappingKind, Record<string, Record<string, string>>>> {
  const rows = await query<{ kind: MappingKind; key: string; value: unknown }>(tx, 'select kind, key, value from mapping');
  // By whatever key was given: none of them may be taken for what every object has.
  const none = (): Record<string, Record<string, string>> => Object.create(null) as Record<string, Record<string, string>>;
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

export const countMappings = async (tx: Tx): Promise<number> => (await query<{ n: number }>(tx, 'select count(*)::int as n from mapping'))[0]?.n ?? 0;

export async function putMapping(tx: Tx, businessId: string, kind: MappingKind, mapping: Mapping, at: Date): Promise<void> {
  await query(
    tx,
    `insert into mapping (business_id, kind, key, value, updated_at) values ($1, $2, $3, $4, $5)
     on conflict (business_id, kind, key) do update set value = excluded.value, updated_at = excluded.updated_at`,
    [businessId, kind, mapping.key, json(mapping.value), at],
  );
}
