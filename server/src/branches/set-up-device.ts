import type { Recorder } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Vault } from '../platform/vault.ts';
import type { Dialects } from '../ports/dialect.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import type { Device } from './device.model.ts';
import { activateDevice, findDeviceOfBranch, lockDeviceOfBranch, setDeviceState } from './device.store.ts';

type Ports = { vsdc: Vsdc; dialects: Dialects; vault: Vault; record: Recorder; afterActive: (ctx: Context, deviceId: string) => Promise<void> };

export type InitialiseDevice = (ctx: Context, branchId: string) => Promise<void>;

/** Initialises a device with the authority, possible once; its keys are stored, sealed, before anything else is done with it. */
export const initialiseDevice =
  (ports: Ports): InitialiseDevice =>
  async (ctx, branchId) => {
    const { business, device } = await ctx.transaction(async (tx) => ({ business: await getBusiness(tx), device: await findDeviceOfBranch(tx, branchId) }));
    if (!device) throw new AppError('not_found');
    if (device.state !== 'new') throw new AppError('wrong_state', { state: device.state });
    const dialect = ports.dialects.of(device.dialect);
    const sent = await ports.vsdc.send(
      device,
      dialect.initialise.toRequest({ taxpayerId: business.taxpayerId, branchCode: device.branchCode, serial: device.serial }),
    );
    if (sent.is === 'address_refused') throw new AppError('device_address_refused', { reason: sent.reason });
    if (sent.is !== 'answered') throw new AppError('device_unreachable', { reason: sent.reason });
    const reply = dialect.initialise.read(sent.answer);
    if (reply.is === 'refused') throw new AppError(reply.problem, { device_code: reply.deviceCode, device_text: reply.deviceText });
    if (reply.is === 'failed') throw new AppError('device_unreachable', { device_code: reply.deviceCode, device_text: reply.deviceText });
    const { sdcId, mrcNumber, lastInvoiceNumber, secrets } = reply.value;
    await ctx.transaction(async (tx) => {
      const locked = await lockDeviceOfBranch(tx, branchId);
      if (locked?.state !== 'new') throw new AppError('wrong_state', { state: locked?.state });
      await activateDevice(tx, device.id, {
        sdcId,
        mrcNumber,
        nextInvoiceNumber: next(lastInvoiceNumber),
        // The key as it is now: it may have been renewed while the device was asked.
        secrets: ports.vault.seal((await getBusiness(tx)).dataKey, business.id, `device:${device.id}`, JSON.stringify(secrets)),
      });
      await ports.record(tx, ctx, {
        action: 'device.initialised',
        subject: device.id,
        after: { sdc_id: sdcId, mrc_number: mrcNumber, last_invoice_number: lastInvoiceNumber },
      });
    });
    await ports.afterActive(ctx, device.id);
  };

export type AdoptDevice = (ctx: Context, branchId: string, known: { sdc_id: string; mrc_number: string; last_invoice_number: string }) => Promise<void>;

/** Takes over a device initialised elsewhere: the authority does not give its data a second time, so a person types them. */
export const adoptDevice =
  (ports: Pick<Ports, 'record' | 'afterActive'>): AdoptDevice =>
  async (ctx, branchId, known) => {
    const device = await ctx.transaction(async (tx): Promise<Device> => {
      const locked = await lockDeviceOfBranch(tx, branchId);
      if (!locked) throw new AppError('not_found');
      if (locked.state !== 'new') throw new AppError('wrong_state', { state: locked.state });
      await activateDevice(tx, locked.id, {
        sdcId: known.sdc_id,
        mrcNumber: known.mrc_number,
        nextInvoiceNumber: next(known.last_invoice_number),
        secrets: null,
      });
      await ports.record(tx, ctx, { action: 'device.adopted', subject: locked.id, after: known });
      return locked;
    });
    await ports.afterActive(ctx, device.id);
  };

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

const next = (lastInvoiceNumber: string) => (BigInt(lastInvoiceNumber) + 1n).toString();
