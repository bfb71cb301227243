import pLimit from 'p-limit';
import type { Context } from '../../context.ts';
import { closingTimes } from '../../platform/shutdown-timeouts.ts';
import { retryOnDeadlock } from '../../platform/db/retry-on-deadlock.ts';
import type { RunJob } from '../../platform/run-job.ts';
import type { Runtime } from '../../platform/runtime.ts';
import { auditWritten } from '../../audit/index.ts';
import type { LanePorts } from './lane-ports.ts';
import { openLanes } from './lanes.ts';
import { runLane } from './run-lane.ts';

/** Lanes that one process works at once: most of the time each only waits for its device. */
const lanesMax = 512;

type Needs = Pick<
  LanePorts,
  'alerts' | 'changed' | 'dialects' | 'prepareSale' | 'record' | 'registerItems' | 'timing'
> & {
  vsdc: LanePorts['vsdc'] & { answered(): Promise<void>; close(): Promise<void> };
  businessIds(): Promise<string[]>;
  runJob: RunJob;
  lanesMax: number | undefined;
};

/** Opens the work on lanes: what queued receipts wait for. */
export async function openLaneWork(runtime: Runtime, needs: Needs) {
  const { clock, log, after, queue, signals } = runtime;
  const { businessIds, runJob, lanesMax: atOnceMax = lanesMax, ...given } = needs;
  const ports: LanePorts = {
    ...given,
    queue,
    clock,
    startWatch: runtime.startWatch,
    wait: runtime.wait,
    after,
    newId: runtime.newId,
    log,
    worker: runtime.worker,
    underWay: new Map(),
    closing: runtime.closing.signal,
    ending: runtime.ending.signal,
    afterSigned: async (_tx, ctx) => signals.raise(auditWritten, ctx.businessId),
    background: runtime.background,
    worked: async (ctx, deviceId, surprise) => {
      await runJob(ctx.businessId, `lane.${deviceId}`, () =>
        surprise ? Promise.reject(surprise) : Promise.resolve(),
      );
    },
  };
  const lanes = openLanes({
    runLane: runLane(ports),
    contextOf: laneContexts(runtime),
    businessIds,
    clock,
    log,
    atOnceMax,
    run: runJob,
    after,
  });
  await queue.work(({ business_id, device_id }) => lanes.call(business_id, device_id));
  return { ports, lanes, hearOut: hearOut(runtime, lanes, needs.vsdc) };
}

/**
 * Half of the connections are the lanes' at most: people never wait behind hundreds of devices, and
 * a few at a time are done sooner than all at once.
 */
function laneContexts({ databasePoolMax, contextFor }: Runtime): (businessId: string) => Context {
  const laneTurn = pLimit(Math.max(2, Math.floor(databasePoolMax / 2)));
  const contextOf = contextFor('lane');
  return (businessId) => {
    const ctx = contextOf(businessId);
    // Nobody asks a lane once more: what was given up because it and a person waited for each other
    // is begun again, in its turn.
    return {
      ...ctx,
      transaction: (work) => retryOnDeadlock(() => laneTurn(() => ctx.transaction(work))),
    };
  };
}

/**
 * Hears out what is on its way to devices as long as that may take, and records it. Sockets that
 * still wait for an answer are closed then, and that they are is recorded: a doubt may be asked
 * about at once. What could not be written until then is tried once more, and told of where it is
 * lost.
 */
function hearOut(
  { closing, ending, settled, withinTime }: Runtime,
  lanes: { close(): Promise<void> },
  vsdc: Needs['vsdc'],
): () => Promise<void> {
  let lanesClosed = Promise.resolve();
  closing.signal.addEventListener('abort', () => {
    lanesClosed = lanes.close();
  });
  return async () => {
    await vsdc.answered();
    await withinTime('lanes', lanesClosed, closingTimes.lanesMs);
    await vsdc.close();
    const begun = () => Promise.all([lanesClosed, settled()]);
    await withinTime(
      'lanes without their devices, and what was begun beside requests',
      begun(),
      closingTimes.cutOffMs,
    );
    ending.abort();
    await withinTime('what could not be written', begun());
  };
}
