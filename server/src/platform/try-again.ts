import { AppError } from './app-error.ts';
import type { Log } from './log.ts';

const triesMax = 6;
const firstMs = 200;

/**
 * Writes down what exists nowhere else until it is written: an answer of a device. A database that blinks must not lose it, so the same
 * work is done again, for some twelve seconds. `work` is told how often it was tried before: its last commit may have taken although
 * its answer was lost.
 */
export async function tryAgain<T>(ports: { wait(ms: number): Promise<void>; log: Log }, about: object, work: (triesBefore: number) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work(tries);
    } catch (error) {
      if (error instanceof AppError || tries >= triesMax - 1) throw error;
      ports.log.warn({ ...about, error: String(error) }, 'an outcome is recorded again');
      await ports.wait(firstMs * 2 ** tries);
    }
  }
}
