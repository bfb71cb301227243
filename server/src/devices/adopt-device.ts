import type { Context } from '../context.ts';
import type { Device } from '../branches/device.model.ts';
import { activateDevice, keepSetUp } from '../branches/index.ts';
import { lockUnset, type Ports } from './initialise-device.ts';

export type AdoptDevice = (
  ctx: Context,
  branchId: string,
  known: { sdc_id: string; mrc_number: string; last_invoice_number: string },
) => Promise<void>;

/**
 * Adopts a device that was initialised elsewhere: the authority does not give its data a second
 * time, so a person types them.
 */
export const adoptDevice =
  (ports: Pick<Ports, 'record' | 'afterActive' | 'clock' | 'asking'>): AdoptDevice =>
  async (ctx, branchId, known) => {
    const device = await ctx.transaction(async (tx): Promise<Device> => {
      const locked = await lockUnset(ports, tx, branchId, ports.clock.now());
      await keepSetUp(tx, locked.id, {
        sdcId: known.sdc_id,
        mrcNumber: known.mrc_number,
        lastInvoiceNumber: known.last_invoice_number,
      });
      if (locked.succeeds === null) await activateDevice(tx, locked.id, ports.clock.now());
      await ports.record(tx, ctx, { action: 'device.adopted', subject: locked.id, after: known });
      return locked;
    });
    await ports.afterActive(ctx, device.id);
  };
