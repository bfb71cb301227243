import type { Context } from '../context.ts';
import { afterTransaction } from '../platform/db/database.ts';
import type { RunJob } from '../platform/run-job.ts';
import { type AuditListener, chainAuditLog } from './chain-audit-log.ts';

export type AuditChainer = {
  /**
   * Something was written for this business; within a transaction: it is sealed once that has
   * ended.
   */
  touch(businessId: string): void;
  /** Seals what was touched. */
  run(): Promise<void>;
  /** Seals every business: what a crash or a long transaction left behind. */
  sweep(): Promise<void>;
};

/** Keeps the trails chained. */
export function openAuditChainer(ports: {
  contextOf(businessId: string): Context;
  businessIds(): Promise<string[]>;
  followers: AuditListener[];
  run: RunJob;
}): AuditChainer {
  let touched = new Set<string>();
  let isRunning = false;
  const seal = async (ids: Iterable<string>) => {
    for (const businessId of ids)
      if (
        !(await ports.run(businessId, 'seal', () =>
          chainAuditLog(ports.contextOf(businessId), ports.followers),
        ))
      )
        touched.add(businessId);
  };
  return {
    touch: (businessId) => afterTransaction(() => touched.add(businessId)),
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
