import type { Context } from '../context.ts';
import { onceEnded } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import { type Follower, sealTrail } from './seal-trail.ts';

export type Sealer = {
  /** Something was written for this business; within a transaction: it is sealed once that has ended. */
  touch(businessId: string): void;
  /** Seals what was touched. */
  run(): Promise<void>;
  /** Seals every business: what a crash or a long transaction left behind. */
  sweep(): Promise<void>;
};

/** Keeps the trails chained. */
export function openSealer(ports: { contextOf(businessId: string): Context; businessIds(): Promise<string[]>; followers: Follower[]; log: Log }): Sealer {
  let touched = new Set<string>();
  let isRunning = false;
  const seal = async (ids: Iterable<string>) => {
    for (const businessId of ids)
      await sealTrail(ports.contextOf(businessId), ports.followers).catch((error: Error) => {
        touched.add(businessId);
        ports.log.error({ business_id: businessId, error: error.stack }, 'the trail could not be sealed');
      });
  };
  return {
    touch: (businessId) => onceEnded(() => touched.add(businessId)),
    async run() {
      if (isRunning) return;
      isRunning = true;
      const due = touched;
      touched = new Set();
      await seal(due).finally(() => {
        isRunning = false;
      });
    },
    sweep: async () => seal(await ports.businessIds()),
  };
}
