/** The denied lookups of one actor in one minute, kept or not. */
export type LookupCount = { minute: number; count: number };

/**
 * How many lookups of one actor are kept in a minute, far fewer than can be looked into. That there
 * were more raises an alert of its own.
 */
const keptPerMinute = 120;

/**
 * Counts so many more lookups of an actor. Returns how many of them are kept, and whether they are
 * the first of this minute that go beyond.
 */
export function countLookups(
  before: LookupCount | undefined,
  minute: number,
  wanted: number,
): { count: LookupCount; allowed: number; isFirstBeyond: boolean } {
  const counted = before?.minute === minute ? before.count : 0;
  return {
    count: { minute, count: counted + wanted },
    allowed: Math.max(0, Math.min(wanted, keptPerMinute - counted)),
    isFirstBeyond: counted <= keptPerMinute && counted + wanted > keptPerMinute,
  };
}
