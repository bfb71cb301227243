import {
  type Amount,
  absolute,
  add,
  compare,
  divide,
  isNegative,
  isZero,
  multiply,
  multiplyDivide,
  negate,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { Charges } from './charges.model.ts';
import { discountShares, grossOf, hasEntityDiscount, type LeviedTax } from './levied.model.ts';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';

/**
 * What the buyer pays for a line or a charge, and what it would be without its discount (null: it
 * has none), in the device's currency; and what is paid in the document's own. Tax inside.
 */
export type Money = { paid: Amount; listed: Amount | null; own: Amount };

/**
 * `taxes`: what each tax of the lines comes to in the document's currency, as it was read;
 * `isDiscountGross`: the whole document's discount was read as one of prices with their tax.
 */
export type Prices = {
  lines: Money[];
  shipping: Money | null;
  adjustment: Money | null;
  taxes: LeviedTax[];
  isDiscountGross: boolean;
};

/**
 * Into which currency a document is priced: units of it for one of the document's, and the decimals
 * the books keep it in.
 */
export type Into = { rate: Amount; places: number; total: Amount };

/**
 * A charge is taxed where its class is: its own tax may be too small to show, and an adjustment has
 * none in the books.
 */
export type Classes = {
  lines: string[];
  shipping: string;
  adjustment: string;
  isShippingTaxed: boolean;
  isAdjustmentTaxed: boolean;
};

/** A line or a charge: what is paid for it, and under which tax of which class. */
type Part = { paid: Amount; taxClass: string; group: string; isTaxed: boolean };

/** Decimals of money on the wire. */
const wirePlaces = 2;

/**
 * Prices a document in the device's currency, or null where its lines do not make its total. Zoho
 * rounds once per line or once per tax, and nothing it rounds for one tax belongs to another: so
 * what each tax class comes to, with what it is levied on, is known before anything is rounded, and
 * rounded once, in the currency it is told in; its taxes within it, and its lines last.
 *
 * `classes` are the tax classes of the lines and of the charges, or anything else that tells them
 * apart.
 */
export function priceDocument(
  document: BooksDocument,
  lines: BooksLine[],
  classes: Classes,
  charges: Charges,
  into: Into,
): Prices | null {
  const settled = settleLines(document, lines, classes.lines, charges);
  if (!settled) return null;
  const { exact } = settled;
  const parts: Part[] = lines.map((line, index) => ({
    paid: settled.lines[index] as Amount,
    taxClass: classes.lines[index] as string,
    group: groupKey(line, classes.lines[index] as string),
    isTaxed: line.tax !== null && !isZero(line.tax.percent),
  }));
  const { taxId } = document.shipping;
  const hasShipping = !isZero(charges.shipping);
  const hasAdjustment = !isZero(charges.adjustment);
  const charge = (paid: Amount, taxClass: string, name: string, isTaxed: boolean) =>
    parts.push({ paid, taxClass, group: `${taxClass} ${name}`, isTaxed });
  if (hasShipping)
    charge(
      charges.shipping,
      classes.shipping,
      taxId ? `tax:${taxId}` : 'shipping',
      classes.isShippingTaxed,
    );
  if (hasAdjustment)
    charge(charges.adjustment, classes.adjustment, 'adjustment', classes.isAdjustmentTaxed);
  for (const { group, paid } of parts.slice(lines.length))
    exact.set(group, add(exact.get(group) ?? '0', paid));
  const rounded = roundOff(parts, lines.length, charges.roundOff);
  if (!rounded) return null;
  for (const [index, { group, paid }] of rounded.entries())
    exact.set(group, add(exact.get(group) as Amount, subtract(paid, (parts[index] as Part).paid)));
  const converted = convert(rounded, exact, document.places, into);
  if (!converted) return null;
  const money = (index: number, listed: Amount | null): Money => ({
    paid: converted[index] as Amount,
    own: (rounded[index] as Part).paid,
    listed: listed && round(multiply(listed, into.rate), Math.min(into.places, wirePlaces)),
  });
  return {
    lines: lines.map((line, index) => money(index, listedPrice(document, line))),
    shipping: hasShipping ? money(lines.length, null) : null,
    adjustment: hasAdjustment ? money(lines.length + (hasShipping ? 1 : 0), null) : null,
    taxes: settled.taxes,
    isDiscountGross: settled.isDiscountGross,
  };
}

/**
 * A document's total in another currency: by that rate, in the precision the books keep. The books'
 * own conversion holds where it is no further off than their rounding explains; it comes through
 * binary floats.
 */
export function convertTotal(
  total: Amount,
  rate: Amount,
  places: number,
  said: Amount | null,
): Amount {
  const kept = Math.min(places, wirePlaces);
  const exact = multiply(total, rate);
  const own = round(exact, kept);
  if (said === null) return round(own, wirePlaces);
  const theirs = round(said, kept);
  const isNear = compare(multiply(absolute(subtract(theirs, exact)), '2'), unit(kept)) <= 0;
  return round(isNear ? theirs : own, wirePlaces);
}

/** The lines under one tax of one class. */
type Group = {
  key: string;
  id: string;
  taxClass: string;
  isTaxed: boolean;
  indexes: number[];
  percent: Amount;
};

/**
 * One way to read what a document charges, before anything that is shared out is rounded: what each
 * line comes to, each tax with all its lines, and what that tax is levied on.
 */
type Reading = {
  lines: Amount[];
  groups: Amount[];
  levied: { base: Amount; amount: Amount }[];
  isDiscountGross?: boolean;
};

type Settled = {
  /** In whole units of the document's currency. */
  lines: Amount[];
  /** Each tax of each class, before rounding. */
  exact: Map<string, Amount>;
  taxes: LeviedTax[];
  isDiscountGross: boolean;
};

const groupKey = (line: BooksLine, taxClass: string) => `${taxClass} tax:${line.tax?.id ?? ''}`;

/**
 * What the buyer pays per line, in the document's currency, or null where the lines do not make the
 * total.
 */
function settleLines(
  document: BooksDocument,
  lines: BooksLine[],
  classes: string[],
  charges: Charges,
): Settled | null {
  const p = document.places;
  const target = subtract(
    document.total,
    add(charges.shipping, charges.adjustment, charges.roundOff),
  );
  const tolerance = multiply(unit(p), String(lines.length + 1));
  const groups = groupsOf(lines, classes);
  let nearest: { reading: Reading; off: Amount } | null = null;
  for (const reading of readings(document, lines, groups)) {
    const off = round(subtract(target, add('0', ...reading.groups)), exactPlaces);
    if (compare(absolute(off), tolerance) > 0) continue;
    if (!nearest || compare(absolute(off), absolute(nearest.off)) < 0) nearest = { reading, off };
    if (isZero(off)) break;
  }
  if (!nearest) return null;
  const { reading } = nearest;
  const isDiscountGross = reading.isDiscountGross === true;
  const taxes = reading.levied.map(({ base, amount }, index): LeviedTax => {
    const { indexes, id, percent } = groups[index] as Group;
    return { id, percent, base, amount, lines: indexes.map((at) => lines[at] as BooksLine) };
  });
  // What no reading explains can only come from rounding taxes.
  const isAnyTaxed = groups.some((group) => group.isTaxed);
  const bearing = groups.flatMap((group, index) => (group.isTaxed || !isAnyTaxed ? [index] : []));
  const exact = settleSome(reading.groups, bearing, nearest.off, p);
  const rounded = reading.lines.map((amount) => round(amount, p));
  const whole = exact && roundGroups(target, groups, exact, p);
  const result = whole && settleWithin(groups, rounded, whole, p);
  if (result)
    return {
      lines: result,
      exact: new Map(groups.map(({ key }, index) => [key, exact[index] as Amount])),
      taxes,
      isDiscountGross,
    };
  const settled = settle(rounded, target, p);
  if (!settled) return null;
  const sums = groups.map(({ key, indexes }): [string, Amount] => [
    key,
    add('0', ...indexes.map((index) => settled[index] as Amount)),
  ]);
  return { lines: settled, exact: new Map(sums), taxes, isDiscountGross };
}

function groupsOf(lines: BooksLine[], classes: string[]): Group[] {
  const byKey = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const key = groupKey(line, classes[index] as string);
    byKey.set(key, [...(byKey.get(key) ?? []), index]);
  }
  return [...byKey].map(([key, indexes]) => {
    const first = indexes[0] as number;
    const { id = '', percent = '0' } = lines[first]?.tax ?? {};
    const isTaxed = indexes.some(
      (index) =>
        !isZero(lines[index]?.tax?.percent ?? '0') || !isZero(lines[index]?.tax?.amount ?? '0'),
    );
    return { key, id, taxClass: classes[first] as string, isTaxed, indexes, percent };
  });
}

/**
 * How a document's figures may be meant, the likeliest first: by the taxes it names, by the tax of
 * each line, by one rounding per tax. Zoho lowers the tax by an entity discount but leaves
 * item_total as it was; on tax-inclusive documents, whose taxes are rounded line by line, the
 * discount may stand in gross money instead. Whichever makes the total is the one that was meant.
 */
function* readings(
  document: BooksDocument,
  lines: BooksLine[],
  groups: Group[],
): Generator<Reading> {
  const p = document.places;
  const nets = lines.map((line) => line.net);
  const shares = discountShares(document, lines, nets);
  const bases = nets.map((net, index) => subtract(net, shares[index] as Amount));
  const taxes = lines.map((line, index) => taxOf(document, line, bases[index] as Amount));
  const sum = (values: Amount[], group: Group) =>
    add('0', ...group.indexes.map((index) => values[index] as Amount));
  const withTaxes = (perGroup: Amount[]): Reading => {
    const levied = groups.map((group, index) => ({
      base: sum(bases, group),
      amount: perGroup[index] as Amount,
    }));
    return {
      lines: bases.map((base, index) => add(base, taxes[index] as Amount)),
      groups: levied.map(({ base, amount }) => add(base, amount)),
      levied,
    };
  };
  const named = taxesByName(document, lines, groups);
  if (named) {
    yield withTaxes(named);
    const { taxId, tax } = document.shipping;
    // Some documents count the tax on shipping in here, some do not.
    if (taxId && !isZero(tax) && groups.some((group) => group.id === taxId))
      yield withTaxes(
        groups.map((group, index) =>
          group.id === taxId ? subtract(named[index] as Amount, tax) : (named[index] as Amount),
        ),
      );
  }
  yield withTaxes(groups.map((group) => sum(taxes, group)));
  const oncePerTax = () =>
    withTaxes(
      groups.map((group) => round(divide(multiply(sum(bases, group), group.percent), '100'), p)),
    );
  if (!document.isTaxInclusive || !hasEntityDiscount(document)) {
    yield oncePerTax();
    return;
  }
  const gross = lines.map((line) => grossOf(document, line));
  const cuts = discountShares(document, lines, gross);
  const paid = gross.map((amount, index) => subtract(amount, cuts[index] as Amount));
  const inPrices = gross.map((amount, index) => subtract(amount, nets[index] as Amount));
  yield {
    lines: paid,
    groups: groups.map((group) => sum(paid, group)),
    levied: groups.map((group) => ({ base: sum(nets, group), amount: sum(inPrices, group) })),
    isDiscountGross: true,
  };
  yield oncePerTax();
}

/** Tax of a line as given, else computed on what is left of it after its share of the discount. */
function taxOf(document: BooksDocument, line: BooksLine, base: Amount): Amount {
  if (!line.tax) return '0';
  if (line.tax.amount !== null) return line.tax.amount;
  if (document.isTaxInclusive && !hasEntityDiscount(document) && !isZero(line.tax.percent))
    return subtract(grossOf(document, line), line.net);
  return round(divide(multiply(base, line.tax.percent), '100'), document.places);
}

/**
 * What the document says each tax comes to; null where its names do not tell the taxes of the lines
 * apart.
 */
function taxesByName(
  document: BooksDocument,
  lines: BooksLine[],
  groups: Group[],
): Amount[] | null {
  const known = groups.map((group) => {
    const ids = new Set<string>(group.id ? [group.id] : []);
    const names = new Set<string>();
    for (const index of group.indexes) {
      const tax = lines[index]?.tax;
      if (!tax) continue;
      names.add(tax.name).add(`${tax.name} (${tax.percent}%)`);
      for (const part of tax.parts ?? []) {
        if (part.id) ids.add(part.id);
        names.add(part.name);
      }
    }
    return { ids, names };
  });
  const result: (Amount | null)[] = groups.map(() => null);
  for (const row of document.taxes ?? []) {
    const byId = row.id
      ? known.flatMap(({ ids }, index) => (ids.has(row.id as string) ? [index] : []))
      : [];
    const owners =
      byId.length > 0
        ? byId
        : known.flatMap(({ names }, index) => (names.has(row.name) ? [index] : []));
    if (owners.length > 1) return null;
    const [owner] = owners;
    if (owner === undefined) {
      const isShipping =
        (row.id !== null && row.id === document.shipping.taxId) ||
        row.name === document.shipping.taxName;
      if (isZero(row.amount) || isShipping) continue;
      return null;
    }
    result[owner] = add(result[owner] ?? '0', row.amount);
  }
  if (result.some((amount, index) => amount === null && groups[index]?.isTaxed)) return null;
  return result.map((amount) => amount ?? '0');
}

/**
 * Taken from, or given to, the last line of the largest class; only where that is too small, from
 * more of them. A charge bears it where its class has no line.
 */
function roundOff(parts: Part[], linesCount: number, amount: Amount): Part[] | null {
  if (isZero(amount)) return parts;
  const result = [...parts];
  const totals = new Map<string, Amount>();
  for (const { taxClass, paid } of parts)
    totals.set(taxClass, add(totals.get(taxClass) ?? '0', paid));
  const largest = [...totals].sort(([, a], [, b]) => compare(b, a)).map(([taxClass]) => taxClass);
  const order = [...parts.keys()].sort(
    (a, b) => Number(a >= linesCount) - Number(b >= linesCount) || b - a,
  );
  let rest = amount;
  for (const taxClass of largest)
    for (const at of order) {
      const part = result[at] as Part;
      // A line that costs nothing is no place for money.
      if (part.taxClass !== taxClass || isZero(part.paid) || isZero(rest)) continue;
      const rounded = add(part.paid, rest);
      result[at] = { ...part, paid: isNegative(rounded) ? '0' : rounded };
      rest = isNegative(rounded) ? rounded : '0';
    }
  return isZero(rest) ? result : null;
}

/**
 * Each part in the other currency: by class first, then by tax, then line by line, so that all
 * together make the total.
 */
function convert(
  parts: Part[],
  exact: Map<string, Amount>,
  places: number,
  into: Into,
): Amount[] | null {
  const kept = Math.min(into.places, wirePlaces);
  const own = parts.map((part) => round(part.paid, wirePlaces));
  // Nothing is converted, and nothing is cut.
  if (
    compare(into.rate, '1') === 0 &&
    places <= kept &&
    compare(add('0', ...own), into.total) === 0
  )
    return own;
  const groups = [...new Set(parts.map((part) => part.group))].map((key) => {
    const indexes = parts.flatMap((part, index) => (part.group === key ? [index] : []));
    const { taxClass } = parts[indexes[0] as number] as Part;
    return { key, taxClass, indexes, isTaxed: indexes.some((index) => parts[index]?.isTaxed) };
  });
  const sums = groups.map(({ key }) => multiply(exact.get(key) as Amount, into.rate));
  const whole = roundGroups(into.total, groups, sums, kept);
  const amounts = parts.map((part) => multiply(part.paid, into.rate));
  for (const [at, { indexes }] of groups.entries()) {
    // What the lines of a tax were rounded by in their own currency may be much in this one: the
    // largest of them bears it.
    const off = subtract(
      sums[at] as Amount,
      add('0', ...indexes.map((index) => amounts[index] as Amount)),
    );
    const largest = indexes.reduce((most, index) =>
      compare(amounts[index] as Amount, amounts[most] as Amount) > 0 ? index : most,
    );
    amounts[largest] = add(amounts[largest] as Amount, off);
  }
  const rounded = amounts.map((amount) => round(amount, kept));
  const settled =
    (whole && settleWithin(groups, rounded, whole, kept)) ??
    settleByClass(into.total, groups, sums, rounded, kept) ??
    settle(rounded, into.total, kept);
  return settled?.map((amount) => round(amount, wirePlaces)) ?? null;
}

/**
 * Rounds what each class comes to, so that they make the total, and within each class what each of
 * its taxes comes to.
 */
function roundGroups(
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
const exactPlaces = 20;

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
function settleByClass(
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
function settleWithin(
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
function settleSome(parts: Amount[], some: number[], off: Amount, places: number): Amount[] | null {
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
function settle(parts: Amount[], target: Amount, places: number): Amount[] | null {
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

/** The price before the line's own discount, tax inside, or null where the line has none. */
function listedPrice(document: BooksDocument, line: BooksLine): Amount | null {
  if (isZero(line.discount) && isZero(document.discount.amount)) return null;
  const gross = round(multiply(line.rate, line.quantity), document.places);
  if (document.isTaxInclusive || !line.tax) return gross;
  return multiplyDivide(gross, add('100', line.tax.percent), '100', document.places);
}
