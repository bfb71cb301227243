import type { Context } from '../../context.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { listIdleLanes } from './lane.store.ts';
import type { RunJob } from '../../platform/run-job.ts';
import type { RunLane } from './run-lane.ts';

export type Lanes = {
  /**
   * Runs a device's lane now. Any number of calls at once make one run and at most one more after
   * it.
   */
  call(businessId: string, deviceId: string): void;
  /** Finds work that nobody was called for: after a crash, a lost call, a clock that jumped. */
  sweep(): Promise<void>;
  /** Waits until nothing runs here. */
  close(): Promise<void>;
};

type LanesPorts = {
  runLane: RunLane;
  contextOf(businessId: string): Context;
  businessIds(): Promise<string[]>;
  clock: Clock;
  log: Log;
  atOnceMax: number;
  run: RunJob;
  /** Runs something once so many milliseconds have passed; what it returns takes that back. */
  after(ms: number, run: () => void): () => void;
};
type Run = { again: boolean; done: Promise<void> };
type Working = {
  ports: LanesPorts;
  running: Map<string, Run>;
  waiting: Map<string, () => void>;
  timers: Set<() => void>;
  isClosing: boolean;
};

/** Beyond this the queue's own call is soon enough. */
const timerMaxMs = 60_000;

/** Opens the lanes that this process works, each once; those beyond the bound wait for a place. */
export function openLanes(ports: LanesPorts): Lanes {
  const working: Working = {
    ports,
    running: new Map(),
    waiting: new Map(),
    timers: new Set(),
    isClosing: false,
  };
  return {
    call: (businessId, deviceId) => call(working, businessId, deviceId),
    sweep: () => sweep(working),
    close: () => close(working),
  };
}

function call(working: Working, businessId: string, deviceId: string): void {
  const { ports, running, waiting, isClosing } = working;
  if (isClosing) return;
  const run = running.get(deviceId);
  if (run) {
    run.again = true;
    return;
  }
  if (running.size >= ports.atOnceMax) {
    waiting.set(deviceId, () => call(working, businessId, deviceId));
    return;
  }
  const entry: Run = { again: false, done: Promise.resolve() };
  running.set(deviceId, entry);
  entry.done = work(working, businessId, deviceId, entry).finally(() => {
    running.delete(deviceId);
    if (entry.again) call(working, businessId, deviceId);
    const [next] = waiting;
    if (next) {
      waiting.delete(next[0]);
      next[1]();
    }
  });
}

async function work(
  working: Working,
  businessId: string,
  deviceId: string,
  entry: Run,
): Promise<void> {
  const { ports } = working;
  try {
    const at = await ports.runLane(ports.contextOf(businessId), deviceId);
    if (at && !entry.again) callLater(working, businessId, deviceId, at);
  } catch (error) {
    ports.log.error(
      { business_id: businessId, device_id: deviceId, error: (error as Error).stack },
      'a lane could not be worked',
    );
  }
}

/** Calls a lane at a time; the queue calls then too, and this only spares its polling interval. */
function callLater(working: Working, businessId: string, deviceId: string, at: Date): void {
  const { ports, timers, isClosing } = working;
  const ms = Math.max(0, at.getTime() - ports.clock.now().getTime());
  if (ms > timerMaxMs || isClosing) return;
  const takeBack = ports.after(ms + 5, () => {
    timers.delete(takeBack);
    call(working, businessId, deviceId);
  });
  timers.add(takeBack);
}

async function sweep(working: Working): Promise<void> {
  const { ports } = working;
  for (const businessId of await ports.businessIds()) {
    if (working.isClosing) return;
    await ports.run(businessId, 'idle_lanes', async () => {
      const idle = await ports
        .contextOf(businessId)
        .transaction((tx) => listIdleLanes(tx, ports.clock.now()));
      for (const deviceId of idle) call(working, businessId, deviceId);
    });
  }
}

async function close(working: Working): Promise<void> {
  const { running, waiting, timers } = working;
  working.isClosing = true;
  waiting.clear();
  for (const takeBack of timers) takeBack();
  while (running.size > 0) await Promise.all([...running.values()].map((run) => run.done));
}
