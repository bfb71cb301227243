import { absolute, add, type Amount, compare, isZero, subtract } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Sale, SaleLine } from '../../model/sale.model.ts';
import {
  inexactOf,
  isReturnedWhole,
  isTooLarge,
  type Item,
  itemsOf,
  keyFor,
  type KeyOf,
  type Left,
  makesUp,
  movedIn,
  quantityOf,
  smallest,
  totalOf,
  unitPriceOf,
} from './refundable-items.model.ts';
import { fitQuantities, giveToOthers, settle, sharedOtherwise } from './allocate-refund.model.ts';

export type Fitted = { refund: Sale; findings: StoredProblem[]; left: Left[] };

export type RefundRules = {
  isSameBuyer: boolean;
  /** Whether the business lets a sale be refunded in parts. */
  allowsPartial: boolean;
  /**
   * Whether the device holds refunds against quantities as well: a part of the price is told to it
   * as that part of the quantity.
   */
  countsQuantities?: boolean | undefined;
};

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
 */
export function fitRefund(
  refund: Sale,
  sale: Sale,
  others: Sale[],
  { isSameBuyer, allowsPartial, countsQuantities = false }: RefundRules,
): Fitted {
  const findings: StoredProblem[] = [];
  if (!isSameBuyer) findings.push({ code: 'refund_buyer_differs', field: 'customer_id' });
  if (!allowsPartial && others.length > 0) findings.push({ code: 'refund_second' });
  const keyOf = keyFor(sale, others);
  const items = itemsOf(refund, sale, others, keyOf);
  const settled = fitItems(items, sale, findings, (key) =>
    refund.lines.findIndex((line) => keyOf(line) === key),
  );
  findings.push(...unknownLines(refund, items, keyOf));
  giveToOthers(items, settled, sale);
  let { lines } = refund;
  for (const [key, wanted] of settled)
    lines = settle(lines, key, keyOf, subtract(wanted, items.get(key)?.row.asked as Amount));
  if (countsQuantities && findings.length === 0)
    lines = fitQuantities(lines, items, keyOf, findings);
  const total = totalOf(lines);
  const [first] = [...items.values()].filter((item) => item.asked.length > 0);
  if (findings.length === 0 && first && isZero(total))
    findings.push({ code: 'refund_too_large', field: 'total', ...about(first, sale) });
  if (!allowsPartial && isPartial(total, items, sale))
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

const unknownLines = (refund: Sale, items: Map<string, Item>, keyOf: KeyOf): StoredProblem[] =>
  refund.lines.flatMap((line, index) =>
    items.has(keyOf(line))
      ? []
      : [{ code: 'refund_line_unknown', field: `line_items[${index}]`, name: line.name }],
  );

/** Returns what each item is to come to where it is not what was asked; adds what is wrong. */
function fitItems(
  items: Map<string, Item>,
  sale: Sale,
  findings: StoredProblem[],
  indexOf: (key: string) => number,
): Map<string, Amount> {
  const settled = sharedOtherwise(items, sale);
  for (const [key, item] of items) {
    if (item.asked.length === 0 || settled.has(key)) continue;
    const fit = fitItem(item, sale);
    if ('total' in fit) settled.set(key, fit.total);
    else if (fit.finding) {
      const { code, ...more } = fit.finding;
      findings.push({ code, field: `line_items[${indexOf(key)}]`, ...more });
    }
  }
  return settled;
}

/** Returns what an item is to come to where it is not what was asked, or what is wrong with it. */
function fitItem(item: Item, sale: Sale): { total: Amount } | { finding: StoredProblem | null } {
  const { row, rest, asked, sold } = item;
  const excess = subtract(row.asked, rest);
  if (compare(excess, '0') > 0) {
    if (isTooLarge(item, sale))
      return { finding: { code: 'refund_too_large', ...about(item, sale) } };
    // Earlier parts have taken all there was: this one is left with nothing of the item, beside
    // others.
    return { total: row.left };
  }
  if (!isZero(excess) && makesUp(item) && compare(absolute(excess), movedIn(item, sale)) <= 0)
    return { total: rest };
  const most = add(quantityOf(sold), inexactOf(sold));
  if (!asked.some((line) => compare(quantityOf([line]), most) > 0)) return { finding: null };
  return {
    finding: {
      code: 'refund_too_many',
      name: asked[0]?.name ?? row.name,
      quantity: quantityOf(asked),
      sold_quantity: row.quantity,
    },
  };
}

/** Whether a refund leaves more of its sale than rounding can. */
function isPartial(total: Amount, items: Map<string, Item>, sale: Sale): boolean {
  const aUnitEach = add('0', ...sale.lines.map((line) => smallest(line, sale)));
  // Nothing of the sale is left out: then only its total, or the refund's, was rounded to a whole
  // unit.
  const within = [...items.values()].every(isReturnedWhole)
    ? add(aUnitEach, sale.foreign?.exchangeRate ?? '1')
    : aUnitEach;
  return compare(add(total, within), sale.total) < 0;
}

const refittedTo = (refund: Sale, lines: SaleLine[], total: Amount): Sale => ({
  ...refund,
  lines,
  total,
  ...(compare(total, refund.total) === 0 ? {} : { documentTotal: refund.total }),
});

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
