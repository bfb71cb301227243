import pLimit, { type LimitFunction } from 'p-limit';

/**
 * Runs at most so many tasks of one key at a time in this process. The rest of that key wait in the
 * order in which they asked; those of another key do not.
 */
export function limitConcurrencyByKey(
  atOnce: number,
): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { turn: LimitFunction; waiting: number }>();
  return async (key, work) => {
    const queue = queues.get(key) ?? { turn: pLimit(atOnce), waiting: 0 };
    queues.set(key, queue);
    queue.waiting += 1;
    try {
      return await queue.turn(work);
    } finally {
      queue.waiting -= 1;
      if (queue.waiting === 0) queues.delete(key);
    }
  };
}
