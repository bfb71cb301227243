import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query } from '../platform/db/query.ts';
import type { Code } from '../ports/dialect/index.ts';

/** Replaces one list of a device whole. */
export async function replaceList(
  tx: Tx,
  replaced: { businessId: string; deviceId: string; list: string; codes: Code[]; at: Date },
): Promise<void> {
  const { businessId, deviceId, list, codes, at } = replaced;
  await query(tx, 'delete from code_list where device_id = $1 and list = $2', [deviceId, list]);
  await query(
    tx,
    `insert into code_list (business_id, device_id, list, code, name, data, position, synced_at)
     select $1, $2, $3, c->>'code', c->>'name', c->'data', (row_number() over ())::int, $5 from jsonb_array_elements($4::jsonb) c
     on conflict do nothing`,
    [businessId, deviceId, list, json(codes), at],
  );
}

/** Reads every list of a device but the item classes, which are many. */
export async function readLists(tx: Tx, deviceId: string): Promise<Record<string, Code[]>> {
  const rows = await query<{ list: string; code: string; name: string; data: unknown }>(
    tx,
    "select list, code, name, data from code_list where device_id = $1 and list <> 'item_class' order by list, position",
    [deviceId],
  );
  const lists: Record<string, Code[]> = {};
  for (const row of rows)
    (lists[row.list] ??= []).push({ code: row.code, name: row.name, data: fromJson(row.data) });
  return lists;
}

/** Reads one list of a device whole. */
export async function readWhole(tx: Tx, deviceId: string, list: string): Promise<Code[]> {
  const rows = await query<{ code: string; name: string; data: unknown }>(
    tx,
    'select code, name, data from code_list where device_id = $1 and list = $2 order by position',
    [deviceId, list],
  );
  return rows.map((row) => ({ code: row.code, name: row.name, data: fromJson(row.data) }));
}

/** Returns which of these item classes the device knows; null if they were never fetched. */
export async function knownItemClasses(
  tx: Tx,
  deviceId: string,
  codes: string[],
): Promise<Set<string> | null> {
  const rows = await query<{ code: string | null }>(
    tx,
    `select code from code_list where device_id = $1 and list = 'item_class' and code = any($2::text[])
     union all select null where exists (select 1 from code_list where device_id = $1 and list = 'item_class')`,
    [deviceId, codes],
  );
  return rows.length === 0
    ? null
    : new Set(rows.flatMap((row) => (row.code === null ? [] : [row.code])));
}

export const listItemClasses = (tx: Tx, deviceId: string, max: number) =>
  query<{ code: string; name: string }>(
    tx,
    "select code, name from code_list where device_id = $1 and list = 'item_class' order by position limit $2",
    [deviceId, max],
  );
