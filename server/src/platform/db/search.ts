import { endOfPrefix } from '../search-words.ts';
import type { Tx } from './database.ts';
import { query } from './query.ts';

/**
 * More rows than this under its rarest word, and a search walks through rows in their order
 * instead: enough of them will match soon.
 */
const rareMost = 2_000;

/**
 * The beginning of a word, as the range that its index answers; null where every beginning is found
 * in many rows.
 */
export type SelectivePrefix = { from: string; to: string } | null;

/**
 * Which of these beginnings of words is found in the fewest documents, as long as they are few.
 * What it costs is bounded however much there is: of each beginning so many entries of the index
 * are counted at most.
 */
export async function findSelectivePrefix(tx: Tx, beginnings: string[]): Promise<SelectivePrefix> {
  const counted = await query<{ beginning: string; n: number }>(
    tx,
    `select b.beginning, (select count(*)::int from (select 1 from search_word w where w.word >= b.beginning and w.word < b.until limit ${rareMost + 1}) few) as n
       from unnest($1::text[], $2::text[]) as b(beginning, until)`,
    [beginnings, beginnings.map(endOfPrefix)],
  );
  const [rarest] = counted.toSorted((a, b) => a.n - b.n);
  return rarest && rarest.n <= rareMost
    ? { from: rarest.beginning, to: endOfPrefix(rarest.beginning) }
    : null;
}

/**
 * What a row's own words must hold besides, in `column`; `parameter` is an array of beginnings.
 * What the index says is only where to look.
 */
export const containsAll = (column: string, parameter: string): string =>
  `(select bool_and(position(' ' || b in ${column}) > 0) from unnest(${parameter}::text[]) b)`;
