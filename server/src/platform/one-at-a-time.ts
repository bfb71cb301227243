import type { ProblemCode } from '@muhuri/shared/problems';
import { AppError } from './app-error.ts';

/**
 * For each key one of these at a time: whoever comes meanwhile is told so. What is given out page
 * by page holds its place until it has been read to its end or was let go, and in any case no
 * longer than `leaseMs` after its last page: a reader that fell silent keeps nobody out.
 */
export function oneAtATime(
  code: ProblemCode,
  leaseMs = 60_000,
): <T>(key: string, pages: AsyncIterable<T>) => AsyncIterableIterator<T> {
  const held = new Map<string, { until: number }>();
  return (key, pages) => {
    const now = performance.now();
    if ((held.get(key)?.until ?? 0) > now) throw new AppError(code, { retry_after_s: 5 });
    const mine = { until: now + leaseMs };
    held.set(key, mine);
    const release = () => {
      if (held.get(key) === mine) held.delete(key);
    };
    const inner = pages[Symbol.asyncIterator]();
    return {
      async next() {
        mine.until = performance.now() + leaseMs;
        const result = await inner.next().catch((error: unknown) => {
          release();
          throw error;
        });
        if (result.done) release();
        return result;
      },
      async return() {
        release();
        await inner.return?.();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };
}

/**
 * For each key one of these at a time: whoever comes meanwhile waits for the same one, and has its
 * answer.
 */
export function sharedWhileRunning<T>(): (key: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  return (key, work) => {
    const found = running.get(key) ?? work().finally(() => running.delete(key));
    running.set(key, found);
    return found;
  };
}
