import { closingTimes } from './shutdown-timeouts.ts';
import type { Log } from './log.ts';
import { withTimeout } from './with-timeout.ts';

export type WithinTime = (what: string, wait: Promise<unknown>, ms?: number) => Promise<void>;

/**
 * Waits for a step of the server's end, and goes on without it where it takes longer than it may:
 * whatever somebody outside makes last, the end does not wait for it.
 */
export const withinTime =
  (log: Log, mostMs = Infinity): WithinTime =>
  async (what, wait, ms = closingTimes.partMs) => {
    if ((await withTimeout(wait, Math.min(ms, mostMs), 'late' as const)) === 'late')
      log.warn({ what }, 'closing goes on without waiting any longer');
  };
