export type PriorityGate = {
  /** Work that somebody waits for. */
  ahead<T>(work: () => Promise<T>): Promise<T>;
  /**
   * A piece of work that can wait: one at a time while several others are ahead of it, any number
   * otherwise. Never none: it goes on.
   */
  behind<T>(work: () => Promise<T>): Promise<T>;
};

const several = 4;

/**
 * Gives requests priority over background work. One process has one thread: starting dozens of
 * background tasks does not finish them sooner, but it delays every answer.
 */
export function openPriorityGate(): PriorityGate {
  let ahead = 0;
  let behind = 0;
  let waiting: (() => void)[] = [];
  const mayBegin = () => ahead < several || behind === 0;
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const each of woken) each();
  };
  return {
    async ahead(work) {
      ahead += 1;
      try {
        return await work();
      } finally {
        ahead -= 1;
        if (waiting.length > 0 && mayBegin()) wake();
      }
    },
    async behind(work) {
      while (!mayBegin()) await new Promise<void>((resolve) => waiting.push(resolve));
      behind += 1;
      try {
        return await work();
      } finally {
        behind -= 1;
        if (waiting.length > 0 && mayBegin()) wake();
      }
    },
  };
}
