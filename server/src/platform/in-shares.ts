export type InShares = {
  /** The work's own answer, or null where no place became free in time or too much waits already. */
  run<T>(of: string, work: () => Promise<T>): Promise<T | null>;
};

/**
 * So many pieces of work at once for each who asks; more of the same wait in the order in which they came. What one of them has under way is never
 * felt by another.
 */
export function inShares(limits: { atOnce: number; waitingMax: number; waitMs: number }): InShares {
  type Share = { running: number; waiting: Set<() => void> };
  const shares = new Map<string, Share>();

  /** True once there is a place. */
  const enter = (share: Share): Promise<boolean> | true => {
    if (share.running < limits.atOnce) {
      share.running += 1;
      return true;
    }
    if (share.waiting.size >= limits.waitingMax) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        share.waiting.delete(begin);
        resolve(false);
      }, limits.waitMs);
      // A place is handed over, never put back while somebody waits.
      const begin = () => {
        clearTimeout(timer);
        resolve(true);
      };
      share.waiting.add(begin);
    });
  };

  const leave = (of: string, share: Share): void => {
    const [next] = share.waiting;
    if (next) {
      share.waiting.delete(next);
      next();
      return;
    }
    share.running -= 1;
    if (share.running === 0) shares.delete(of);
  };

  return {
    async run(of, work) {
      const share = shares.get(of) ?? { running: 0, waiting: new Set() };
      shares.set(of, share);
      if (!(await enter(share))) return null;
      try {
        return await work();
      } finally {
        leave(of, share);
      }
    },
  };
}
