import {
  add,
  type Amount,
  compare,
  isNegative,
  multiply,
  round,
  subtract,
} from '@muhuri/shared/money';
import { soldIn } from './classify.model.ts';
import type { LineInBooks, Sale, SaleLine } from '../../model/sale.model.ts';

/**
 * What is left to refund of one item of a sale, in the device's currency but for the unit price,
 * which is the document's.
 */
export type Left = {
  name: string;
  quantity: Amount;
  unitPrice: Amount;
  sold: Amount;
  refunded: Amount;
  left: Amount;
  asked: Amount;
};

/**
 * One item under one tax class: as it was sold, as other refunds have it, as this one asks for it.
 */
export type Item = {
  sold: SaleLine[];
  refunded: SaleLine[];
  asked: SaleLine[];
  row: Left;
  rest: Amount;
  /** Of the sale and all its refunds together. */
  lines: number;
};

export function itemsOf(refund: Sale, sale: Sale, others: Sale[], keyOf: KeyOf): Map<string, Item> {
  const items = new Map<string, Item>();
  const lines = [sale, refund, ...others].reduce((count, each) => count + each.lines.length, 0);
  for (const first of sale.lines) {
    const key = keyOf(first);
    if (items.has(key)) continue;
    const of = (each: Sale) => each.lines.filter((line) => keyOf(line) === key);
    const [sold, refunded, asked] = [of(sale), others.flatMap(of), of(refund)];
    const rest = round(subtract(totalOf(sold), totalOf(refunded)), 2);
    const row = {
      name: first.name,
      quantity: quantityOf(sold),
      unitPrice: unitPriceOf(first),
      sold: totalOf(sold),
      refunded: totalOf(refunded),
      left: isNegative(rest) ? '0.00' : rest,
      asked: totalOf(asked),
    };
    items.set(key, { sold, refunded, asked, row, rest, lines });
  }
  return items;
}

export type KeyOf = (line: SaleLine) => string;
const keyOfSource: KeyOf = (line) => `${line.taxClass} ${line.source}`;

/**
 * What is one item. Refunds were once sealed of names that their sale has not: such a one is of any
 * free text of its class, so that all are one there.
 */
export function keyFor(sale: Sale, others: Sale[]): KeyOf {
  const { as } = soldIn(sale);
  const keyOfName: KeyOf = (line) => `${line.taxClass} ${as(line)}`;
  const sold = new Set(sale.lines.map(keyOfName));
  return others.every((other) => other.lines.every((line) => sold.has(keyOfName(line))))
    ? keyOfName
    : keyOfSource;
}

export const totalOf = (lines: SaleLine[]): Amount =>
  round(add('0', ...lines.map((line) => line.total)), 2);
export const quantityOf = (lines: SaleLine[]): Amount =>
  add('0', ...lines.map((line) => line.books?.quantity ?? line.quantity));
export const unitPriceOf = (line: SaleLine): Amount => line.books?.rate ?? line.unitPrice;
/** Older receipts kept quantities cut to two decimals. */
export const inexactOf = (lines: SaleLine[]): Amount =>
  add('0', ...lines.map((line) => (line.books ? '0' : '0.005')));
export const smallest = (line: SaleLine, sale: Sale): Amount =>
  multiply(line.books?.unit ?? '0.01', sale.foreign?.exchangeRate ?? '1');
const movedOf = (line: SaleLine, sale: Sale): Amount =>
  multiply(line.books?.moved ?? line.books?.unit ?? '0.01', sale.foreign?.exchangeRate ?? '1');
/** What converting may have moved: a taxed item bears what is left over of every line beside it. */
export const centsOf = ({ asked, lines }: Item): Amount =>
  multiply(asked[0]?.books?.baseUnit ?? '0.01', String(lines));

/** How far rounding may have moved the parts of an item from what was sold of it. */
export const movedIn = (item: Item, sale: Sale): Amount =>
  add(
    centsOf(item),
    ...[...item.sold, ...item.refunded, ...item.asked].map((line) => movedOf(line, sale)),
  );

export const isTooLarge = (item: Item, sale: Sale): boolean => {
  const excess = subtract(item.row.asked, item.rest);
  return (
    item.asked.length > 0 && compare(excess, '0') > 0 && compare(excess, roundingOf(item, sale)) > 0
  );
};

/**
 * Whether the parts have all that was sold of an item at its prices, whatever was taken off them.
 */
export function isFinished({ sold, refunded, asked }: Item): boolean {
  const parts = [...refunded, ...asked];
  const listed = (lines: SaleLine[]) =>
    add('0', ...lines.map((line) => multiply(quantityOf([line]), unitPriceOf(line))));
  const areOfSale = asked.every((line) => compare(quantityOf([line]), quantityOf(sold)) <= 0);
  return inBooks([...sold, ...parts]) && areOfSale && compare(listed(parts), listed(sold)) === 0;
}

/** How much more than the sale the parts of an item may come to by rounding alone. */
function roundingOf(item: Item, sale: Sale): Amount {
  const parts = [...item.refunded, ...item.asked];
  const aUnitEach = add('0', ...parts.map((line) => smallest(line, sale)));
  if (!inBooks([...item.sold, ...parts])) return compare(item.rest, '0') > 0 ? aUnitEach : '0';
  if (!isWithin(item)) return makesUp(item) ? add(aUnitEach, centsOf(item)) : '0';
  // The parts may have been rounded up and the sale down, and its total to a whole unit.
  return add(movedIn(item, sale), sale.foreign?.exchangeRate ?? '1');
}

const sumOf = (lines: SaleLine[], what: 'worth' | 'slack' | 'paid') =>
  add('0', ...lines.map((line) => (line.books as LineInBooks)[what]));

/** Whether the parts are worth no more than the sale, before anything was rounded. */
function isWithin({ sold, refunded, asked }: Item): boolean {
  const parts = [...refunded, ...asked];
  const over = subtract(sumOf(parts, 'worth'), sumOf(sold, 'worth'));
  return compare(over, add(sumOf(parts, 'slack'), sumOf(sold, 'slack'))) <= 0;
}

/** Whether all that was sold of an item is asked back at once, before anything was rounded. */
export function isReturnedWhole({ sold, asked }: Item): boolean {
  const all = [...sold, ...asked];
  return (
    inBooks(all) &&
    compare(add(sumOf(asked, 'worth'), sumOf(all, 'slack')), sumOf(sold, 'worth')) >= 0
  );
}

/**
 * Whether the parts are, in the document's own currency, the sale to its end: exactly, or with what
 * rounding has put on top.
 */
export function makesUp(item: Item): boolean {
  const parts = [...item.refunded, ...item.asked];
  if (![...item.sold, ...parts].every((line) => line.books)) return false;
  const over = compare(sumOf(parts, 'paid'), sumOf(item.sold, 'paid'));
  return over === 0 || (over > 0 && inBooks([...item.sold, ...parts]) && isWithin(item));
}

/** Whether all of them can be compared before rounding: with the tax inside, or all without it. */
export function inBooks(lines: SaleLine[]): boolean {
  const basis = lines[0]?.books?.isTaxInclusive;
  return basis !== undefined && lines.every((line) => line.books?.isTaxInclusive === basis);
}

export const sent = (lines: SaleLine[]): Amount => add('0', ...lines.map((line) => line.quantity));
export const least = (a: Amount, b: Amount): Amount => (compare(a, b) <= 0 ? a : b);
export const hundredth = '0.01';
