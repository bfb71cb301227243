/**
 * What the steps of a server's end may take at most. Their sum has a bound: the process is ended
 * after 60 s, done or not (`fatal-shutdown.ts`), and until then what devices said and could not be
 * written has to be in the log. So, at the worst: requests are let go after 10 s, devices heard out
 * after 40, what they said is written by 45, late answers are given up by 47; what is left then is
 * tried once more as what it is, and once as a doubt, for 3 s each: 53.
 */
export const closingTimes = {
  /** Writing down what the last devices answered. */
  lanesMs: 5_000,
  /** Writing down what was cut off, and whatever was begun beside requests. */
  cutOffMs: 2_000,
  /** Anything else. */
  partMs: 10_000,
};
