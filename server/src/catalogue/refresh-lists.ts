import type { StoredProblem } from '@muhuri/shared/problems';
import { type Device, findDevice, setLastUpstreamContact } from '../branches/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import { type FetchedLists, fetchLists, type FetchPorts } from './fetch-lists.ts';
import { keepList, type KeepPorts, type Refresh } from './store-code-list.ts';
import { waitBeforeRefresh } from './code-list-changes.model.ts';
import {
  claimListSync,
  endListSync,
  findListSync,
  holdAtWork,
  type ListChange,
  listSyncsDue,
  setListStep,
} from './list-sync.store.ts';

type Ports = FetchPorts & KeepPorts & { log: Log; worker: string };

/** `busy`: it is under way already, here or on another server. */
type Refreshed = { is: 'done' | 'busy' } | { is: 'failed'; problem: StoredProblem };
export type RefreshLists = (
  ctx: Context,
  deviceId: string,
  isForced?: boolean,
) => Promise<Refreshed>;

const claimMs = 5 * 60_000;
/** A device that fails once or twice may just be switched off. */
const triesBeforeAlert = 3;

/**
 * Fetches the authority's code lists, rates and item classes through the device, and records what
 * has changed. What cannot be fetched now stays as it was and is tried again; from the third time on
 * an alert says so.
 */
export const refreshLists =
  (ports: Ports): RefreshLists =>
  async (ctx, deviceId, isForced = true) => {
    const holder = `${ports.worker}:${ctx.requestId ?? 'round'}`;
    const claimed = await claimRefresh(ports, ctx, { deviceId, holder, isForced });
    if (!claimed) return { is: 'busy' };
    const { device, taxpayerId } = claimed;
    const fetched = await fetchLists(ports, ctx, device, taxpayerId, () =>
      ctx.transaction((tx) => setListStep(tx, deviceId, holder, 1)),
    );
    await ctx.transaction((tx) => endRefresh(ports, tx, ctx, { device, holder, fetched }));
    const { problem } = fetched;
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

/** Claims the refresh of a device's lists; null if it is under way, or nothing is signed there. */
function claimRefresh(
  ports: Ports,
  ctx: Context,
  { deviceId, holder, isForced }: { deviceId: string; holder: string; isForced: boolean },
): Promise<{ device: Device; taxpayerId: string } | null> {
  const now = ports.clock.now();
  return ctx.transaction(async (tx) => {
    const device = await findDevice(tx, deviceId);
    const until = new Date(now.getTime() + claimMs);
    const isMine =
      device !== null &&
      device.state !== 'retired' &&
      (await claimListSync(tx, ctx.businessId, deviceId, { holder, now, until, isForced }));
    const { taxpayerId } = await getBusiness(tx);
    return isMine ? { device, taxpayerId } : null;
  });
}

/**
 * Keeps what was fetched. If the device was replaced while it was asked, nobody is told of lists
 * that nothing is signed by any more.
 */
async function endRefresh(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  { device, holder, fetched }: { device: Device; holder: string; fetched: FetchedLists },
): Promise<void> {
  const { problem } = fetched;
  const at = ports.clock.now();
  const isAtWork = await holdAtWork(tx, device.id);
  const refresh: Refresh = { ctx, device, at, isAtWork };
  if (fetched.hasContact) await setLastUpstreamContact(tx, device.id, at);
  const changes: ListChange[] = [];
  for (const each of fetched.lists) changes.push(...(await keepList(ports, tx, refresh, each)));
  const tries = problem ? ((await findListSync(tx, device.id, at))?.tries ?? 0) + 1 : 0;
  await endListSync(tx, device.id, {
    holder,
    at,
    nextAt: new Date(at.getTime() + waitBeforeRefresh(tries)),
    problem,
    tries,
    changes: problem ? null : changes,
  });
  await watchStale(ports, tx, refresh, { problem, tries });
  if (changes.length > 0)
    await ports.record(tx, ctx, { action: 'lists.changed', subject: device.id, after: changes });
}

/** Raises the alert that lists are stale, or resolves it. */
async function watchStale(
  { alerts }: Ports,
  tx: Tx,
  { ctx, device, isAtWork }: Refresh,
  { problem, tries }: { problem: StoredProblem | null; tries: number },
): Promise<void> {
  if (!problem) await alerts.resolve(tx, ctx, device.id, ['lists_stale']);
  else if (tries >= triesBeforeAlert && isAtWork)
    await alerts.raise(tx, ctx, device.id, {
      code: 'lists_stale',
      branch: device.branchName,
      because: problem.code,
      tries,
    });
}
