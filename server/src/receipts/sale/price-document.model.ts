import {
  absolute,
  add,
  type Amount,
  compare,
  isNegative,
  isZero,
  multiply,
  multiplyDivide,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { Charges } from './charges.model.ts';
import type { LeviedTax } from './levied-taxes.model.ts';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';
import { type Group, groupKey, groupsOf, type Reading, readings } from './tax-groups.model.ts';
import {
  exactPlaces,
  roundGroups,
  settle,
  settleByClass,
  settleSome,
  settleWithin,
} from './round-groups.model.ts';

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

type Settled = {
  /** In whole units of the document's currency. */
  lines: Amount[];
  /** Each tax of each class, before rounding. */
  exact: Map<string, Amount>;
  taxes: LeviedTax[];
  isDiscountGross: boolean;
};

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

/** The price before the line's own discount, tax inside, or null where the line has none. */
function listedPrice(document: BooksDocument, line: BooksLine): Amount | null {
  if (isZero(line.discount) && isZero(document.discount.amount)) return null;
  const gross = round(multiply(line.rate, line.quantity), document.places);
  if (document.isTaxInclusive || !line.tax) return gross;
  return multiplyDivide(gross, add('100', line.tax.percent), '100', document.places);
}
