import { afterTransaction } from './db/database.ts';
import type { Log } from './log.ts';

export type BusinessWorker = {
  /**
   * There is something to do for this business; said within a transaction, it holds once that has
   * ended.
   */
  touch(businessId: string): void;
  /** Works on what was touched. */
  run(): Promise<void>;
  /** Every business: whatever is due after a restart or a wait. */
  sweep(): Promise<void>;
  /** Once nothing is being worked on any more. */
  idle(): Promise<void>;
};

const atOnce = 6;

/**
 * Work by business, a few of them at once; one business is worked on once at a time, and none waits
 * for another's.
 */
export function openBusinessWorker(ports: {
  work(businessId: string, isSweep: boolean): Promise<void>;
  businessIds(): Promise<string[]>;
  log: Log;
  /** What failed, for the log. */
  name: string;
}): BusinessWorker {
  let touched = new Set<string>();
  const running = new Map<string, Promise<void>>();

  const begin = (businessId: string, isSweep: boolean): Promise<void> => {
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
    touch: (businessId) => afterTransaction(() => touched.add(businessId)),
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
