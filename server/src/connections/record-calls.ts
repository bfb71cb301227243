import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { RunJob } from '../platform/run-job.ts';
import type { NewId } from '../platform/new-id.ts';
import type { CallMade } from '../ports/books.ts';
import { countCalls, insertCalls, keepQuota } from './call.store.ts';

/**
 * As much of the call budget as the record needs: what others did goes in, what the answers said of
 * the quota comes out.
 */
export type CallLimits = {
  others(organizationId: string, lastMinute: number, today: number): void;
  quota(
    organizationId: string,
  ): { limit: number; left: number; resetAt: Date; seenAt: Date } | null;
};

export type CallRecord = { made(call: CallMade): void; flush(limits: CallLimits): Promise<void> };

const keptMax = 20_000;

/**
 * Every call to Zoho with its organization, written a few at a time so that no call waits for its
 * own record. The record is also how several processes keep to one share: each learns from it what
 * the others did in the last minute.
 */
export function recordCalls(ports: {
  clock: Clock;
  newId: NewId;
  worker: string;
  contextOf(businessId: string): Context;
  run: RunJob;
}): CallRecord {
  let kept: CallMade[] = [];
  /**
   * Organizations called lately, with their business: looked after for a minute beyond their last
   * call.
   */
  const active = new Map<string, { organizationId: string; until: number }>();
  return {
    made(call) {
      if (kept.length < keptMax) kept.push(call);
      active.set(call.businessId, {
        organizationId: call.organizationId,
        until: call.at.getTime() + 60_000,
      });
    },
    async flush(limits) {
      const due = kept;
      kept = [];
      const now = ports.clock.now();
      for (const [businessId, { organizationId, until }] of active) {
        if (until < now.getTime()) active.delete(businessId);
        const own = due
          .filter((each) => each.businessId === businessId)
          .map((each) => ({ ...each, id: ports.newId('zoho_call') }));
        await ports.run(businessId, 'calls', () =>
          ports.contextOf(businessId).transaction(async (tx) => {
            if (own.length > 0) await insertCalls(tx, businessId, ports.worker, own);
            const quota = limits.quota(organizationId);
            if (quota && own.length > 0) await keepQuota(tx, organizationId, quota);
            const { othersLastMinute, today } = await countCalls(tx, ports.worker, now);
            limits.others(organizationId, othersLastMinute, today);
          }),
        );
      }
    },
  };
}
