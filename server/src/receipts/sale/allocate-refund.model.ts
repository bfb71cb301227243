import {
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
import { moneyOfLine } from './line-money.model.ts';
import type { Sale, SaleLine } from '../../model/sale.model.ts';
import {
  centsOf,
  hundredth,
  inBooks,
  isFinished,
  isTooLarge,
  type Item,
  type KeyOf,
  least,
  movedIn,
  sent,
} from './refundable-items.model.ts';

/**
 * A discount of the whole document is shared out by what stands on it: among the parts of a sale
 * otherwise than in the sale, though they make it up. Where this part finishes all of a tax class,
 * at the prices it was sold at, and asks for no more than is left of the class, no item of it is
 * refunded beyond what is left: what one is asked too much stands with the others. Says what each
 * comes to then.
 */
export function sharedOtherwise(items: Map<string, Item>, sale: Sale): Map<string, Amount> {
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
export function giveToOthers(
  items: Map<string, Item>,
  settled: Map<string, Amount>,
  sale: Sale,
): void {
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
export function settle(lines: SaleLine[], key: string, keyOf: KeyOf, change: Amount): SaleLine[] {
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
export function fitQuantities(
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
