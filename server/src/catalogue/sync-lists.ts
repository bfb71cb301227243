import { findDevice, touchUpstream } from '../branches/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { DeviceAnswer, DeviceRequest, Dialects } from '../ports/dialect.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import { replaceList } from './code-list.store.ts';

export type SyncLists = (ctx: Context, deviceId: string) => Promise<void>;

/** Fetches the authority's code lists and item classes through the device. What cannot be fetched now stays as it was. */
export const syncLists =
  (ports: { vsdc: Vsdc; dialects: Dialects; clock: Clock; log: Log }): SyncLists =>
  async (ctx, deviceId) => {
    const { business, device } = await ctx.transaction(async (tx) => ({ business: await getBusiness(tx), device: await findDevice(tx, deviceId) }));
    if (!device || device.state === 'retired') return;
    const dialect = ports.dialects.of(device.dialect);
    const named = { taxpayerId: business.taxpayerId, branchCode: device.branchCode, serial: device.serial };
    const ask = async <T>(request: DeviceRequest, read: (answer: DeviceAnswer) => { is: string; value?: T }): Promise<T | null> => {
      const sent = await ports.vsdc.send(device, request, { businessId: ctx.businessId, as: 'question' });
      const reply = sent.is === 'answered' ? read(sent.answer) : null;
      if (reply?.is === 'done') return reply.value as T;
      ports.log.warn({ business_id: ctx.businessId, device_id: deviceId, path: request.path }, 'a list could not be fetched');
      return null;
    };
    const lists = await ask(dialect.codes.toRequest(named), dialect.codes.read);
    const classes = await ask(dialect.itemClasses.toRequest(named), dialect.itemClasses.read);
    const all = [...(lists ?? []), ...(classes?.length ? [{ list: 'item_class', codes: classes }] : [])];
    await ctx.transaction(async (tx) => {
      if (lists) await touchUpstream(tx, deviceId, ports.clock.now());
      for (const each of all) await replaceList(tx, ctx.businessId, deviceId, each.list, each.codes, ports.clock.now());
    });
  };
