/**
 * Does work that runs by itself for one business, and has how it went written down where the
 * business sees it. Never throws, so that one business's failure stops no other's work; says
 * whether it succeeded.
 */
export type RunJob = (
  businessId: string,
  job: string,
  work: () => Promise<unknown>,
) => Promise<boolean>;
