import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';
import type { Device } from './device.model.ts';

export const columns = `d.id, d.branch_id, b.branch_code, b.name as branch_name, b.address as branch_address, d.dialect, d.serial, d.environment, d.address, d.transport,
  d.state, d.problem, d.sdc_id, d.mrc_number, d.next_invoice_number::text, d.last_total_receipt_number::text, d.authority_last::text,
  d.succeeds, d.activated_at, d.retired_at, b.production_since, d.last_contact_at, d.last_upstream_at, d.probe,
  d.told_name, d.told_vat_registered, d.told_at, d.difference, d.demands`;

export const moveDevice = (
  tx: Tx,
  id: string,
  entry: Pick<Device, 'address' | 'serial' | 'environment' | 'dialect'>,
) =>
  query(
    tx,
    'update device set address = $2, serial = $3, environment = $4, dialect = $5, probe = null, lane_next_at = null where id = $1',
    [id, entry.address, entry.serial, entry.environment, entry.dialect],
  );

const present =
  "d.branch_id = $1 and d.state <> 'retired' and (d.state <> 'new' or d.succeeds is null)";

export const findDevice = (tx: Tx, id: string) => one(tx, 'd.id = $1', id, '');
/** Finds the device of a branch that works, or its first one while that is being set up. */
export const findDeviceOfBranch = (tx: Tx, branchId: string) => one(tx, present, branchId, '');
/** Locks it for the transaction: numbers and the lane's state change only under this lock. */
export const lockDeviceOfBranch = (tx: Tx, branchId: string) =>
  one(tx, present, branchId, 'for update of d');
export const lockDevice = (tx: Tx, id: string) => one(tx, 'd.id = $1', id, 'for update of d');
/** Finds the device that is being prepared to follow the one at work. */
export const findNextDevice = (tx: Tx, branchId: string) =>
  one(tx, "d.branch_id = $1 and d.state = 'new' and d.succeeds is not null", branchId, '');
/**
 * Locks the device that is being set up: the first of its branch, or the one to follow the one at
 * work.
 */
export const lockNewDevice = (tx: Tx, branchId: string) =>
  one(tx, "d.branch_id = $1 and d.state = 'new'", branchId, 'for update of d');

async function one(tx: Tx, where: string, value: string, lock: string): Promise<Device | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id where ${where} ${lock}`,
    [value],
  );
  return row && toDevice(row);
}

export const toDevice = (row: Record<string, unknown>): Device => ({
  id: row.id as string,
  branchId: row.branch_id as string,
  branchCode: row.branch_code as string,
  branchName: row.branch_name as string,
  branchAddress: row.branch_address as string,
  dialect: row.dialect as string,
  serial: row.serial as string,
  environment: row.environment as Device['environment'],
  address: row.address as string,
  transport: row.transport as Device['transport'],
  state: row.state as Device['state'],
  problem: fromJson<StoredProblem | null>(row.problem),
  sdcId: row.sdc_id as string | null,
  mrcNumber: row.mrc_number as string | null,
  nextInvoiceNumber: row.next_invoice_number as string | null,
  lastTotalReceiptNumber: row.last_total_receipt_number as string | null,
  authorityLast: row.authority_last as string | null,
  succeeds: row.succeeds as string | null,
  productionSince: toDateOrNull(row.production_since),
  activatedAt: toDateOrNull(row.activated_at),
  retiredAt: toDateOrNull(row.retired_at),
  lastContactAt: toDateOrNull(row.last_contact_at),
  lastUpstreamAt: toDateOrNull(row.last_upstream_at),
  told:
    row.told_at === null
      ? null
      : {
          name: row.told_name as string | null,
          isVatRegistered: row.told_vat_registered as boolean | null,
          at: toDate(row.told_at),
        },
  difference: fromJson<StoredProblem | null>(row.difference),
  demands: row.demands as string[],
});

/**
 * Makes a device that of its branch from now on. With a first production device the branch begins
 * to sign for real at this very moment, never earlier: what was created in the books before may have
 * been signed by another system. So do the places in the books that are mapped to the branch.
 */
export const activateDevice = (tx: Tx, id: string, at: Date) =>
  query(
    tx,
    `with d as (update device set state = 'active', problem = null, activated_at = $2 where id = $1 returning business_id, branch_id, environment),
       m as (update mapping m set production_since = coalesce(m.production_since, $2) from d
              where d.environment = 'production' and m.business_id = d.business_id and m.kind = 'location' and m.value->>'branch_id' = d.branch_id)
     update branch b set production_since = coalesce(production_since, $2) from d where d.environment = 'production' and b.business_id = d.business_id and b.id = d.branch_id`,
    [id, at],
  );

/** Retires a device. Its free numbers will never be used, and are listed with the burnt ones. */
export const retireDevice = (tx: Tx, id: string, at: Date) =>
  query(
    tx,
    `update device set state = 'retired', problem = null, retired_at = $2, lane_next_at = null, free_numbers = '{}',
        burnt_numbers = array(select n from unnest(burnt_numbers) n union select n from unnest(free_numbers) n order by 1) where id = $1`,
    [id, at],
  );

export async function setDeviceState(
  tx: Tx,
  id: string,
  state: 'new' | 'active' | 'paused',
  problem: StoredProblem | null,
): Promise<void> {
  await query(
    tx,
    'update device set state = $2, problem = $3, lane_next_at = null, lane_tries = 0 where id = $1',
    [id, state, json(problem)],
  );
}

export async function insertDevice(
  tx: Tx,
  businessId: string,
  device: Pick<
    Device,
    'id' | 'branchId' | 'dialect' | 'serial' | 'environment' | 'address' | 'transport' | 'succeeds'
  >,
  at: Date,
): Promise<void> {
  await query(
    tx,
    `insert into device (business_id, id, branch_id, dialect, serial, environment, address, transport, state, created_at, succeeds)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'new', $9, $10)`,
    [
      businessId,
      device.id,
      device.branchId,
      device.dialect,
      device.serial,
      device.environment,
      device.address,
      device.transport,
      at,
      device.succeeds,
    ],
  );
}
