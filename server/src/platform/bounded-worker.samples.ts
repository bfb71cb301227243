import { env } from 'node:process';
import { AppError } from './app-error.ts';

/**
 * What a bounded worker is tried with: ordinary work, and everything that must end a thread and
 * nothing else.
 */
export const add = (a: number, b: number): number => a + b;
export const bytes = (length: number): Buffer => Buffer.alloc(length, 7);
export const environment = (): string[] => Object.keys(env);
export const threadOf = async (): Promise<number> => (await import('node:worker_threads')).threadId;

export function refuse(): never {
  throw new AppError('image_refused', { field: 'logo' });
}

export function fail(): never {
  throw new TypeError('an ordinary mistake');
}

export function loopForever(): never {
  for (;;);
}

export function fillHeap(): void {
  const kept: object[] = [];
  for (;;) kept.push({ more: [kept.length] });
}

export function fillBytes(): void {
  const kept: Buffer[] = [];
  for (;;) kept.push(Buffer.alloc(1 << 20, 1));
}

/**
 * As a decoder does that checks its input in a callback of zlib: no `try` around the call sees it.
 */
export function throwLater(): Promise<void> {
  setImmediate(() => {
    throw new Error('thrown where nobody catches');
  });
  return new Promise(() => {});
}

/** Answers, and leaves behind what ends the thread a moment later. */
export function leaveBomb(afterMs: number): string {
  setTimeout(() => {
    throw new Error('left behind by an earlier job');
  }, afterMs);
  return 'done';
}

export const waitFor = (ms: number): Promise<number> =>
  new Promise((resolve) => setTimeout(() => resolve(ms), ms));

export function endProcess(): never {
  process.exit(3);
}
