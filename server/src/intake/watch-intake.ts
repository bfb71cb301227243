import type { Context } from '../context.ts';
import type { Log } from '../platform/log.ts';

type Ports = {
  watchGrant(ctx: Context): Promise<boolean>;
  poll(ctx: Context): Promise<number>;
  lookAtDue(ctx: Context): Promise<number>;
  writeBackDue(ctx: Context): Promise<number>;
  sendNotices(ctx: Context): Promise<number>;
  contextOf(businessId: string): Context;
  businessIds(): Promise<string[]>;
  log: Log;
};

export type IntakeWatch = {
  /** Something came in for this business. */
  touch(businessId: string): void;
  /** Works on what was touched. */
  run(): Promise<void>;
  /** Every business: its grant, its poll, and whatever is due after a restart or a wait. */
  sweep(): Promise<void>;
};

const atOnce = 6;

/** Keeps each business's documents up with Zoho; one business is worked on once at a time, and none waits for another's Zoho. */
export function watchIntake(ports: Ports): IntakeWatch {
  let touched = new Set<string>();
  const running = new Set<string>();

  const work = async (businessId: string, isSweep: boolean): Promise<void> => {
    if (running.has(businessId)) {
      touched.add(businessId);
      return;
    }
    running.add(businessId);
    const ctx = ports.contextOf(businessId);
    try {
      // Ours to tell, whether Zoho answers or not.
      while ((await ports.sendNotices(ctx)) > 0) continue;
      if (isSweep) {
        if (!(await ports.watchGrant(ctx))) return;
        await ports.poll(ctx);
      }
      await ports.lookAtDue(ctx);
      await ports.writeBackDue(ctx);
    } catch (error) {
      ports.log.error({ business_id: businessId, error: (error as Error).stack }, 'the documents of a business could not be kept up');
    } finally {
      running.delete(businessId);
    }
  };
  const all = async (ids: string[], isSweep: boolean): Promise<void> => {
    const left = [...ids];
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next, isSweep);
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
  };
}
