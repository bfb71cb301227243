import type { StoredProblem } from '@muhuri/shared/problems';
import { type Device, findDevice } from '../branches/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { SaleTerms } from '../model/sale-terms.model.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import {
  claimItem,
  type Item,
  listUnregistered,
  markRegistered,
  releaseItem,
} from './item.store.ts';

type Ports = { vsdc: Vsdc; dialects: Dialects; clock: Clock };
type About = { taxpayerId: string; user: SaleTerms['user']; prices: Record<string, string> };
type Registered =
  | { is: 'done' }
  | { is: 'busy' }
  | { is: 'refused'; problem: StoredProblem }
  | { is: 'unreachable'; problem: StoredProblem };

export type RegisterItems = (
  ctx: Context,
  device: Device,
  about: About,
  holder: string,
) => Promise<Registered>;

type Register = NonNullable<ReturnType<Dialects['of']>['items']['register']>;
/** Items being registered at one device. */
type Registering = { ctx: Context; device: Device; register: Register; about: About };
type Sent = Awaited<ReturnType<Vsdc['send']>>;
type Reply = ReturnType<Register['read']>;

const claimMs = 60_000;

/**
 * Registers the items that the device does not know yet, each once, also if two lanes meet the same
 * item. Repeating it is harmless.
 */
export const registerItems =
  (ports: Ports): RegisterItems =>
  async (ctx, device, about, holder) => {
    const { register } = ports.dialects.of(device.dialect).items;
    if (!register) return { is: 'done' };
    const items = await ctx.transaction((tx) =>
      listUnregistered(tx, device.id, Object.keys(about.prices)),
    );
    for (const item of items) {
      const claim = await claimForDevice(ports, ctx, device, item, holder);
      if (claim === 'busy') return { is: 'busy' };
      if (claim === 'registered') continue;
      const outcome = await registerItem(ports, { ctx, device, register, about }, item);
      if (outcome.is !== 'done') return outcome;
    }
    return { is: 'done' };
  };

/**
 * Claims an item for registering. Registering takes a while: a device that was retired meanwhile is
 * sent nothing.
 */
async function claimForDevice(
  { clock }: Ports,
  ctx: Context,
  device: Device,
  item: Item,
  holder: string,
): Promise<'mine' | 'registered' | 'busy'> {
  const now = clock.now();
  const found = await ctx.transaction((tx) => findDevice(tx, device.id));
  if (found?.state === 'retired') return 'busy';
  const until = new Date(now.getTime() + claimMs);
  const isMine = await ctx.transaction((tx) =>
    claimItem(tx, ctx.businessId, { deviceId: device.id, itemId: item.id }, { holder, now, until }),
  );
  if (isMine) return 'mine';
  const left = await ctx.transaction((tx) => listUnregistered(tx, device.id, [item.itemCode]));
  return left.length > 0 ? 'busy' : 'registered';
}

/** Tells the device of a claimed item, and marks it registered or releases it. */
async function registerItem(
  { vsdc }: Ports,
  { ctx, device, register, about }: Registering,
  item: Item,
): Promise<Registered> {
  const at = { deviceId: device.id, itemId: item.id };
  const { businessId } = ctx;
  const request = register.toRequest({
    device: {
      taxpayerId: about.taxpayerId,
      branchCode: device.branchCode,
      serial: device.serial,
    },
    itemCode: item.itemCode,
    content: item.content,
    price: about.prices[item.itemCode] ?? '0',
    user: about.user,
  });
  const sent = await vsdc.send(device, request, { businessId, as: 'lane' });
  const reply = sent.is === 'answered' ? register.read(sent.answer) : null;
  if (reply?.is === 'done') {
    await ctx.transaction((tx) => markRegistered(tx, at, item.content));
    return { is: 'done' };
  }
  await ctx.transaction((tx) => releaseItem(tx, at));
  return failure(sent, reply, item.content.name);
}

function failure(
  sent: Sent,
  reply: Exclude<Reply, { is: 'done' }> | null,
  name: string,
): Registered {
  if (reply) {
    const { deviceCode: device_code, deviceText: device_text } = reply;
    return reply.is === 'refused'
      ? { is: 'refused', problem: { code: reply.problem, name, device_code, device_text } }
      : { is: 'unreachable', problem: { code: 'device_offline', device_code, device_text } };
  }
  if (sent.is === 'address_refused')
    return { is: 'unreachable', problem: { code: 'device_address_refused', reason: sent.reason } };
  return {
    is: 'unreachable',
    problem:
      sent.is === 'in_doubt'
        ? { code: 'device_no_answer', reason: sent.reason }
        : { code: 'device_unreachable' },
  };
}
