import { AppError } from './app-error.ts';
import { backoffMs } from './backoff.ts';
import { isTransient } from './db/is-transient.ts';
import type { Log } from './log.ts';

/** So often a database may blink before it is looked whether it is there. */
const blinkTries = 6;
const refusalsMax = 3;
const firstMs = 200;
const usualMaxMs = 5_000;
const usualLastMs = 3_000;

export type RetryPorts = {
  wait(ms: number): Promise<void>;
  log: Log;
  /**
   * Fails where nothing can be written at all. Without it everything that fails is taken for
   * refused.
   */
  look?: () => Promise<unknown>;
  /** The process comes to its end: what is tried is tried once more, and given up then. */
  ending?: AbortSignal;
  /** The longest wait between two tries. */
  maxMs?: number;
  /**
   * How long a try may take once the process ends. A database that is silent would hold it until
   * the process is killed, without a word.
   */
  lastMs?: number;
};

/**
 * Writes down what exists nowhere else until it is written: an answer of a device. A database that
 * is away must not lose it, so the same work is done again for as long as that lasts, and as long
 * as it is in trouble by its own word (a full disk, locks, a standby that may not write); what it
 * refuses although it is there is given up after a few tries. `work` is told how often it was tried
 * before: its last commit may have taken although its answer was lost.
 */
export async function retry<T>(
  ports: RetryPorts,
  about: object,
  work: (triesBefore: number) => Promise<T>,
): Promise<T> {
  const { look, ending, maxMs = usualMaxMs, lastMs = usualLastMs } = ports;
  let refusals = 0;
  for (let tries = 0; ; tries++) {
    const isLast = ending?.aborted === true;
    try {
      return await notHanging(work(tries), ending, lastMs);
    } catch (error) {
      const isBlinking = tries < blinkTries - 1;
      if (isFinal(error) || isLast || (!look && !isBlinking)) throw error;
      // One that comes back between the two does not refuse: it has to do so several times in a
      // row.
      if (look && !isBlinking)
        refusals = (await isRefusal(error, () => notHanging(look(), ending, lastMs)))
          ? refusals + 1
          : 0;
      if (refusals >= refusalsMax) throw error;
      ports.log.warn({ ...about, error: String(error) }, 'an outcome is recorded again');
      await untilEnding(ports.wait(backoffMs(tries, { firstMs, maxMs })), ending);
    }
  }
}

/**
 * A problem for somebody to act upon, and not one that passes (a lock that was waited for too long,
 * a place that was not free); or the end of the process.
 */
const isFinal = (error: unknown): boolean =>
  error instanceof HangsAtTheEnd ||
  (error instanceof AppError && error.problem.retry_after_s === undefined);

/** Whether the database is there, and so has refused what was asked of it. */
const isRefusal = async (error: unknown, look: () => Promise<unknown>): Promise<boolean> =>
  !isTransient(error) && (await isDone(look()));

const isDone = (look: Promise<unknown>): Promise<boolean> =>
  look.then(
    () => true,
    () => false,
  );

class HangsAtTheEnd extends Error {}

/**
 * What hangs when the process ends is given up a little later. It may still be done: whoever does
 * it again has to look.
 */
async function notHanging<T>(
  work: Promise<T>,
  ending: AbortSignal | undefined,
  lastMs: number,
): Promise<T> {
  if (!ending) return work;
  let timer: NodeJS.Timeout | undefined;
  let begin = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    begin = () => {
      timer = setTimeout(
        () => reject(new HangsAtTheEnd('the process ends, and the database has not answered')),
        lastMs,
      );
    };
  });
  if (ending.aborted) begin();
  else ending.addEventListener('abort', begin, { once: true });
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
    ending.removeEventListener('abort', begin);
  });
}

/** Waits no longer once the process ends. */
async function untilEnding(wait: Promise<void>, ending: AbortSignal | undefined): Promise<void> {
  if (!ending) return wait;
  if (ending.aborted) return;
  let hear = () => {};
  const ended = new Promise<void>((resolve) => {
    hear = resolve;
    ending.addEventListener('abort', hear, { once: true });
  });
  await Promise.race([wait, ended]).finally(() => ending.removeEventListener('abort', hear));
}
