import type { StoredProblem } from '@muhuri/shared/problems';
import { type Device, findDevice } from '../branches/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Dialects, FrozenTerms } from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import { claimItem, listUnregistered, markRegistered, releaseItem } from './item.store.ts';

export type RegisterItems = (
  ctx: Context,
  device: Device,
  about: { taxpayerId: string; user: FrozenTerms['user']; prices: Record<string, string> },
  holder: string,
) => Promise<
  | { is: 'done' }
  | { is: 'busy' }
  | { is: 'refused'; problem: StoredProblem }
  | { is: 'unreachable'; problem: StoredProblem }
>;

const claimMs = 60_000;

/**
 * Tells the device of items it does not know yet, each once, also when two lanes meet the same
 * item. Repeating it is harmless.
 */
export const registerItems =
  (ports: { vsdc: Vsdc; dialects: Dialects; clock: Clock }): RegisterItems =>
  async (ctx, device, about, holder) => {
    const { register } = ports.dialects.of(device.dialect).items;
    if (!register) return { is: 'done' };
    const named = {
      taxpayerId: about.taxpayerId,
      branchCode: device.branchCode,
      serial: device.serial,
    };
    for (const item of await ctx.transaction((tx) =>
      listUnregistered(tx, device.id, Object.keys(about.prices)),
    )) {
      const now = ports.clock.now();
      const at = { deviceId: device.id, itemId: item.id };
      // Registering takes a while: the device may have been retired meanwhile, and then nothing is
      // sent to it.
      const isRetired =
        (await ctx.transaction((tx) => findDevice(tx, device.id)))?.state === 'retired';
      if (isRetired) return { is: 'busy' };
      const isMine = await ctx.transaction((tx) =>
        claimItem(tx, ctx.businessId, at, holder, now, new Date(now.getTime() + claimMs)),
      );
      if (!isMine) {
        const left = await ctx.transaction((tx) =>
          listUnregistered(tx, device.id, [item.itemCode]),
        );
        if (left.length > 0) return { is: 'busy' };
        continue;
      }
      const ask = {
        device: named,
        itemCode: item.itemCode,
        content: item.content,
        price: about.prices[item.itemCode] ?? '0',
        user: about.user,
      };
      const sent = await ports.vsdc.send(device, register.toRequest(ask), {
        businessId: ctx.businessId,
        as: 'lane',
      });
      const reply = sent.is === 'answered' ? register.read(sent.answer) : null;
      if (reply?.is === 'done') {
        await ctx.transaction((tx) => markRegistered(tx, at, item.content));
        continue;
      }
      await ctx.transaction((tx) => releaseItem(tx, at));
      if (reply?.is === 'refused')
        return {
          is: 'refused',
          problem: {
            code: reply.problem,
            name: item.content.name,
            device_code: reply.deviceCode,
            device_text: reply.deviceText,
          },
        };
      if (sent.is === 'address_refused')
        return {
          is: 'unreachable',
          problem: { code: 'device_address_refused', reason: sent.reason },
        };
      if (reply)
        return {
          is: 'unreachable',
          problem: {
            code: 'device_offline',
            device_code: reply.deviceCode,
            device_text: reply.deviceText,
          },
        };
      return {
        is: 'unreachable',
        problem:
          sent.is === 'in_doubt'
            ? { code: 'device_no_answer', reason: sent.reason }
            : { code: 'device_unreachable' },
      };
    }
    return { is: 'done' };
  };
