import { uptime } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** Where time comes from. Inside everything is UTC; only dialects speak in a country's zone. */
export type Clock = { now(): Date };

export const systemClock: Clock = { now: () => new Date() };

/** Begins to count; what it answers says how many milliseconds have passed. */
export type StartWatch = () => () => number;

/**
 * By whichever of three clocks has gone furthest. The wall's may be set back meanwhile, the
 * monotonic one stands still while the machine sleeps, and what the machine says of its own age may
 * be coarse: none of them alone is believed that little time has passed.
 */
export const watchBy =
  (clocks: { wallMs(): number; monotonicMs(): number; bootMs(): number }): StartWatch =>
  () => {
    const all = Object.values(clocks).map((read) => ({ read, from: read() }));
    return () => Math.max(...all.map(({ read, from }) => read() - from));
  };

export const systemWatch = (clock: Clock): StartWatch =>
  watchBy({
    wallMs: () => clock.now().getTime(),
    monotonicMs: () => performance.now(),
    bootMs: () => uptime() * 1_000,
  });

/** Waits that many milliseconds. */
export const systemWait = (ms: number): Promise<void> => pause(ms);

/**
 * Runs something once so many milliseconds have passed, unless taken back; keeps no process alive.
 */
export function systemAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}
