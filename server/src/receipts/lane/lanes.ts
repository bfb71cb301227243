import type { Context } from '../../context.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { listIdleLanes } from './lane.store.ts';
import type { RunJob } from '../../platform/run-job.ts';
import type { RunLane } from './run-lane.ts';

export type Lanes = {
  /**
   * Has a device's lane looked at, now. Any number of calls at once make one run and at most one
   * more after it.
   */
  call(businessId: string, deviceId: string): void;
  /** Looks for work that nobody was called for: after a crash, a lost call, a clock that jumped. */
  sweep(): Promise<void>;
  /** Waits until nothing runs here. */
  close(): Promise<void>;
};

/** The lanes this process works, each once; those beyond the bound wait for a place. */
export function openLanes(ports: {
  runLane: RunLane;
  contextOf(businessId: string): Context;
  businessIds(): Promise<string[]>;
  clock: Clock;
  log: Log;
  atOnceMax: number;
  run: RunJob;
  /** Runs something once so many milliseconds have passed; what it answers takes that back. */
  after(ms: number, run: () => void): () => void;
}): Lanes {
  const running = new Map<string, { again: boolean; done: Promise<void> }>();
  const waiting = new Map<string, () => void>();
  const timers = new Set<() => void>();
  let isClosing = false;

  const call = (businessId: string, deviceId: string): void => {
    if (isClosing) return;
    const run = running.get(deviceId);
    if (run) {
      run.again = true;
      return;
    }
    if (running.size >= ports.atOnceMax) {
      waiting.set(deviceId, () => call(businessId, deviceId));
      return;
    }
    const entry = { again: false, done: Promise.resolve() };
    running.set(deviceId, entry);
    entry.done = work(businessId, deviceId, entry).finally(() => {
      running.delete(deviceId);
      if (entry.again) call(businessId, deviceId);
      const [next] = waiting;
      if (next) {
        waiting.delete(next[0]);
        next[1]();
      }
    });
  };

  const work = async (
    businessId: string,
    deviceId: string,
    entry: { again: boolean },
  ): Promise<void> => {
    try {
      const at = await ports.runLane(ports.contextOf(businessId), deviceId);
      if (at && !entry.again) later(businessId, deviceId, at);
    } catch (error) {
      ports.log.error(
        { business_id: businessId, device_id: deviceId, error: (error as Error).stack },
        'a lane could not be worked',
      );
    }
  };

  // The queue calls at that time too; the timer only spares its polling interval.
  const later = (businessId: string, deviceId: string, at: Date): void => {
    const ms = Math.max(0, at.getTime() - ports.clock.now().getTime());
    if (ms > 60_000 || isClosing) return;
    const takeBack = ports.after(ms + 5, () => {
      timers.delete(takeBack);
      call(businessId, deviceId);
    });
    timers.add(takeBack);
  };

  return {
    call,
    async sweep() {
      for (const businessId of await ports.businessIds()) {
        if (isClosing) return;
        await ports.run(businessId, 'idle_lanes', async () => {
          const idle = await ports
            .contextOf(businessId)
            .transaction((tx) => listIdleLanes(tx, ports.clock.now()));
          for (const deviceId of idle) call(businessId, deviceId);
        });
      }
    },
    async close() {
      isClosing = true;
      waiting.clear();
      for (const takeBack of timers) takeBack();
      while (running.size > 0) await Promise.all([...running.values()].map((run) => run.done));
    },
  };
}
