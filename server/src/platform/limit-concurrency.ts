/**
 * Lets so many pieces of work run at once; the others wait and come in the order in which they
 * asked.
 */
export function limitConcurrency(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A place is handed over, never put back while somebody waits: who comes later cannot
      // overtake.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
