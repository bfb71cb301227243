import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../platform/db/query.ts';
import type { ItemContent } from '../receipts/sale.model.ts';

export type Item = { id: string; itemCode: string; content: ItemContent };

/**
 * The item code of a source, made on first sight. Codes are unique per taxpayer and never reused; the sequence is counted under a lock
 * of the business's row of its own kind, so that two documents opened at once cannot make the same code.
 */
export async function ensureItem(
  tx: Tx,
  businessId: string,
  source: string,
  content: ItemContent,
  make: { id: string; code(sequence: number): string },
  at: Date,
): Promise<string> {
  const kept = await queryOne<{ item_code: string; content: unknown }>(tx, 'select item_code, content from item where source = $1', [source]);
  if (kept) {
    const known = fromJson<ItemContent>(kept.content);
    // What it is taxed as belongs to the sale's line; an item is not registered anew for that, nor for a longer or shorter name.
    const next = { ...content, taxClass: known.taxClass, name: known.name };
    if (JSON.stringify(sorted(known)) !== JSON.stringify(sorted(next))) await query(tx, 'update item set content = $2 where source = $1', [source, json(next)]);
    return kept.item_code;
  }
  await query(tx, "select pg_advisory_xact_lock(hashtextextended('item:' || $1, 0))", [businessId]);
  const again = await queryOne<{ item_code: string }>(tx, 'select item_code from item where source = $1', [source]);
  if (again) return again.item_code;
  const counted = await queryOne<{ n: number }>(tx, 'select count(*)::int as n from item');
  const code = make.code((counted?.n ?? 0) + 1);
  await query(tx, 'insert into item (business_id, id, source, item_code, content, created_at) values ($1, $2, $3, $4, $5, $6)', [
    businessId,
    make.id,
    source,
    code,
    json(content),
    at,
  ]);
  return code;
}

const sorted = (content: ItemContent) => Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));

/** Whether the device still has to be told of any of these. */
export const hasUnregistered = async (tx: Tx, codes: string[]): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from item where item_code = any($1::text[]) and registered is distinct from content limit 1', [codes])) !== null;

/** Items of these codes that the device has not been told of as they are now. */
export async function listUnregistered(tx: Tx, codes: string[]): Promise<Item[]> {
  const rows = await query<{ id: string; item_code: string; content: unknown }>(
    tx,
    'select id, item_code, content from item where item_code = any($1::text[]) and registered is distinct from content',
    [codes],
  );
  return rows.map((row) => ({ id: row.id, itemCode: row.item_code, content: fromJson(row.content) }));
}

/** Takes an item for registering; false while another lane has it. */
export async function claimItem(tx: Tx, id: string, holder: string, now: Date, until: Date): Promise<boolean> {
  const rows = await query(
    tx,
    'update item set claimed_by = $2, claimed_until = $4 where id = $1 and registered is distinct from content and (claimed_until is null or claimed_until < $3 or claimed_by = $2) returning id',
    [id, holder, now, until],
  );
  return rows.length > 0;
}

export const markRegistered = (tx: Tx, id: string, content: ItemContent) =>
  query(tx, 'update item set registered = $2, claimed_by = null, claimed_until = null where id = $1', [id, json(content)]);

/** The device says that it does not know them: they are told to it once more before the next sale. */
export const forgetRegistered = (tx: Tx, codes: string[]) => query(tx, 'update item set registered = null where item_code = any($1::text[])', [codes]);

export const releaseItem = (tx: Tx, id: string) => query(tx, 'update item set claimed_by = null, claimed_until = null where id = $1', [id]);
