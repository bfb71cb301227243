import {
  absolute,
  add,
  type Amount,
  compare,
  divide,
  isNegative,
  isZero,
  multiply,
  round,
  subtract,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { moneyOfLine } from './price-lines.model.ts';
import type { Sale, SaleLine } from '../../model/sale.model.ts';
import {
  centsOf,
  hundredth,
  inBooks,
  inexactOf,
  isFinished,
  isReturnedWhole,
  isTooLarge,
  type Item,
  itemsOf,
  keyFor,
  type KeyOf,
  least,
  type Left,
  makesUp,
  movedIn,
  quantityOf,
  sent,
  smallest,
  totalOf,
  unitPriceOf,
} from './refund-items.model.ts';

export type Fitted = { refund: Sale; findings: StoredProblem[]; left: Left[] };

/**
 * Fits a refund to its sale, counting every other refund of it that is queued, signed or in doubt,
 * and says everything that stands in the way. One refund per sale, of the whole, unless the
 * business switched partial ones on (the authority names one refund per original and says nothing
 * of partial ones); then up to what each item of the sale came to.
 *
 * Parts of a sale, each rounded for itself, can come to some cents more or less than the whole.
 * What is asked is therefore measured before rounding, by quantity × price in the books; where that
 * is within the sale, the part that finishes an item is cut to what is left, and where the parts
 * make up the sale in its own currency, they make it up in the device's.
 *
 * `countsQuantities`: its device holds refunds against quantities as well. A part of the price is
 * told to it as that part of the quantity.
 */
export function fitRefund(
  refund: Sale,
  sale: Sale,
  others: Sale[],
  isSameBuyer: boolean,
  allowsPartial: boolean,
  countsQuantities = false,
): Fitted {
  const findings: StoredProblem[] = [];
  if (!isSameBuyer) findings.push({ code: 'refund_buyer_differs', field: 'customer_id' });
  if (!allowsPartial && others.length > 0) findings.push({ code: 'refund_second' });
  const keyOf = keyFor(sale, others);
  const items = itemsOf(refund, sale, others, keyOf);
  /** What each item is to come to, where it is not what was asked. */
  const settled = sharedOtherwise(items, sale);
  for (const [key, item] of items) {
    const { row, rest, asked, sold } = item;
    if (asked.length === 0 || settled.has(key)) continue;
    const field = `line_items[${refund.lines.findIndex((line) => keyOf(line) === key)}]`;
    const excess = subtract(row.asked, rest);
    if (compare(excess, '0') > 0) {
      // Where earlier parts have taken all there was, this one is left with nothing of the item,
      // beside others.
      if (!isTooLarge(item, sale)) settled.set(key, row.left);
      else findings.push({ code: 'refund_too_large', field, ...about(item, sale) });
    } else if (
      !isZero(excess) &&
      makesUp(item) &&
      compare(absolute(excess), movedIn(item, sale)) <= 0
    )
      settled.set(key, rest);
    else if (
      asked.some((line) => compare(quantityOf([line]), add(quantityOf(sold), inexactOf(sold))) > 0)
    )
      findings.push({
        code: 'refund_too_many',
        field,
        name: asked[0]?.name ?? row.name,
        quantity: quantityOf(asked),
        sold_quantity: row.quantity,
      });
  }
  for (const [index, line] of refund.lines.entries())
    if (!items.has(keyOf(line)))
      findings.push({
        code: 'refund_line_unknown',
        field: `line_items[${index}]`,
        name: line.name,
      });
  giveToOthers(items, settled, sale);
  let { lines } = refund;
  for (const [key, to] of settled)
    lines = settle(lines, key, keyOf, subtract(to, items.get(key)?.row.asked as Amount));
  if (countsQuantities && findings.length === 0)
    lines = fitQuantities(lines, items, keyOf, findings);
  const total = totalOf(lines);
  const [first] = [...items.values()].filter((item) => item.asked.length > 0);
  if (findings.length === 0 && first && isZero(total))
    findings.push({ code: 'refund_too_large', field: 'total', ...about(first, sale) });
  const aUnitEach = add('0', ...sale.lines.map((line) => smallest(line, sale)));
  // Nothing of the sale is left out: then only its total, or the refund's, was rounded to a whole
  // unit.
  const within = [...items.values()].every(isReturnedWhole)
    ? add(aUnitEach, sale.foreign?.exchangeRate ?? '1')
    : aUnitEach;
  if (!allowsPartial && compare(add(total, within), sale.total) < 0)
    findings.push({
      code: 'refund_partial',
      field: 'total',
      asked: refund.total,
      sale_total: sale.total,
      base_currency: sale.currency,
    });
  return {
    refund: lines === refund.lines ? refund : refittedTo(refund, lines, total),
    findings,
    left: [...items.values()].map((item) => item.row),
  };
}

const refittedTo = (refund: Sale, lines: SaleLine[], total: Amount): Sale => ({
  ...refund,
  lines,
  total,
  ...(compare(total, refund.total) === 0 ? {} : { documentTotal: refund.total }),
});

/**
 * What is said beside a document that is sealed at another amount than it has in the books, or
 * without the name of its buyer.
 */
export const remarksOn = ({
  documentTotal,
  total,
  currency,
  buyer,
  takenOff,
}: Sale): StoredProblem[] => [
  ...(documentTotal === undefined
    ? []
    : [
        {
          code: 'refund_rounded' as const,
          field: 'total',
          asked: documentTotal,
          total,
          base_currency: currency,
        },
      ]),
  ...(takenOff ? [remarkOn(takenOff)] : []),
  // No authority asks for a name, but whoever has typed one believes that it stands there.
  ...(buyer.name === '' ? [{ code: 'buyer_name_unseen' as const, field: 'customer_name' }] : []),
];

const remarkOn = ({ amount, total }: NonNullable<Sale['takenOff']>): StoredProblem => ({
  code: 'tax_withheld_beside',
  field: 'total',
  withheld: amount,
  full_total: add(total, amount),
  books_total: total,
});

/**
 * A discount of the whole document is shared out by what stands on it: among the parts of a sale
 * otherwise than in the sale, though they make it up. Where this part finishes all of a tax class,
 * at the prices it was sold at, and asks for no more than is left of the class, no item of it is
 * refunded beyond what is left: what one is asked too much stands with the others. Says what each
 * comes to then.
 */
function sharedOtherwise(items: Map<string, Item>, sale: Sale): Map<string, Amount> {
  const settled = new Map<string, Amount>();
  for (const taxClass of new Set(sale.lines.map((line) => line.taxClass))) {
    const ofClass = [...items].filter(([, { sold }]) => sold[0]?.taxClass === taxClass);
    if (
      !ofClass.some(([, item]) => isTooLarge(item, sale)) ||
      !ofClass.every(([, item]) => isFinished(item))
    )
      continue;
    const sum = (what: (item: Item) => Amount) =>
      add('0', ...ofClass.map(([, item]) => what(item)));
    const [wanted, rest, moved] = [
      sum(({ row }) => row.asked),
      sum((item) => item.rest),
      sum((item) => movedIn(item, sale)),
    ];
    if (compare(subtract(wanted, rest), moved) > 0) continue;
    const capped = ({ row }: Item) => least(row.asked, row.left);
    let toGive = subtract(compare(subtract(rest, wanted), moved) <= 0 ? rest : wanted, sum(capped));
    const asked = ofClass.filter(([, item]) => item.asked.length > 0);
    for (const [at, [key, item]] of asked.entries()) {
      // Of an item that stands on no part any more, only the last can take what is left.
      const given =
        at === asked.length - 1 ? toGive : least(toGive, subtract(item.row.left, capped(item)));
      settled.set(key, add(capped(item), given));
      toGive = subtract(toGive, given);
    }
  }
  return settled;
}

/**
 * What one item was cut by stands with another of the same class, where the sale was rounded
 * otherwise than its refund: it goes there, so that the refund stays at its document's total.
 */
function giveToOthers(items: Map<string, Item>, settled: Map<string, Amount>, sale: Sale): void {
  const cuts = new Map<string, Amount>();
  for (const [key, to] of settled) {
    const { row, asked } = items.get(key) as Item;
    const taxClass = asked[0]?.taxClass as string;
    cuts.set(taxClass, add(cuts.get(taxClass) ?? '0', subtract(row.asked, to)));
  }
  for (const [key, item] of items) {
    const taxClass = item.asked[0]?.taxClass ?? '';
    const toGive = cuts.get(taxClass) ?? '0';
    const room = subtract(item.rest, item.row.asked);
    if (settled.has(key) || compare(toGive, '0') <= 0 || compare(room, '0') <= 0) continue;
    // Only what rounding may have moved, of an item that is finished by this part.
    if (
      compare(room, movedIn(item, sale)) > 0 ||
      !inBooks([...item.sold, ...item.refunded, ...item.asked])
    )
      continue;
    const isAsMuch = compare(room, add(toGive, centsOf(item))) <= 0;
    const given = isAsMuch ? room : toGive;
    settled.set(key, add(item.row.asked, given));
    cuts.set(taxClass, isAsMuch ? subtract(toGive, room) : '0');
  }
}

/** Gives to, or takes from, the last lines of an item. */
function settle(lines: SaleLine[], key: string, keyOf: KeyOf, change: Amount): SaleLine[] {
  const result = [...lines];
  let rest = change;
  for (let at = result.length - 1; at >= 0 && !isZero(rest); at--) {
    const line = result[at] as SaleLine;
    if (keyOf(line) !== key) continue;
    const wanted = add(line.total, rest);
    const paid = isNegative(wanted) ? '0' : wanted;
    // What was taken off is changed, not the price, as far as the price has room for it.
    const gross = isZero(line.discount) || compare(paid, line.gross) > 0 ? paid : line.gross;
    result[at] = { ...line, ...moneyOfLine(gross, paid, line.quantity) };
    rest = subtract(wanted, paid);
  }
  return result;
}

/**
 * What the device is told of each line's quantity: as asked where that is what the money comes to,
 * else the money's part of what was sold; never more than is left.
 */
function fitQuantities(
  lines: SaleLine[],
  items: Map<string, Item>,
  keyOf: KeyOf,
  findings: StoredProblem[],
): SaleLine[] {
  const left = new Map(
    [...items].map(([key, item]) => [key, subtract(sent(item.sold), sent(item.refunded))]),
  );
  return lines.map((line, index) => {
    const item = items.get(keyOf(line));
    const rest = left.get(keyOf(line)) ?? '0';
    if (!item || isZero(item.row.sold)) return line;
    const part = divide(multiply(sent(item.sold), line.total), item.row.sold);
    const isByQuantity = compare(line.quantity, add(multiply(part, '1.01'), hundredth)) <= 0;
    const fair = isByQuantity ? line.quantity : round(part, 2);
    const quantity = least(compare(fair, hundredth) < 0 ? hundredth : fair, rest);
    if (compare(quantity, hundredth) < 0) {
      findings.push({
        code: 'refused_refund_quantity',
        field: `line_items[${index}]`,
        name: line.name,
      });
      return line;
    }
    left.set(keyOf(line), subtract(rest, quantity));
    return compare(quantity, line.quantity) === 0
      ? line
      : { ...line, quantity, unitPrice: round(divide(line.gross, quantity), 2) };
  });
}

const about = ({ row, sold, asked }: Item, sale: Sale) => ({
  name: asked[0]?.name ?? row.name,
  asked: row.asked,
  left: row.left,
  sold_quantity: row.quantity,
  // Sold at several prices, it has not one that could be named.
  ...(sold.every((line) => compare(unitPriceOf(line), row.unitPrice) === 0)
    ? { unit_price: row.unitPrice }
    : {}),
  base_currency: sale.currency,
  ...(sale.foreign ? { rate: sale.foreign.exchangeRate, currency: sale.foreign.currency } : {}),
});
