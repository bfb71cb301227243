import { listBranches, setLastUpstreamContact } from '../branches/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';

export type FindTaxpayer = (
  ctx: Context,
  taxpayerId: string,
) => Promise<{ tin_number: string; name: string | null }>;

/**
 * Asks the authority, through a device of the business, whose taxpayer id this is. Signs nothing.
 */
export const findTaxpayer =
  (ports: { vsdc: Vsdc; dialects: Dialects; clock: Clock }): FindTaxpayer =>
  async (ctx, taxpayerId) => {
    const { business, branches } = await ctx.transaction(async (tx) => ({
      business: await getBusiness(tx),
      branches: await listBranches(tx),
    }));
    const device = branches.find(
      (branch) => branch.device && branch.device.state !== 'new',
    )?.device;
    if (!device) throw new AppError('device_missing');
    const dialect = ports.dialects.of(device.dialect);
    if (!dialect.identity.checkTaxpayerId(taxpayerId))
      throw new AppError('buyer_tin_malformed', { field: 'tin' });
    if (!dialect.taxpayers) return { tin_number: taxpayerId, name: null };
    const { lookup } = dialect.taxpayers;
    const named = {
      taxpayerId: business.taxpayerId,
      branchCode: device.branchCode,
      serial: device.serial,
    };
    const sent = await ports.vsdc.send(device, lookup.toRequest(named, taxpayerId), {
      businessId: ctx.businessId,
      as: 'question',
    });
    if (sent.is === 'address_refused') throw new AppError('device_address_refused');
    if (sent.is !== 'answered') throw new AppError('device_unreachable', { reason: sent.reason });
    const reply = lookup.read(sent.answer);
    if (reply.is !== 'done')
      throw new AppError('device_offline', {
        device_code: reply.deviceCode,
        device_text: reply.deviceText,
      });
    await ctx.transaction((tx) => setLastUpstreamContact(tx, device.id, ports.clock.now()));
    return { tin_number: taxpayerId, name: reply.value };
  };
