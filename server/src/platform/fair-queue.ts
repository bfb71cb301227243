import { AppError } from './app-error.ts';

/**
 * Does a piece of work of this key as soon as it is its turn. Throws `business_busy` where the line
 * is too long, or the wait.
 */
export type FairQueue = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * For each key so many pieces of work at once; the others wait in line, no more than `lineMost` of
 * them and none longer than `waitMs`. So whatever one of them asks for leaves room for all the
 * others.
 */
export function openFairQueue({
  atOnce,
  waitMs,
  lineMost,
}: {
  atOnce: number;
  waitMs: number;
  lineMost: number;
}): FairQueue {
  const lines = new Map<string, { running: number; waiting: Set<() => void> }>();

  const turnOf = (key: string): Promise<void> | null => {
    const line = lines.get(key) ?? { running: 0, waiting: new Set() };
    lines.set(key, line);
    if (line.running < atOnce) {
      line.running += 1;
      return null;
    }
    if (line.waiting.size >= lineMost) throw new AppError('business_busy', { retry_after_s: 2 });
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(tooLong);
        resolve();
      };
      const tooLong = setTimeout(() => {
        line.waiting.delete(begin);
        reject(new AppError('business_busy', { retry_after_s: 2 }));
      }, waitMs);
      line.waiting.add(begin);
    });
  };
  /** The place is handed to whoever waits longest, never put back while somebody waits. */
  const leave = (key: string): void => {
    const line = lines.get(key);
    if (!line) return;
    const [next] = line.waiting;
    if (next) {
      line.waiting.delete(next);
      next();
    } else {
      line.running -= 1;
      if (line.running === 0) lines.delete(key);
    }
  };

  return async (key, work) => {
    const turn = turnOf(key);
    if (turn) await turn;
    try {
      return await work();
    } finally {
      leave(key);
    }
  };
}
