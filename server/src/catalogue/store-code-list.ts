import { compare } from '@muhuri/shared/money';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Device } from '../branches/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import { readWhole, replaceList } from './code-list.store.ts';
import type { FetchedList } from './fetch-lists.ts';
import {
  changeOf,
  keepRates,
  type RateDifference,
  rateChanges,
} from './code-list-changes.model.ts';
import { insertRateChange, type ListChange, rereadQueued } from './list-sync.store.ts';

export type KeepPorts = {
  clock: Clock;
  record: Recorder;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
};

/** The end of a refresh: of which device, when, and whether that still signs anything. */
export type Refresh = { ctx: Context; device: Device; at: Date; isAtWork: boolean };

/**
 * Replaces one list by the fetched one and returns what that changes. A list that came empty is no
 * list: the present one stays. A changed rate is kept with the one before it, and told.
 */
export async function keepList(
  ports: KeepPorts,
  tx: Tx,
  refresh: Refresh,
  { list, codes }: FetchedList,
): Promise<ListChange[]> {
  if (codes.length === 0) return [];
  const { ctx, device, at } = refresh;
  const before = await readWhole(tx, device.id, list);
  const after = list === 'tax_class' ? keepRates(before, codes) : codes;
  const change = changeOf(before, after);
  const rates = list === 'tax_class' ? rateChanges(before, after) : [];
  if (before.length > 0 && !change && rates.length === 0) return [];
  const { businessId } = ctx;
  await replaceList(tx, { businessId, deviceId: device.id, list, codes: after, at });
  for (const each of rates) await keepRateChange(ports, tx, refresh, each);
  if (rates.some(({ percent }) => compare(percent.before, percent.after) !== 0))
    await rereadQueued(tx, device.id);
  return before.length > 0 && change ? [{ list, ...change }] : [];
}

async function keepRateChange(
  { alerts }: KeepPorts,
  tx: Tx,
  { ctx, device, at, isAtWork }: Refresh,
  { taxClass, percent: { before, after } }: RateDifference,
): Promise<void> {
  await insertRateChange(tx, ctx.businessId, device.id, { taxClass, before, after, since: at });
  if (!isAtWork) return;
  const subject = `${device.id}:${taxClass}`;
  await alerts.resolve(tx, ctx, subject, ['rate_changed']);
  await alerts.raise(tx, ctx, subject, {
    code: 'rate_changed',
    branch: device.branchName,
    tax_class: taxClass,
    before,
    after,
    since: at.toISOString(),
  });
}
