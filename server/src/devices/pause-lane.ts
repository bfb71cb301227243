import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { lockDeviceOfBranch, setDeviceState } from '../branches/index.ts';
import type { Ports } from './initialise-device.ts';

export type PauseLane = (ctx: Context, branchId: string) => Promise<void>;

export const pauseLane =
  (ports: Pick<Ports, 'record'>): PauseLane =>
  (ctx, branchId) =>
    ctx.transaction(async (tx) => {
      const device = await lockDeviceOfBranch(tx, branchId);
      if (!device) throw new AppError('not_found');
      if (device.state !== 'active') throw new AppError('wrong_state', { state: device.state });
      await setDeviceState(tx, device.id, 'paused', { code: 'device_paused' });
      await ports.record(tx, ctx, { action: 'lane.paused', subject: device.id });
    });
