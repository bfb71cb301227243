import {
  type Amount,
  absolute,
  add,
  apportion,
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
import type { BooksDocument, BooksLine } from './document.model.ts';

/**
 * What the buyer pays for a line or a charge, and what it would be without its discount (null: it has none), in the device's currency;
 * and what is paid in the document's own. Tax inside.
 */
export type Money = { paid: Amount; listed: Amount | null; own: Amount };

export type Prices = { lines: Money[]; shipping: Money | null; adjustment: Money | null };

/** Into which currency a document is priced: units of it for one of the document's, and the decimals the books keep it in. */
export type Into = { rate: Amount; places: number; total: Amount };

/** A charge is taxed where its class is: its own tax may be too small to show, and an adjustment has none in the books. */
export type Classes = { lines: string[]; shipping: string; adjustment: string; isShippingTaxed: boolean; isAdjustmentTaxed: boolean };

/** A line or a charge: what is paid for it, and under which tax of the document. */
type Part = { paid: Amount; taxClass: string; group: string; isTaxed: boolean };

/** Decimals of money on the wire. */
const wirePlaces = 2;

/**
 * Prices a document in the device's currency, or null where its lines do not make its total. Zoho rounds once per line or once per
 * tax, and nothing it rounds for one tax belongs to another: so what each tax comes to, with what it is levied on, is settled first,
 * its lines within it, and the whole last. What is not taxed takes part in no rounding.
 *
 * `classes` are the tax classes of the lines and of the charges, or anything else that tells them apart.
 */
export function priceDocument(document: BooksDocument, lines: BooksLine[], classes: Classes, charges: Charges, into: Into): Prices | null {
  const paid = paidPerLine(document, lines, charges);
  if (!paid) return null;
  const parts: Part[] = lines.map((line, index) => ({
    paid: paid[index] as Amount,
    taxClass: classes.lines[index] as string,
    group: `tax:${line.tax?.id ?? ''}`,
    isTaxed: line.tax !== null && !isZero(line.tax.percent),
  }));
  const { taxId } = document.shipping;
  const hasShipping = !isZero(charges.shipping);
  const hasAdjustment = !isZero(charges.adjustment);
  if (hasShipping)
    parts.push({ paid: charges.shipping, taxClass: classes.shipping, group: taxId ? `tax:${taxId}` : 'shipping', isTaxed: classes.isShippingTaxed });
  if (hasAdjustment) parts.push({ paid: charges.adjustment, taxClass: classes.adjustment, group: 'adjustment', isTaxed: classes.isAdjustmentTaxed });
  const rounded = roundOff(parts, lines.length, charges.roundOff);
  if (!rounded) return null;
  const converted = convert(rounded, into);
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
  };
}

/**
 * A document's total in another currency: by that rate, in the precision the books keep. The books' own conversion holds where it is
 * no further off than their rounding explains; it comes through binary floats.
 */
export function convertTotal(total: Amount, rate: Amount, places: number, said: Amount | null): Amount {
  const kept = Math.min(places, wirePlaces);
  const exact = multiply(total, rate);
  const own = round(exact, kept);
  if (said === null) return round(own, wirePlaces);
  const theirs = round(said, kept);
  const isNear = compare(multiply(absolute(subtract(theirs, exact)), '2'), unit(kept)) <= 0;
  return round(isNear ? theirs : own, wirePlaces);
}

/** The lines under one tax; `''` where a line has none. */
type Group = { id: string; isTaxed: boolean; indexes: number[]; percent: Amount; discount: Amount };

/** One way to read what a document charges: what each line comes to, and each tax with all its lines. */
type Reading = { lines: Amount[]; groups: Amount[] };

/** What the buyer pays per line, in the document's currency, or null where the lines do not make the total. */
function paidPerLine(document: BooksDocument, lines: BooksLine[], charges: Charges): Amount[] | null {
  const p = document.places;
  const target = subtract(document.total, add(charges.shipping, charges.adjustment, charges.roundOff));
  const tolerance = multiply(unit(p), String(lines.length + 1));
  const groups = groupsOf(document, lines);
  let nearest: { reading: Reading; off: Amount } | null = null;
  for (const reading of readings(document, lines, groups)) {
    const off = subtract(target, add('0', ...reading.groups));
    if (compare(absolute(off), tolerance) > 0) continue;
    if (!nearest || compare(absolute(off), absolute(nearest.off)) < 0) nearest = { reading, off };
    if (isZero(off)) break;
  }
  if (!nearest) return null;
  const { reading } = nearest;
  // What no reading explains can only come from rounding taxes.
  const isTaxed = groups.some((group) => group.isTaxed);
  const taxed = groups.flatMap((group, index) => (group.isTaxed || !isTaxed ? [index] : []));
  const settledGroups = settleSome(reading.groups, taxed, nearest.off, p);
  if (!settledGroups) return settle(reading.lines, target, p);
  const result = [...reading.lines];
  for (const [index, group] of groups.entries()) {
    const own = settle(
      group.indexes.map((line) => reading.lines[line] as Amount),
      settledGroups[index] as Amount,
      p,
    );
    if (!own) return settle(reading.lines, target, p);
    for (const [at, line] of group.indexes.entries()) result[line] = own[at] as Amount;
  }
  return result;
}

function groupsOf(document: BooksDocument, lines: BooksLine[]): Group[] {
  const byTax = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const id = line.tax?.id ?? '';
    byTax.set(id, [...(byTax.get(id) ?? []), index]);
  }
  const found = [...byTax].map(([id, indexes]) => {
    const percent = lines[indexes[0] as number]?.tax?.percent ?? '0';
    const isTaxed = indexes.some((index) => !isZero(lines[index]?.tax?.percent ?? '0') || !isZero(lines[index]?.tax?.amount ?? '0'));
    return { id, isTaxed, indexes, percent, discount: '0' };
  });
  const discounts = sharePerGroup(document, found, netOf(lines));
  return found.map((group, index) => ({ ...group, discount: discounts[index] as Amount }));
}

const netOf = (lines: BooksLine[]) => lines.map((line) => line.net);
const entityDiscount = (document: BooksDocument) => (document.discount.isBeforeTax ? document.discount.amount : '0');

/** The entity discount by tax, in proportion to what stands under each. */
function sharePerGroup(document: BooksDocument, groups: Pick<Group, 'indexes' | 'isTaxed'>[], weights: Amount[]): Amount[] {
  const discount = entityDiscount(document);
  if (isZero(discount)) return groups.map(() => '0');
  const own = groups.map((group) => add('0', ...group.indexes.map((index) => weights[index] as Amount)));
  const all = add('0', ...own);
  if (isZero(all)) return apportion(discount, own, document.places);
  return share(
    discount,
    own.map((amount) => divide(multiply(discount, amount), all)),
    groups.map((group) => group.isTaxed),
    document.places,
  );
}

/** The same by line, within each tax. */
function sharePerLine(groups: Pick<Group, 'indexes'>[], discounts: Amount[], weights: Amount[], places: number): Amount[] {
  const result = weights.map((): Amount => '0');
  for (const [index, group] of groups.entries()) {
    const parts = apportion(
      discounts[index] as Amount,
      group.indexes.map((line) => weights[line] as Amount),
      places,
    );
    for (const [at, line] of group.indexes.entries()) result[line] = parts[at] as Amount;
  }
  return result;
}

/**
 * How a document's figures may be meant, the likeliest first: by the taxes it names, by the tax of each line, by one rounding per
 * tax. Zoho lowers the tax by an entity discount but leaves item_total as it was; on tax-inclusive documents the discount may stand
 * in gross money instead. Whichever makes the total is the one that was meant.
 */
function* readings(document: BooksDocument, lines: BooksLine[], groups: Group[]): Generator<Reading> {
  const p = document.places;
  const shares = sharePerLine(
    groups,
    groups.map((group) => group.discount),
    netOf(lines),
    p,
  );
  const bases = lines.map((line, index) => subtract(line.net, shares[index] as Amount));
  const taxes = lines.map((line, index) => taxOf(document, line, bases[index] as Amount));
  const sum = (values: Amount[], group: Group) => add('0', ...group.indexes.map((index) => values[index] as Amount));
  const withTaxes = (perGroup: Amount[]): Reading => ({
    lines: bases.map((base, index) => add(base, taxes[index] as Amount)),
    groups: groups.map((group, index) => add(sum(bases, group), perGroup[index] as Amount)),
  });
  const named = taxesByName(document, lines, groups);
  if (named) {
    yield withTaxes(named);
    const { taxId, tax } = document.shipping;
    // Some documents count the tax on shipping in here, some do not.
    if (taxId && !isZero(tax) && groups.some((group) => group.id === taxId))
      yield withTaxes(groups.map((group, index) => (group.id === taxId ? subtract(named[index] as Amount, tax) : (named[index] as Amount))));
  }
  yield withTaxes(groups.map((group) => sum(taxes, group)));
  yield withTaxes(groups.map((group) => round(divide(multiply(sum(bases, group), group.percent), '100'), p)));
  if (!document.isTaxInclusive || isZero(entityDiscount(document))) return;
  const gross = lines.map((line) => grossOf(document, line));
  const discounts = sharePerGroup(document, groups, gross);
  const cuts = sharePerLine(groups, discounts, gross, p);
  const paid = gross.map((amount, index) => subtract(amount, cuts[index] as Amount));
  yield { lines: paid, groups: groups.map((group) => sum(paid, group)) };
}

const grossOf = (document: BooksDocument, line: BooksLine): Amount => subtract(round(multiply(line.rate, line.quantity), document.places), line.discount);

/** Tax of a line as given, else computed on what is left of it after its share of the discount. */
function taxOf(document: BooksDocument, line: BooksLine, base: Amount): Amount {
  if (!line.tax) return '0';
  if (line.tax.amount !== null) return line.tax.amount;
  if (document.isTaxInclusive && isZero(entityDiscount(document)) && !isZero(line.tax.percent)) return subtract(grossOf(document, line), line.net);
  return round(divide(multiply(base, line.tax.percent), '100'), document.places);
}

/** What the document says each tax comes to; null where its names do not tell the taxes of the lines apart. */
function taxesByName(document: BooksDocument, lines: BooksLine[], groups: Group[]): Amount[] | null {
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
    const byId = row.id ? known.flatMap(({ ids }, index) => (ids.has(row.id as string) ? [index] : [])) : [];
    const owners = byId.length > 0 ? byId : known.flatMap(({ names }, index) => (names.has(row.name) ? [index] : []));
    if (owners.length > 1) return null;
    const [owner] = owners;
    if (owner === undefined) {
      const isShipping = (row.id !== null && row.id === document.shipping.taxId) || row.name === document.shipping.taxName;
      if (isZero(row.amount) || isShipping) continue;
      return null;
    }
    result[owner] = add(result[owner] ?? '0', row.amount);
  }
  if (result.some((amount, index) => amount === null && groups[index]?.isTaxed)) return null;
  return result.map((amount) => amount ?? '0');
}

/**
 * Taken from, or given to, the last line of the largest class; only where that is too small, from more of them. A charge bears it where
 * its class has no line.
 */
function roundOff(parts: Part[], linesCount: number, amount: Amount): Part[] | null {
  if (isZero(amount)) return parts;
  const result = [...parts];
  const totals = new Map<string, Amount>();
  for (const { taxClass, paid } of parts) totals.set(taxClass, add(totals.get(taxClass) ?? '0', paid));
  const largest = [...totals].sort(([, a], [, b]) => compare(b, a)).map(([taxClass]) => taxClass);
  const order = [...parts.keys()].sort((a, b) => Number(a >= linesCount) - Number(b >= linesCount) || b - a);
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

/** Each part in the other currency: by tax first, then within it, so that all together make the total. */
function convert(parts: Part[], into: Into): Amount[] | null {
  const places = Math.min(into.places, wirePlaces);
  const exact = parts.map((part) => multiply(part.paid, into.rate));
  const names = [...new Set(parts.map((part) => part.group))];
  const groups = names.map((name) => parts.flatMap((part, index) => (part.group === name ? [index] : [])));
  const targets = share(
    into.total,
    groups.map((indexes) => add('0', ...indexes.map((index) => exact[index] as Amount))),
    groups.map((indexes) => indexes.some((index) => parts[index]?.isTaxed)),
    places,
  );
  const result: Amount[] = parts.map(() => '0');
  for (const [at, indexes] of groups.entries()) {
    const own = settle(
      indexes.map((index) => round(exact[index] as Amount, places)),
      targets[at] as Amount,
      places,
    );
    if (!own) return null;
    for (const [position, index] of indexes.entries()) result[index] = own[position] as Amount;
  }
  return result.map((amount) => round(amount, wirePlaces));
}

/**
 * Splits a total into parts whose exact sizes are known: what is not taxed is rounded for itself, and the taxed parts share what is left.
 * Where nothing is taxed, all share.
 */
function share(total: Amount, exact: Amount[], isTaxed: boolean[], places: number): Amount[] {
  const taxed = add('0', ...exact.filter((_, index) => isTaxed[index]));
  const shares = (index: number) => isZero(taxed) || isTaxed[index] === true;
  const result: Amount[] = exact.map((amount, index) => (shares(index) ? '0' : round(amount, places)));
  const sharing = exact.flatMap((_, index) => (shares(index) ? [index] : []));
  const parts = apportion(
    subtract(total, add('0', ...result)),
    sharing.map((index) => exact[index] as Amount),
    places,
  );
  for (const [at, index] of sharing.entries()) result[index] = parts[at] as Amount;
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
 * Gives the last units of rounding to the largest parts, so that they make the target exactly and none falls below zero; null where
 * that cannot be.
 */
function settle(parts: Amount[], target: Amount, places: number): Amount[] | null {
  const result = parts.map((part) => (isNegative(part) ? '0' : part));
  const order = result.map((part, index) => ({ part, index })).sort((a, b) => compare(b.part, a.part) || a.index - b.index);
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
