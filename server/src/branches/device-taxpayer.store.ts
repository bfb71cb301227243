import type { Tx } from '../platform/db/database.ts';
import { json, query } from '../platform/db/query.ts';
import { type DeviceTaxpayer, taxpayerDifference } from './device-taxpayer.model.ts';

/**
 * Keeps what a device says of its taxpayer. What it says now replaces what it said before, and what
 * it leaves out stays as it was.
 */
export const keepDeviceTaxpayer = (tx: Tx, deviceId: string, told: DeviceTaxpayer, at: Date) =>
  query(
    tx,
    `update device set told_name = coalesce(nullif(btrim($2), ''), told_name), told_at = $4,
       told_vat_registered = coalesce($3, told_vat_registered), told_vat_at = case when $3::boolean is null then told_vat_at else $4 end where id = $1`,
    [deviceId, told.name, told.isVatRegistered, at],
  );

type Own = { name: string; isVatRegistered: boolean };
type Row = {
  id: string;
  branch: string;
  name: string | null;
  vat: boolean | null;
  is_held: boolean;
};

/**
 * Compares what the devices say with what the business says of itself, and keeps what differs on
 * each device, where its lane sees it under the same lock that numbers are given under. Called
 * whenever either side may have changed. A taxpayer is one, whatever device speaks of it: the latest
 * word holds for all devices of its environment (a rehearsal's authority knows other taxpayers).
 */
export async function compareTaxpayer(tx: Tx, own: Own): Promise<void> {
  const rows = await query<Row>(
    tx,
    `select d.id, b.name as branch, d.difference is not null as is_held,
       (select l.told_name from device l where l.environment = d.environment and l.told_name is not null order by l.told_at desc, l.id limit 1) as name,
       (select l.told_vat_registered from device l where l.environment = d.environment and l.told_vat_at is not null
         order by l.told_vat_at desc, l.id limit 1) as vat
     from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id where d.state <> 'retired' and (d.state <> 'new' or d.told_at is not null) order by d.id`,
  );
  let hasEnded = false;
  for (const each of rows) {
    const difference = taxpayerDifference(
      own,
      { name: each.name, isVatRegistered: each.vat },
      each.branch,
    );
    if (!difference && !each.is_held) continue;
    hasEnded ||= difference === null;
    // A lane that waits for the difference to end is due once it has ended.
    await query(
      tx,
      `update device set difference = $2::jsonb, lane_next_at = case when $2::jsonb is null then null else lane_next_at end
        where id = $1 and difference is distinct from $2::jsonb`,
      [each.id, json(difference)],
    );
  }
  // The documents it kept from being signed are due again: nothing in Zoho or here would say that
  // they may go now.
  if (hasEnded)
    await query(
      tx,
      `update document set due_at = seen_at, tries = 0 where not sealed and not gone and due_at is null
         and problem->>'code' in ('taxpayer_name_differs', 'taxpayer_vat_differs')`,
    );
}
