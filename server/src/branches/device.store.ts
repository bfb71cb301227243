import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';
import type { Device } from './device.model.ts';

export const columns = `d.id, d.branch_id, b.branch_code, b.name as branch_name, b.address as branch_address, d.dialect, d.serial, d.environment, d.address, d.transport,
  d.state, d.problem, d.sdc_id, d.mrc_number, d.next_invoice_number::text, d.last_total_receipt_number::text, d.authority_last::text,
  d.succeeds, d.activated_at, d.retired_at, b.production_since, d.last_contact_at, d.last_upstream_at, d.probe,
  d.told_name, d.told_vat_registered, d.told_at, d.difference, d.demands`;

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

export const moveDevice = (
  tx: Tx,
  id: string,
  to: Pick<Device, 'address' | 'serial' | 'environment' | 'dialect'>,
) =>
  query(
    tx,
    'update device set address = $2, serial = $3, environment = $4, dialect = $5, probe = null, lane_next_at = null where id = $1',
    [id, to.address, to.serial, to.environment, to.dialect],
  );

/** It has shown that it wants this; whatever is sent to it from now on heeds it. */
export const keepDemand = (tx: Tx, id: string, demand: string) =>
  query(
    tx,
    'update device set demands = array_append(demands, $2) where id = $1 and not ($2 = any(demands))',
    [id, demand],
  );

/** `isHeard`: it was the device that answered. */
export const keepProbe = (tx: Tx, id: string, probe: StoredProbe, isHeard: boolean) =>
  query(
    tx,
    'update device set probe = $2, last_contact_at = case when $3::boolean then greatest(last_contact_at, $4::timestamptz) else last_contact_at end where id = $1',
    [id, json(probe), isHeard, probe.at],
  );

export const setLastUpstreamContact = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update device set last_upstream_at = greatest(last_upstream_at, $2) where id = $1', [
    id,
    at,
  ]);

/** Who holds a lane that was taken from its worker. */
export const stoppedLane = 'nobody';

/**
 * Whoever works a lane goes no further than the send that is on its way. What waits keeps its
 * place, and is sent once the lane may be taken again.
 */
export async function stopLanes(tx: Tx): Promise<void> {
  await holdDevices(tx);
  await query(tx, 'update device set lane_holder = $1 where lane_holder is not null', [
    stoppedLane,
  ]);
}

/** What a closed business leaves: no keys, and lanes that stand still. */
export async function eraseDevices(tx: Tx): Promise<void> {
  await holdDevices(tx);
  await query(
    tx,
    "update device set secrets = null, keys_aside = null, state = case when state in ('new', 'retired') then state else 'paused' end",
  );
}

/**
 * All of them, in the order in which a switch takes two: an update of several rows takes them as it
 * meets them.
 */
const holdDevices = (tx: Tx) => query(tx, 'select 1 from device order by id for no key update');

const present =
  "d.branch_id = $1 and d.state <> 'retired' and (d.state <> 'new' or d.succeeds is null)";

export const findDevice = (tx: Tx, id: string) => one(tx, 'd.id = $1', id, '');
/** The device of a branch that works, or its first one while that is being set up. */
export const findDeviceOfBranch = (tx: Tx, branchId: string) => one(tx, present, branchId, '');
/** Locked for the rest of the transaction: numbers and lane state change only under this lock. */
export const lockDeviceOfBranch = (tx: Tx, branchId: string) =>
  one(tx, present, branchId, 'for update of d');
export const lockDevice = (tx: Tx, id: string) => one(tx, 'd.id = $1', id, 'for update of d');
/** The device that is being prepared to follow the one at work. */
export const findNextDevice = (tx: Tx, branchId: string) =>
  one(tx, "d.branch_id = $1 and d.state = 'new' and d.succeeds is not null", branchId, '');
/**
 * The device that is being set up, locked: the first of its branch, or the one to follow the one at
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
 * What the authority, or whoever knew the device before, has said of it; its run begins behind the
 * last number of the authority's.
 */
export const keepSetUp = (
  tx: Tx,
  id: string,
  is: Pick<DeviceIdentity, 'sdcId' | 'mrcNumber' | 'lastInvoiceNumber'>,
) =>
  query(
    tx,
    'update device set problem = null, sdc_id = $2, mrc_number = $3, authority_last = $4::bigint, next_invoice_number = $4::bigint + 1 where id = $1',
    [id, is.sdcId, is.mrcNumber, is.lastInvoiceNumber],
  );

export type DeviceIdentity = { sdcId: string; mrcNumber: string; lastInvoiceNumber: string };

/**
 * What a device says of itself, in the place of what a person typed. Its run begins behind its own
 * last number for as long as nothing was sent to it; afterwards it only ever moves on.
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
 * The keys a device was given, sealed, and when it was asked for them; those that could not take
 * their place.
 */
export type DeviceKeys = { secrets: string | null; askedAt: Date | null; aside: string | null };

export async function findKeys(tx: Tx, id: string): Promise<DeviceKeys> {
  const row = await queryOne<{
    secrets: string | null;
    keys_asked_at: unknown;
    keys_aside: string | null;
  }>(tx, 'select secrets, keys_asked_at, keys_aside from device where id = $1', [id]);
  return {
    secrets: row?.secrets ?? null,
    askedAt: toDateOrNull(row?.keys_asked_at ?? null),
    aside: row?.keys_aside ?? null,
  };
}

/** Devices of which keys are set aside, with those keys as they are sealed. */
export const listAside = async (tx: Tx): Promise<{ deviceId: string; aside: string }[]> =>
  (
    await query<{ id: string; keys_aside: string }>(
      tx,
      'select id, keys_aside from device where keys_aside is not null',
    )
  ).map((row) => ({
    deviceId: row.id,
    aside: row.keys_aside,
  }));

export const keepKeys = (tx: Tx, id: string, is: DeviceKeys) =>
  query(tx, 'update device set secrets = $2, keys_asked_at = $3, keys_aside = $4 where id = $1', [
    id,
    is.secrets,
    is.askedAt,
    is.aside,
  ]);

/**
 * From now on it is the device of its branch. With a first production device the branch begins to
 * seal for real at this very moment, never earlier: what was created in the books before may have
 * been sealed by another system. So do the places in the books that are mapped to it.
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

/** Its free numbers will never be used, and are listed as that, beside those that were before. */
export const retireDevice = (tx: Tx, id: string, at: Date) =>
  query(
    tx,
    `update device set state = 'retired', problem = null, retired_at = $2, lane_next_at = null, free_numbers = '{}',
        burnt_numbers = array(select n from unnest(burnt_numbers) n union select n from unnest(free_numbers) n order by 1) where id = $1`,
    [id, at],
  );

/**
 * The run of a successor: behind the authority's last number, and behind every number that any
 * device of the branch ever froze in the same environment (what a sandbox counted is no number of
 * the authority's). A device that was only set up anew goes on with its own totals.
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

/**
 * Moves the counter after a collision was confirmed, never below what was frozen here; returned
 * numbers up to there may be the other writer's: we never use them, and they are listed as that.
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
