import { setTimeout as pause } from 'node:timers/promises';

/** Where time comes from. Inside everything is UTC; only dialects speak in a country's zone. */
export type Clock = { now(): Date };

export const systemClock: Clock = { now: () => new Date() };

/** Waits that many milliseconds. */
export const systemWait = (ms: number): Promise<void> => pause(ms);

/** Runs something once so many milliseconds have passed, unless taken back; keeps no process alive. */
export function systemAfter(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}
