import type { Log } from './log.ts';

export type BusinessWorker = {
  /** There is something to do for this business. */
  touch(businessId: string): void;
  /** Works on what was touched. */
  run(): Promise<void>;
  /** Every business: whatever is due after a restart or a wait. */
  sweep(): Promise<void>;
  /** Once nothing is being worked on any more. */
  idle(): Promise<void>;
};

type Ports = {
  /** Never throws for a reason of the business; says whether all of it succeeded. */
  work(businessId: string, isSweep: boolean): Promise<boolean>;
  businessIds(): Promise<string[]>;
};

const atOnce = 6;

/**
 * Works by business, a few of them at once. One business is worked on once at a time, and none
 * waits for another's.
 */
export function openBusinessWorker(
  ports: Ports & {
    log: Log;
    /** What failed, for the log. */
    name: string;
  },
): BusinessWorker {
  let touched = new Set<string>();
  const running = new Map<string, Promise<unknown>>();

  const begin = (businessId: string, isSweep: boolean): Promise<unknown> => {
    if (running.has(businessId)) {
      touched.add(businessId);
      return Promise.resolve();
    }
    const work = ports
      .work(businessId, isSweep)
      .catch((error: Error) =>
        ports.log.error({ business_id: businessId, error: error.stack }, `${ports.name} failed`),
      )
      .finally(() => running.delete(businessId));
    running.set(businessId, work);
    return work;
  };
  const all = async (ids: string[], isSweep: boolean): Promise<void> => {
    const left = [...ids];
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift())
        await begin(next, isSweep);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, left.length) }, worker));
  };

  return {
    touch: (businessId) => void touched.add(businessId),
    async run() {
      const due = touched;
      touched = new Set();
      await all([...due], false);
    },
    sweep: async () => all(await ports.businessIds(), true),
    idle: async () => {
      await Promise.all(running.values());
    },
  };
}

/**
 * Works by business, one after the other. A business whose work failed is touched again, so that
 * the next run comes back to it.
 */
export function openBusinessTurns(ports: Ports): BusinessWorker {
  let touched = new Set<string>();
  let isRunning = false;
  const all = async (ids: Iterable<string>, isSweep: boolean): Promise<void> => {
    for (const businessId of ids)
      if (!(await ports.work(businessId, isSweep))) touched.add(businessId);
  };

  return {
    touch: (businessId) => void touched.add(businessId),
    async run() {
      if (isRunning) return;
      isRunning = true;
      const due = touched;
      touched = new Set();
      await all(due, false).finally(() => {
        isRunning = false;
      });
    },
    sweep: async () => all(await ports.businessIds(), true),
    idle: async () => {},
  };
}
