/** How long to wait after the first failure, and at most, in milliseconds. */
export type Backoff = { firstMs: number; maxMs: number };

/** Returns how long to wait after so many failures before this one: twice as long each time. */
export const backoffMs = (failuresBefore: number, { firstMs, maxMs }: Backoff): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(failuresBefore, 20));
