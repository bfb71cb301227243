/**
 * Returns the numbers that somebody else is known to have used: the first one to account for, and
 * the highest. `met`: those that documents of ours have met, `taken`: one that the device was found
 * to have used before. Whose a number without a collision is, is said of the documents that may be
 * signed under it: here only what comes behind it is.
 */
export function rangeOf(met: bigint[], taken: bigint | null): { first: bigint; most: bigint } {
  const known = taken === null ? met : [...met, taken];
  const most = known.reduce((highest, each) => (each > highest ? each : highest));
  const first =
    met.length > 0 ? met.reduce((least, each) => (each < least ? each : least)) : most + 1n;
  return { first, most };
}
