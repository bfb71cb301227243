import { httpAddress } from '@muhuri/shared/http-address';
import { getBusiness, holdBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { Device } from './device.model.ts';
import { findBranch, listBranches } from './branch.store.ts';
import {
  findDeviceOfBranch,
  insertDevice,
  lockDeviceOfBranch,
  lockNewDevice,
  moveDevice,
} from './device.store.ts';
import type { Ports } from './change-branch.ts';

export type DeviceInput = {
  branch_id?: string | undefined;
  address: string;
  serial: string;
  environment: 'sandbox' | 'production';
  dialect?: string | undefined;
};

/**
 * Sets where a branch's device stands and which one it is. Before it is initialised everything may
 * change; afterwards only the address, because the counters and the signed receipts belong to that
 * serial in that environment.
 */
export const setDevice =
  (ports: Ports) =>
  (ctx: Context, ask: DeviceInput): Promise<string> => {
    const { serial, environment } = ask;
    const { dialects } = ports;
    if (ask.dialect && !dialects.all().some(({ identity }) => identity.key === ask.dialect))
      throw new AppError('malformed', { field: 'dialect', reason: 'not known' });
    const address = bareAddress(ask.address);
    return ctx.transaction(async (tx) => {
      const branches = await listBranches(tx);
      const branch = ask.branch_id
        ? branches.find((each) => each.id === ask.branch_id)
        : branches[0];
      if (!branch) throw new AppError('not_found');
      await holdBusiness(tx);
      const device = await findDeviceOfBranch(tx, branch.id);
      const dialect = ask.dialect ?? device?.dialect ?? (await onlyDialect(dialects, tx));
      const after: DeviceEntry = { address, serial, environment, dialect };
      if (device) await changeDevice(tx, device, after);
      else await insertNew(ports, tx, ctx, { branchId: branch.id, succeeds: null, ...after });
      await ports.record(tx, ctx, {
        action: 'device.set',
        subject: device?.id ?? branch.id,
        before: device && {
          address: device.address,
          serial: device.serial,
          environment: device.environment,
          dialect: device.dialect,
        },
        after,
      });
      return branch.id;
    });
  };

/** Returns the key of the country's only dialect; if there are several, one has to be named. */
async function onlyDialect(dialects: Dialects, tx: Tx): Promise<string> {
  const { country } = await getBusiness(tx);
  const [only, ...others] = dialects.all().filter(({ identity }) => identity.country === country);
  if (!only || others.length > 0)
    throw new AppError('malformed', { field: 'dialect', reason: `not the only one of ${country}` });
  return only.identity.key;
}

type DeviceEntry = Pick<Device, 'address' | 'serial' | 'environment' | 'dialect'>;

/** Changes a device's row, as far as it may still be another one. */
async function changeDevice(tx: Tx, device: Device, after: DeviceEntry): Promise<void> {
  const locked = await lockDeviceOfBranch(tx, device.branchId);
  const isSame =
    locked?.serial === after.serial &&
    locked.environment === after.environment &&
    locked.dialect === after.dialect;
  const field = locked?.serial === after.serial ? 'environment' : 'serial';
  if (locked?.state !== 'new' && !isSame) throw new AppError('device_in_use', { field });
  if (locked && isAsked(locked) && !isSame) throw new AppError('device_being_set_up', { field });
  await moveDevice(tx, device.id, after);
}

const insertNew = (
  ports: Ports,
  tx: Tx,
  { businessId }: Context,
  entry: DeviceEntry & Pick<Device, 'branchId' | 'succeeds'>,
): Promise<void> =>
  insertDevice(
    tx,
    businessId,
    { id: ports.newId('device'), transport: 'direct', ...entry },
    ports.clock.now(),
  );

/**
 * Says whether a device was asked for its keys and its answer is unknown or on its way. The
 * authority may have given them to this serial in this environment; stored with another's they would
 * open nothing. So the device stays who it is, and may only be moved.
 */
const isAsked = (device: Device): boolean => device.problem?.code === 'initialisation_in_doubt';

function bareAddress(given: string): string {
  if (!httpAddress(300).safeParse(given).success || given.includes('?'))
    throw new AppError('malformed', {
      field: 'address',
      reason: 'must be an http or https address without credentials or query',
    });
  return given.replace(/\/+$/, '');
}

export type NextDeviceInput = {
  for: 'production' | 'replacement';
  address: string;
  serial: string;
};

/**
 * Enters the device that is to follow the one at work: a production device after a sandbox one, or
 * one that replaces a device that is gone. Until it is set up it can be entered again; nothing
 * changes for what is signed until the switch.
 */
export const setNextDevice =
  (ports: Ports) =>
  (ctx: Context, branchId: string, ask: NextDeviceInput): Promise<void> => {
    const address = bareAddress(ask.address);
    return ctx.transaction(async (tx) => {
      const present = await lockPresent(tx, branchId, ask.for);
      const environment = ask.for === 'production' ? ('production' as const) : present.environment;
      const after = { address, serial: ask.serial, environment, dialect: present.dialect };
      const next = await lockNewDevice(tx, branchId);
      if (next) await changeNext(tx, next, after);
      else await insertNew(ports, tx, ctx, { branchId, succeeds: present.id, ...after });
      await ports.record(tx, ctx, {
        action: 'device.next_set',
        subject: next?.id ?? branchId,
        after: { ...after, for: ask.for },
      });
    });
  };

/** Locks the device at work, and refuses another one to follow it that would change nothing. */
async function lockPresent(
  tx: Tx,
  branchId: string,
  purpose: NextDeviceInput['for'],
): Promise<Device> {
  const present = await lockDeviceOfBranch(tx, branchId);
  if (!present)
    throw new AppError((await findBranch(tx, branchId)) ? 'device_missing' : 'not_found');
  if (present.state === 'new') throw new AppError('wrong_state', { state: present.state });
  if (purpose === 'production' && present.environment === 'production')
    throw new AppError('production_already');
  return present;
}

/** Changes the device that is to follow; one that was asked for its keys stays who it is. */
async function changeNext(tx: Tx, next: Device, after: DeviceEntry): Promise<void> {
  const isSame = next.serial === after.serial && next.environment === after.environment;
  if ((next.sdcId !== null || isAsked(next)) && !isSame)
    throw new AppError('device_being_set_up', { field: 'serial' });
  await moveDevice(tx, next.id, after);
}
