import { compare } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { type Device, findDevice, setLastUpstreamContact } from '../branches/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type {
  Code,
  DeviceAnswer,
  DeviceRequest,
  DialectDevice,
  Dialects,
  SetUpReply,
} from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import { readWhole, replaceList } from './code-list.store.ts';
import { changeOf, keepRates, rateChanges } from './list-changes.model.ts';
import {
  claimListSync,
  endListSync,
  findListSync,
  holdAtWork,
  insertRateChange,
  type ListChange,
  listSyncsDue,
  readQueuedAnew,
  setListStep,
} from './list-sync.store.ts';

type Ports = {
  vsdc: Vsdc;
  dialects: Dialects;
  clock: Clock;
  log: Log;
  record: Recorder;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  worker: string;
};

/** `busy`: it is under way already, here or on another server. */
type Refreshed = { is: 'done' | 'busy' } | { is: 'failed'; problem: StoredProblem };
export type RefreshLists = (
  ctx: Context,
  deviceId: string,
  isForced?: boolean,
) => Promise<Refreshed>;

const dayMs = 86_400_000;
const claimMs = 5 * 60_000;
const retryFirstMs = 15 * 60_000;
const retryMaxMs = 4 * 3_600_000;
/** Once may be a device that is just switched off. */
const triesBeforeAlert = 3;

type Fetched = { list: string; codes: Code[] };

/**
 * Fetches the authority's code lists, rates and item classes through the device, and says what has
 * changed. What cannot be fetched now stays as it was, is tried again, and from the third time on
 * stands as an alert. A changed rate is kept with the one before it and told.
 */
export const refreshLists =
  (ports: Ports): RefreshLists =>
  async (ctx, deviceId, isForced = true) => {
    const by = `${ports.worker}:${ctx.requestId ?? 'round'}`;
    const now = ports.clock.now();
    const { business, device, isMine } = await ctx.transaction(async (tx) => {
      const device = await findDevice(tx, deviceId);
      const until = new Date(now.getTime() + claimMs);
      const isMine =
        device !== null &&
        device.state !== 'retired' &&
        (await claimListSync(tx, ctx.businessId, deviceId, { by, now, until, isForced }));
      return { business: await getBusiness(tx), device, isMine };
    });
    if (!device || !isMine) return { is: 'busy' };
    const { codes } = ports.dialects.of(device.dialect);
    const named = {
      taxpayerId: business.taxpayerId,
      branchCode: device.branchCode,
      serial: device.serial,
    };
    const lists = await ask(ports, ctx, device, named, codes?.lists);
    await ctx.transaction((tx) => setListStep(tx, deviceId, by, 1));
    const classes = await ask(ports, ctx, device, named, codes?.itemClasses);
    const fetched: Fetched[] = [
      ...(lists.value ?? []),
      ...(classes.value ? [{ list: 'item_class', codes: classes.value }] : []),
    ];
    const problem = lists.problem ?? classes.problem;
    await ctx.transaction(async (tx) => {
      const at = ports.clock.now();
      // Replaced while it was asked: nobody is told of lists that nothing is sealed by any more.
      const isAtWork = await holdAtWork(tx, deviceId);
      if (lists.value) await setLastUpstreamContact(tx, deviceId, at);
      const changes: ListChange[] = [];
      for (const each of fetched)
        changes.push(...(await take(ports, tx, ctx, device, each, at, isAtWork)));
      const tries = problem ? ((await findListSync(tx, deviceId, at))?.tries ?? 0) + 1 : 0;
      const wait = problem ? Math.min(retryMaxMs, retryFirstMs * 2 ** (tries - 1)) : dayMs;
      await endListSync(tx, deviceId, {
        by,
        at,
        nextAt: new Date(at.getTime() + wait),
        problem,
        tries,
        changes: problem ? null : changes,
      });
      if (!problem) await ports.alerts.resolve(tx, ctx, deviceId, ['lists_stale']);
      else if (tries >= triesBeforeAlert && isAtWork)
        await ports.alerts.raise(tx, ctx, deviceId, {
          code: 'lists_stale',
          branch: device.branchName,
          because: problem.code,
          tries,
        });
      if (changes.length > 0)
        await ports.record(tx, ctx, { action: 'lists.changed', subject: deviceId, after: changes });
    });
    if (problem)
      ports.log.warn(
        { business_id: ctx.businessId, device_id: deviceId, code: problem.code },
        'the lists of a device could not be fetched',
      );
    return problem ? { is: 'failed', problem } : { is: 'done' };
  };

/** Refreshes what is due, each device once over all servers. */
export const refreshDueLists =
  (ports: Ports) =>
  async (ctx: Context): Promise<void> => {
    for (const deviceId of await ctx.transaction((tx) => listSyncsDue(tx, ports.clock.now())))
      await refreshLists(ports)(ctx, deviceId, false);
  };

type Question<T> = {
  toRequest(device: DialectDevice): DeviceRequest;
  read(answer: DeviceAnswer): SetUpReply<T>;
};

/** What a device gives of its lists; nothing where the authority's devices give none. */
async function ask<T>(
  ports: Pick<Ports, 'vsdc'>,
  ctx: Context,
  device: Device,
  named: DialectDevice,
  question: Question<T> | undefined,
): Promise<{ value: T | null; problem: null } | { value: null; problem: StoredProblem }> {
  if (!question) return { value: null, problem: null };
  const sent = await ports.vsdc.send(device, question.toRequest(named), {
    businessId: ctx.businessId,
    as: 'question',
  });
  const not = (problem: StoredProblem) => ({ value: null, problem });
  if (sent.is === 'address_refused')
    return not({ code: 'device_address_refused', reason: sent.reason });
  if (sent.is === 'unreachable') return not({ code: 'device_unreachable', reason: sent.reason });
  if (sent.is === 'in_doubt') return not({ code: 'device_no_answer', reason: sent.reason });
  const reply = question.read(sent.answer);
  return reply.is === 'done'
    ? { value: reply.value, problem: null }
    : not({ code: 'device_offline', device_code: reply.deviceCode, device_text: reply.deviceText });
}

/**
 * One list takes the place of what was, and what that changes is said. A list that came empty is no
 * list: the one there is stays.
 */
async function take(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  device: Device,
  { list, codes }: Fetched,
  at: Date,
  isAtWork: boolean,
): Promise<ListChange[]> {
  if (codes.length === 0) return [];
  const before = await readWhole(tx, device.id, list);
  const after = list === 'tax_class' ? keepRates(before, codes) : codes;
  const change = changeOf(before, after);
  const rates = list === 'tax_class' ? rateChanges(before, after) : [];
  if (before.length > 0 && !change && rates.length === 0) return [];
  await replaceList(tx, ctx.businessId, device.id, list, after, at);
  for (const { taxClass, percent } of rates) {
    await insertRateChange(tx, ctx.businessId, device.id, {
      taxClass,
      before: percent.before,
      after: percent.after,
      since: at,
    });
    if (!isAtWork) continue;
    const subject = `${device.id}:${taxClass}`;
    await ports.alerts.resolve(tx, ctx, subject, ['rate_changed']);
    const told = {
      tax_class: taxClass,
      before: percent.before,
      after: percent.after,
      since: at.toISOString(),
    };
    await ports.alerts.raise(tx, ctx, subject, {
      code: 'rate_changed',
      branch: device.branchName,
      ...told,
    });
  }
  if (rates.some(({ percent }) => compare(percent.before, percent.after) !== 0))
    await readQueuedAnew(tx, device.id);
  return before.length > 0 && change ? [{ list, ...change }] : [];
}
