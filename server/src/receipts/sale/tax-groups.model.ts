import { add, type Amount, divide, isZero, multiply, round, subtract } from '@muhuri/shared/money';
import { discountShares, grossOf, hasEntityDiscount } from './levied-taxes.model.ts';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';

/** The lines under one tax of one class. */
export type Group = {
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
export type Reading = {
  lines: Amount[];
  groups: Amount[];
  levied: { base: Amount; amount: Amount }[];
  isDiscountGross?: boolean;
};

export const groupKey = (line: BooksLine, taxClass: string) =>
  `${taxClass} tax:${line.tax?.id ?? ''}`;

export function groupsOf(lines: BooksLine[], classes: string[]): Group[] {
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
export function* readings(
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
