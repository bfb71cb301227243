import { httpAddress } from '@muhuri/shared/http-address';
import type { Recorder } from '../audit/index.ts';
import { getBusiness, holdBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { Device } from './device.model.ts';
import {
  findBranch,
  insertBranch,
  listBranches,
  type OriginalPaper,
  updateBranchRow,
} from './branch.store.ts';
import {
  findDeviceOfBranch,
  insertDevice,
  lockDeviceOfBranch,
  lockNewDevice,
  moveDevice,
} from './device.store.ts';

type Ports = { clock: Clock; newId: NewId; record: Recorder; dialects: Dialects };

export type BranchInput = { branch_code: string; name: string; address: string };
export type DeviceInput = {
  branch_id?: string | undefined;
  address: string;
  serial: string;
  environment: 'sandbox' | 'production';
  dialect?: string | undefined;
};

export const addBranch =
  (ports: Ports) =>
  (ctx: Context, ask: BranchInput): Promise<string> =>
    ctx.transaction(async (tx) => {
      await holdBusiness(tx);
      if ((await listBranches(tx)).some((each) => each.code === ask.branch_code))
        throw new AppError('branch_taken', { field: 'branch_code' });
      const id = ports.newId('branch');
      await insertBranch(
        tx,
        ctx.businessId,
        { id, code: ask.branch_code, name: ask.name, address: ask.address },
        ports.clock.now(),
      );
      await ports.record(tx, ctx, { action: 'branch.added', subject: id, after: ask });
      return id;
    });

export const updateBranch =
  (ports: Ports) =>
  (
    ctx: Context,
    id: string,
    given: { name: string; address: string; original_paper?: OriginalPaper | null | undefined },
  ): Promise<void> =>
    ctx.transaction(async (tx) => {
      const before = await findBranch(tx, id);
      if (!before) throw new AppError('not_found');
      const { name, address, original_paper = before.originalPaper } = given;
      await updateBranchRow(tx, id, { name, address, originalPaper: original_paper });
      await ports.record(tx, ctx, {
        action: 'branch.changed',
        subject: id,
        before: {
          name: before.name,
          address: before.address,
          original_paper: before.originalPaper,
        },
        after: { name, address, original_paper },
      });
    });

/**
 * Where a branch's device stands and which it is. Before it is initialised everything may change;
 * afterwards only the address: the counters and the signed receipts belong to that serial in that
 * environment.
 */
export const setDevice =
  (ports: Ports) =>
  (ctx: Context, ask: DeviceInput): Promise<string> => {
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
      const after = {
        address,
        serial: ask.serial,
        environment: ask.environment,
        dialect: ask.dialect ?? device?.dialect ?? (await onlyDialect(dialects, tx)),
      };
      if (!device) {
        await insertDevice(
          tx,
          ctx.businessId,
          {
            id: ports.newId('device'),
            branchId: branch.id,
            transport: 'direct',
            succeeds: null,
            ...after,
          },
          ports.clock.now(),
        );
      } else {
        const locked = await lockDeviceOfBranch(tx, branch.id);
        const isSame =
          locked?.serial === ask.serial &&
          locked.environment === ask.environment &&
          locked.dialect === after.dialect;
        const field = locked?.serial === ask.serial ? 'environment' : 'serial';
        if (locked?.state !== 'new' && !isSame) throw new AppError('device_in_use', { field });
        if (locked && isAsked(locked) && !isSame)
          throw new AppError('device_being_set_up', { field });
        await moveDevice(tx, device.id, after);
      }
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

/** The key of the one dialect of the business's country: where there are several, it is named. */
async function onlyDialect(dialects: Dialects, tx: Tx): Promise<string> {
  const { country } = await getBusiness(tx);
  const [only, ...others] = dialects.all().filter(({ identity }) => identity.country === country);
  if (!only || others.length > 0)
    throw new AppError('malformed', { field: 'dialect', reason: `not the only one of ${country}` });
  return only.identity.key;
}

/**
 * It was asked for its keys and what it answered is not known, or on its way: the authority may
 * have given them to this serial in this environment, and stored with another's they would open
 * nothing. It stays who it is, and may only stand elsewhere.
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
 * one in the place of a device that is gone. Until it is set up it can be entered anew; nothing
 * changes for what is sealed until the switch.
 */
export const setNextDevice =
  (ports: Ports) =>
  (ctx: Context, branchId: string, ask: NextDeviceInput): Promise<void> => {
    const address = bareAddress(ask.address);
    return ctx.transaction(async (tx) => {
      const present = await lockDeviceOfBranch(tx, branchId);
      if (!present)
        throw new AppError((await findBranch(tx, branchId)) ? 'device_missing' : 'not_found');
      if (present.state === 'new') throw new AppError('wrong_state', { state: present.state });
      if (ask.for === 'production' && present.environment === 'production')
        throw new AppError('production_already');
      const environment = ask.for === 'production' ? ('production' as const) : present.environment;
      const after = { address, serial: ask.serial, environment, dialect: present.dialect };
      const next = await lockNewDevice(tx, branchId);
      const isSame = next?.serial === ask.serial && next.environment === environment;
      if (next && (next.sdcId !== null || isAsked(next)) && !isSame)
        throw new AppError('device_being_set_up', { field: 'serial' });
      if (next) await moveDevice(tx, next.id, after);
      else {
        const id = ports.newId('device');
        await insertDevice(
          tx,
          ctx.businessId,
          { id, branchId, transport: 'direct', succeeds: present.id, ...after },
          ports.clock.now(),
        );
      }
      await ports.record(tx, ctx, {
        action: 'device.next_set',
        subject: next?.id ?? branchId,
        after: { ...after, for: ask.for },
      });
    });
  };
