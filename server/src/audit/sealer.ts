import type { Context } from '../context.ts';
import type { Log } from '../platform/log.ts';
import { type Follower, sealTrail } from './seal-trail.ts';

export type Sealer = {
  /** Something was written for this business; it is sealed in a moment, once it is committed. */
  touch(businessId: string): void;
  /** Seals what was touched. */
  run(): Promise<void>;
  /** Seals every business: what a crash or a long transaction left behind. */
  sweep(): Promise<void>;
};

/**
 * Keeps the trails chained. Touched businesses wait one round, because they are touched before the transaction that writes commits;
 * one that commits later still is found by the sweep.
 */
export function openSealer(ports: { contextOf(businessId: string): Context; businessIds(): Promise<string[]>; followers: Follower[]; log: Log }): Sealer {
  let fresh = new Set<string>();
  let ripe = new Set<string>();
  let isRunning = false;
  const seal = async (ids: Iterable<string>) => {
    for (const businessId of ids)
      await sealTrail(ports.contextOf(businessId), ports.followers).catch((error: Error) => {
        fresh.add(businessId);
        ports.log.error({ business_id: businessId, error: error.stack }, 'the trail could not be sealed');
      });
  };
  return {
    touch: (businessId) => void fresh.add(businessId),
    async run() {
      if (isRunning) return;
      isRunning = true;
      const due = ripe;
      ripe = fresh;
      fresh = new Set();
      await seal(due).finally(() => {
        isRunning = false;
      });
    },
    sweep: async () => seal(await ports.businessIds()),
  };
}
