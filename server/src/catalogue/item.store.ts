import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../platform/db/query.ts';
import type { ItemContent } from '../model/sale.model.ts';

export type Item = { id: string; itemCode: string; content: ItemContent };

/**
 * Returns the item code of a source, and makes it on first sight. Codes are unique per taxpayer and
 * never reused. The sequence is counted under a lock of its own of the business, so that two
 * documents read at once cannot make the same code.
 */
export async function ensureItem(
  tx: Tx,
  businessId: string,
  { source, content }: { source: string; content: ItemContent },
  make: { id: string; code(sequence: number): string },
  at: Date,
): Promise<string> {
  const kept = await queryOne<{ item_code: string; content: unknown }>(
    tx,
    'select item_code, content from item where source = $1',
    [source],
  );
  if (kept) {
    const known = fromJson<ItemContent>(kept.content);
    // What it is taxed as belongs to the sale's line: an item is not registered again for that, nor
    // for a longer or shorter name.
    const next = { ...content, taxClass: known.taxClass, name: known.name };
    if (JSON.stringify(sorted(known)) !== JSON.stringify(sorted(next)))
      await query(tx, 'update item set content = $2 where source = $1', [source, json(next)]);
    return kept.item_code;
  }
  await query(tx, "select pg_advisory_xact_lock(hashtextextended('item:' || $1, 0))", [businessId]);
  const again = await queryOne<{ item_code: string }>(
    tx,
    'select item_code from item where source = $1',
    [source],
  );
  if (again) return again.item_code;
  const counted = await queryOne<{ n: number }>(tx, 'select count(*)::int as n from item');
  const code = make.code((counted?.n ?? 0) + 1);
  await query(
    tx,
    'insert into item (business_id, id, source, item_code, content, created_at) values ($1, $2, $3, $4, $5, $6)',
    [businessId, make.id, source, code, json(content), at],
  );
  return code;
}

const sorted = (content: ItemContent) =>
  Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));

const unregistered = `from item i left join item_registration g on g.business_id = i.business_id and g.device_id = $2 and g.item_id = i.id
  where i.item_code = any($1::text[]) and g.content is distinct from i.content`;

/** Says whether any of these items is not registered at the device. */
export const hasUnregistered = async (
  tx: Tx,
  deviceId: string,
  codes: string[],
): Promise<boolean> =>
  (await queryOne(tx, `select 1 as yes ${unregistered} limit 1`, [codes, deviceId])) !== null;

/**
 * Lists the items of these codes that are not registered at the device as they are now. What is
 * registered at another device does not count.
 */
export async function listUnregistered(tx: Tx, deviceId: string, codes: string[]): Promise<Item[]> {
  const rows = await query<{ id: string; item_code: string; content: unknown }>(
    tx,
    `select i.id, i.item_code, i.content ${unregistered}`,
    [codes, deviceId],
  );
  return rows.map((row) => ({
    id: row.id,
    itemCode: row.item_code,
    content: fromJson(row.content),
  }));
}

/** Claims an item for registering; false while another lane has it. */
export async function claimItem(
  tx: Tx,
  businessId: string,
  at: AtDevice,
  { holder, now, until }: { holder: string; now: Date; until: Date },
): Promise<boolean> {
  const rows = await query(
    tx,
    `insert into item_registration as g (business_id, device_id, item_id, claimed_by, claimed_until) values ($1, $2, $3, $4, $6)
     on conflict (business_id, device_id, item_id) do update set claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
       where (g.claimed_until is null or g.claimed_until < $5 or g.claimed_by = $4)
         and g.content is distinct from (select content from item i where i.business_id = $1 and i.id = $3)
     returning item_id`,
    [businessId, at.deviceId, at.itemId, holder, now, until],
  );
  return rows.length > 0;
}

export type AtDevice = { deviceId: string; itemId: string };

export const markRegistered = (tx: Tx, at: AtDevice, content: ItemContent) =>
  query(
    tx,
    'update item_registration set content = $3, claimed_by = null, claimed_until = null where device_id = $1 and item_id = $2',
    [at.deviceId, at.itemId, json(content)],
  );

/** Forgets that items are registered, because the device does not know them. */
export const forgetRegistered = (tx: Tx, deviceId: string, codes: string[]) =>
  query(
    tx,
    `update item_registration g set content = null from item i
      where i.business_id = g.business_id and i.id = g.item_id and g.device_id = $1 and i.item_code = any($2::text[])`,
    [deviceId, codes],
  );

export const releaseItem = (tx: Tx, at: AtDevice) =>
  query(
    tx,
    'update item_registration set claimed_by = null, claimed_until = null where device_id = $1 and item_id = $2',
    [at.deviceId, at.itemId],
  );
