import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDateOrNull } from '../platform/db/query.ts';
import type { Device } from './device.model.ts';

const columns = `d.id, d.branch_id, b.branch_code, b.name as branch_name, b.address as branch_address, d.dialect, d.serial, d.environment, d.address, d.transport,
  d.state, d.problem, d.sdc_id, d.mrc_number, d.next_invoice_number::text, d.last_total_receipt_number::text, d.last_contact_at, d.last_upstream_at, d.probe`;

export type ProbeResult =
  | 'fine'
  | 'down'
  | 'wrong_address'
  | 'vsdc_missing'
  | 'offline_soon'
  | 'down_or_stopped'
  | 'address_refused'
  | 'not_initialised'
  | 'other_taxpayer';

/** The last test of a device, as it stands in its row. */
export type StoredProbe = {
  result: ProbeResult;
  at: string;
  answer_ms: number | null;
  last_upstream_at: string | null;
  offline_hours: number | null;
  reason: string | null;
};

export type Branch = { id: string; code: string; name: string; address: string };

export const findBranch = async (tx: Tx, id: string): Promise<Branch | null> =>
  queryOne<Branch>(tx, 'select id, branch_code as code, name, address from branch where id = $1', [id]);

export const updateBranchRow = (tx: Tx, id: string, to: { name: string; address: string }) =>
  query(tx, 'update branch set name = $2, address = $3 where id = $1', [id, to.name, to.address]);

export const moveDevice = (tx: Tx, id: string, to: Pick<Device, 'address' | 'serial' | 'environment' | 'dialect'>) =>
  query(tx, 'update device set address = $2, serial = $3, environment = $4, dialect = $5, probe = null, lane_next_at = null where id = $1', [
    id,
    to.address,
    to.serial,
    to.environment,
    to.dialect,
  ]);

/** `isHeard`: it was the device that answered. */
export const keepProbe = (tx: Tx, id: string, probe: StoredProbe, isHeard: boolean) =>
  query(
    tx,
    'update device set probe = $2, last_contact_at = case when $3::boolean then greatest(last_contact_at, $4::timestamptz) else last_contact_at end where id = $1',
    [id, json(probe), isHeard, probe.at],
  );

export const touchUpstream = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update device set last_upstream_at = greatest(last_upstream_at, $2) where id = $1', [id, at]);

/** What a closed business leaves: no keys, and lanes that stand still. */
export const eraseDevices = (tx: Tx) => query(tx, "update device set secrets = null, state = case when state = 'new' then 'new' else 'paused' end");

export async function listBranches(tx: Tx): Promise<(Branch & { device: (Device & { queued: number; inDoubt: number; probe: StoredProbe | null }) | null })[]> {
  const branches = await query<Branch>(tx, 'select id, branch_code as code, name, address from branch order by branch_code');
  const rows = await query(
    tx,
    `select ${columns},
        (select count(*)::int from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.state = 'queued') as queued,
        (select count(*)::int from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.state = 'in_doubt') as in_doubt
       from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id`,
  );
  const devices = rows.map((row) => ({
    ...toDevice(row),
    queued: row.queued as number,
    inDoubt: row.in_doubt as number,
    probe: fromJson<StoredProbe | null>(row.probe),
  }));
  return branches.map((branch) => ({
    ...branch,
    device: devices.find((each) => each.branchId === branch.id) ?? null,
  }));
}

export const findDevice = (tx: Tx, id: string) => one(tx, 'd.id = $1', id, '');
export const findDeviceOfBranch = (tx: Tx, branchId: string) => one(tx, 'd.branch_id = $1', branchId, '');
/** Locked for the rest of the transaction: numbers and lane state change only under this lock. */
export const lockDeviceOfBranch = (tx: Tx, branchId: string) => one(tx, 'd.branch_id = $1', branchId, 'for update of d');

async function one(tx: Tx, where: string, value: string, lock: string): Promise<Device | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id where ${where} ${lock}`,
    [value],
  );
  return row && toDevice(row);
}

const toDevice = (row: Record<string, unknown>): Device => ({
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
  lastContactAt: toDateOrNull(row.last_contact_at),
  lastUpstreamAt: toDateOrNull(row.last_upstream_at),
});

/** Activation speaks with the authority, so that it proves contact too. */
export async function activateDevice(
  tx: Tx,
  id: string,
  is: { sdcId: string; mrcNumber: string; nextInvoiceNumber: string; secrets: string | null },
): Promise<void> {
  await query(tx, "update device set state = 'active', problem = null, sdc_id = $2, mrc_number = $3, next_invoice_number = $4, secrets = $5 where id = $1", [
    id,
    is.sdcId,
    is.mrcNumber,
    is.nextInvoiceNumber,
    is.secrets,
  ]);
}

export async function setDeviceState(tx: Tx, id: string, state: Device['state'], problem: StoredProblem | null): Promise<void> {
  await query(tx, 'update device set state = $2, problem = $3, lane_next_at = null, lane_tries = 0 where id = $1', [id, state, json(problem)]);
}

/** Moves the counter after a collision was confirmed; returned numbers up to there belong to the other writer. */
export async function moveCounter(tx: Tx, id: string, lastInvoiceNumber: string): Promise<void> {
  await query(
    tx,
    `update device set next_invoice_number = $2::bigint + 1,
        free_numbers = array(select n from unnest(free_numbers) n where n > $2::bigint) where id = $1`,
    [id, lastInvoiceNumber],
  );
}

export async function insertBranch(tx: Tx, businessId: string, branch: { id: string; code: string; name: string; address: string }, at: Date): Promise<void> {
  await query(tx, 'insert into branch (business_id, id, branch_code, name, address, created_at) values ($1, $2, $3, $4, $5, $6)', [
    businessId,
    branch.id,
    branch.code,
    branch.name,
    branch.address,
    at,
  ]);
}

export async function insertDevice(
  tx: Tx,
  businessId: string,
  device: Pick<Device, 'id' | 'branchId' | 'dialect' | 'serial' | 'environment' | 'address' | 'transport'>,
  at: Date,
): Promise<void> {
  await query(
    tx,
    `insert into device (business_id, id, branch_id, dialect, serial, environment, address, transport, state, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'new', $9)`,
    [businessId, device.id, device.branchId, device.dialect, device.serial, device.environment, device.address, device.transport, at],
  );
}
