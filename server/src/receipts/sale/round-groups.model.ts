import {
  absolute,
  add,
  type Amount,
  compare,
  divide,
  isNegative,
  isZero,
  negate,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { Group } from './tax-groups.model.ts';

/**
 * Rounds what each class comes to, so that they make the total, and within each class what each of
 * its taxes comes to.
 */
export function roundGroups(
  total: Amount,
  groups: Pick<Group, 'taxClass' | 'isTaxed'>[],
  exact: Amount[],
  places: number,
): Amount[] | null {
  const classes = [...new Set(groups.map((group) => group.taxClass))].map((taxClass) => {
    const indexes = groups.flatMap((group, index) => (group.taxClass === taxClass ? [index] : []));
    return {
      indexes,
      amount: add('0', ...indexes.map((index) => exact[index] as Amount)),
      isTaxed: indexes.some((index) => groups[index]?.isTaxed),
    };
  });
  const perClass = roundTogether(
    total,
    classes.map((each) => each.amount),
    classes.map((each) => each.isTaxed),
    places,
  );
  const result = [...exact];
  for (const [at, { indexes }] of classes.entries()) {
    const own = indexes.map((index) => exact[index] as Amount);
    const taxed = indexes.map((index) => groups[index]?.isTaxed === true);
    const perGroup = perClass && roundTogether(perClass[at] as Amount, own, taxed, places);
    if (!perGroup) return null;
    for (const [position, index] of indexes.entries()) result[index] = perGroup[position] as Amount;
  }
  return result;
}

/** Decimals in which amounts that were shared out are still as good as exact. */
export const exactPlaces = 20;

/**
 * Rounds parts up or down so that together they make the total. What is not taxed is rounded for
 * itself, as far as the taxed parts can bear the rest of it without being a whole unit off; among
 * those of a kind the ones nearest to the next unit go up. Null where the parts are not the total.
 */
function roundTogether(
  total: Amount,
  parts: Amount[],
  isTaxed: boolean[],
  places: number,
): Amount[] | null {
  const step = unit(places);
  const rows = parts.map((part, index) => {
    const exact = round(part, exactPlaces);
    const nearest = round(exact, places);
    const floor = compare(nearest, exact) > 0 ? subtract(nearest, step) : nearest;
    return {
      index,
      floor,
      above: subtract(exact, floor),
      goesUp: compare(nearest, exact) > 0,
      isTaxed: isTaxed[index] === true,
    };
  });
  const rest = divide(subtract(total, add('0', ...rows.map((row) => row.floor))), step);
  const between = rows
    .filter((row) => !isZero(row.above))
    .sort((a, b) => compare(b.above, a.above) || a.index - b.index);
  if (
    isNegative(rest) ||
    compare(rest, String(between.length)) > 0 ||
    compare(rest, round(rest, 0)) !== 0
  )
    return null;
  const up = Number(round(rest, 0));
  const [taxed, untaxed] = [
    between.filter((row) => row.isTaxed),
    between.filter((row) => !row.isTaxed),
  ];
  const wanted = untaxed.filter((row) => row.goesUp).length;
  const ofTaxed = Math.min(Math.max(up - wanted, 0), taxed.length);
  const chosen = new Set(
    [...taxed.slice(0, ofTaxed), ...untaxed.slice(0, up - ofTaxed)].map((row) => row.index),
  );
  return rows.map(({ index, floor }) => (chosen.has(index) ? add(floor, step) : floor));
}

/**
 * Where the round-off took all there was of one tax, its class still is what it is: the lines are
 * settled within that.
 */
export function settleByClass(
  total: Amount,
  groups: Pick<Group, 'taxClass' | 'isTaxed' | 'indexes'>[],
  exact: Amount[],
  lines: Amount[],
  places: number,
): Amount[] | null {
  const classes = [...new Set(groups.map((group) => group.taxClass))].map((taxClass) => {
    const own = groups.flatMap((group, index) =>
      group.taxClass === taxClass ? [{ ...group, amount: exact[index] as Amount }] : [],
    );
    return {
      taxClass,
      isTaxed: own.some((group) => group.isTaxed),
      indexes: own.flatMap((group) => group.indexes),
      amount: add('0', ...own.map((group) => group.amount)),
    };
  });
  const whole = roundGroups(
    total,
    classes,
    classes.map((each) => each.amount),
    places,
  );
  return whole && settleWithin(classes, lines, whole, places);
}

/** The lines of each group settled to what the group comes to. */
export function settleWithin(
  groups: Pick<Group, 'indexes'>[],
  lines: Amount[],
  totals: Amount[],
  places: number,
): Amount[] | null {
  const result = [...lines];
  for (const [at, { indexes }] of groups.entries()) {
    const own = settle(
      indexes.map((index) => lines[index] as Amount),
      totals[at] as Amount,
      places,
    );
    if (!own) return null;
    for (const [position, index] of indexes.entries()) result[index] = own[position] as Amount;
  }
  return result;
}

/** Gives what is off to some of the parts, unit by unit, the largest first. */
export function settleSome(
  parts: Amount[],
  some: number[],
  off: Amount,
  places: number,
): Amount[] | null {
  if (isZero(off)) return parts;
  const own = some.map((index) => parts[index] as Amount);
  const settled = settle(own, add(off, ...own), places);
  if (!settled) return null;
  const result = [...parts];
  for (const [at, index] of some.entries()) result[index] = settled[at] as Amount;
  return result;
}

/**
 * Gives the last units of rounding to the largest parts, so that they make the target exactly and
 * none falls below zero; null where that cannot be.
 */
export function settle(parts: Amount[], target: Amount, places: number): Amount[] | null {
  const result = parts.map((part) => (isNegative(part) ? '0' : part));
  const order = result
    .map((part, index) => ({ part, index }))
    .sort((a, b) => compare(b.part, a.part) || a.index - b.index);
  let rest = subtract(target, add('0', ...result));
  for (let rounds = 0; !isZero(rest) && rounds < 1_000; rounds++) {
    const before = rest;
    for (const { index } of order) {
      if (isZero(rest)) break;
      // A remainder finer than the currency's unit goes to one part whole.
      const size = compare(absolute(rest), unit(places)) < 0 ? absolute(rest) : unit(places);
      const give = isNegative(rest) ? negate(size) : size;
      const settled = add(result[index] as Amount, give);
      if (isNegative(settled)) continue;
      result[index] = settled;
      rest = subtract(rest, give);
    }
    if (compare(rest, before) === 0) return null;
  }
  return isZero(rest) ? result : null;
}
