import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';
import type { Device } from './device.model.ts';

/**
 * Keeps what the authority, or a person who knew the device before, has said of it. Its run begins
 * behind the authority's last number.
 */
export const keepSetUp = (
  tx: Tx,
  id: string,
  identity: Pick<DeviceIdentity, 'sdcId' | 'mrcNumber' | 'lastInvoiceNumber'>,
) =>
  query(
    tx,
    'update device set problem = null, sdc_id = $2, mrc_number = $3, authority_last = $4::bigint, next_invoice_number = $4::bigint + 1 where id = $1',
    [id, identity.sdcId, identity.mrcNumber, identity.lastInvoiceNumber],
  );

export type DeviceIdentity = { sdcId: string; mrcNumber: string; lastInvoiceNumber: string };

/**
 * Replaces what a person typed of a device by what it says of itself. Its run begins behind its own
 * last number as long as nothing was sent to it; afterwards the run only ever moves on.
 */
export async function correctSetUp(tx: Tx, device: Device, said: DeviceIdentity): Promise<void> {
  await query(
    tx,
    "update device set sdc_id = $2, mrc_number = coalesce(nullif($3, ''), mrc_number) where id = $1",
    [device.id, said.sdcId, said.mrcNumber],
  );
  if (await queryOne(tx, 'select 1 as sent from attempt where device_id = $1 limit 1', [device.id]))
    return moveCounter(tx, device.id, said.lastInvoiceNumber);
  await query(
    tx,
    'update device set authority_last = $2::bigint, next_invoice_number = $2::bigint + 1 where id = $1',
    [device.id, said.lastInvoiceNumber],
  );
  if (device.succeeds !== null && device.state !== 'new') await continueRun(tx, device.id);
}

export const hasSignedAs = async (tx: Tx, id: string, sdcId: string): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as signed from signature where device_id = $1 and sdc_id = $2 limit 1',
    [id, sdcId],
  )) !== null;

/**
 * Begins the run of a successor behind the authority's last number, and behind every number that any
 * device of the branch ever froze in the same environment: what a sandbox counted is no number of
 * the authority's. A device that was only set up again goes on with its own totals.
 */
export const continueRun = (tx: Tx, id: string) =>
  query(
    tx,
    `update device n set next_invoice_number = greatest(n.next_invoice_number, o.next), last_total_receipt_number = o.total, total_base = o.base
       from (select max(d.next_invoice_number) as next,
               max(d.last_total_receipt_number) filter (where d.sdc_id = s.sdc_id) as total, max(d.total_base) filter (where d.sdc_id = s.sdc_id) as base
               from device s join device d on d.business_id = s.business_id and d.branch_id = s.branch_id and d.environment = s.environment where s.id = $1) o
      where n.id = $1`,
    [id],
  );

/**
 * Moves the counter after a collision was confirmed, never below what was frozen here. Returned
 * numbers up to there may be the other writer's: they are never used, and are listed as burnt.
 */
export async function moveCounter(tx: Tx, id: string, lastInvoiceNumber: string): Promise<void> {
  await query(
    tx,
    `update device set next_invoice_number = greatest(next_invoice_number, $2::bigint + 1),
        free_numbers = array(select n from unnest(free_numbers) n where n > $2::bigint order by n),
        burnt_numbers = array(select n from unnest(burnt_numbers) n union select n from unnest(free_numbers) n where n <= $2::bigint order by 1) where id = $1`,
    [id, lastInvoiceNumber],
  );
}
