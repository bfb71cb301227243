export type Background = {
  /** Keeps work that nobody waits for until it is done; what becomes of it is its own concern. */
  run(work: Promise<unknown>): void;
  /** Once all that was begun until now is done. */
  settled(): Promise<void>;
};

/** Work begun beside requests, so that the server does not close beneath it. */
export function openBackground(): Background {
  const running = new Set<Promise<unknown>>();
  return {
    run(work) {
      running.add(work);
      void work.finally(() => running.delete(work)).catch(() => {});
    },
    async settled() {
      await Promise.allSettled(running);
    },
  };
}
