import { type Amount, add, compare, isNegative, isZero, multiply, negate, subtract } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { moneyOfLine } from './make-sale.model.ts';
import type { LineInBooks, Sale, SaleLine } from './sale.model.ts';

/** What is left to refund of one item of a sale, in the device's currency but for the unit price, which is the document's. */
export type Left = { name: string; quantity: Amount; unitPrice: Amount; sold: Amount; refunded: Amount; left: Amount; asked: Amount };

export type Fitted = { refund: Sale; findings: StoredProblem[]; left: Left[] };

/**
 * Fits a refund to its sale, counting every other refund of it that is queued, signed or in doubt, and says everything that stands in
 * the way. One refund per sale, of the whole, unless the business switched partial ones on (the authority names one refund per
 * original and says nothing of partial ones); then up to what each item of the sale came to.
 *
 * Parts of a sale, each rounded for itself, can come to some cents more than the whole. What is asked is therefore measured before
 * rounding, by quantity × price in the books; where that is within the sale, the part that finishes an item is cut to what is left.
 */
export function fitRefund(refund: Sale, sale: Sale, others: Sale[], allowsPartial: boolean): Fitted {
  const findings: StoredProblem[] = [];
  if (refund.customerId !== sale.customerId) findings.push({ code: 'refund_buyer_differs', field: 'customer_id' });
  if (!allowsPartial && others.length > 0) findings.push({ code: 'refund_second' });
  const left: Left[] = [];
  let lines = refund.lines;
  const items = new Map(sale.lines.map((line) => [keyOf(line), line]));
  for (const [key, first] of items) {
    const of = (each: Sale) => each.lines.filter((line) => keyOf(line) === key);
    const sold = of(sale);
    const refunded = others.flatMap(of);
    const asked = of(refund);
    const rest = subtract(totalOf(sold), totalOf(refunded));
    const row: Left = {
      name: first.name,
      quantity: quantityOf(sold),
      unitPrice: first.books?.rate ?? first.unitPrice,
      sold: totalOf(sold),
      refunded: totalOf(refunded),
      left: isNegative(rest) ? '0.00' : rest,
      asked: totalOf(asked),
    };
    left.push(row);
    const field = `line_items[${refund.lines.findIndex((line) => keyOf(line) === key)}]`;
    const excess = subtract(row.asked, rest);
    if (compare(excess, '0') > 0) {
      const isRounding = compare(rest, '0') > 0 && compare(excess, roundingOf(sold, refunded, asked, sale)) <= 0;
      if (isRounding) lines = cut(lines, key, excess);
      else findings.push({ code: 'refund_too_large', field, ...about(row, sale) });
    } else if (asked.some((line) => compare(line.books?.quantity ?? line.quantity, add(quantityOf(sold), inexactOf(sold))) > 0))
      findings.push({ code: 'refund_too_many', field, name: row.name, quantity: quantityOf(asked), sold_quantity: row.quantity });
  }
  for (const [index, line] of refund.lines.entries())
    if (!items.has(keyOf(line))) findings.push({ code: 'refund_line_unknown', field: `line_items[${index}]`, name: line.name });
  const total = totalOf(lines);
  const within = add('0', ...sale.lines.map((line) => smallest(line, sale)));
  if (!allowsPartial && compare(add(total, within), sale.total) < 0)
    findings.push({ code: 'refund_partial', field: 'total', asked: refund.total, sale_total: sale.total, base_currency: sale.currency });
  return { refund: lines === refund.lines ? refund : { ...refund, lines, total }, findings, left };
}

const keyOf = (line: SaleLine) => `${line.taxClass} ${line.source}`;
const totalOf = (lines: SaleLine[]): Amount => add('0.00', ...lines.map((line) => line.total));
const quantityOf = (lines: SaleLine[]): Amount => add('0', ...lines.map((line) => line.books?.quantity ?? line.quantity));
/** Older receipts kept quantities cut to two decimals. */
const inexactOf = (lines: SaleLine[]): Amount => add('0', ...lines.map((line) => (line.books ? '0' : '0.005')));
const smallest = (line: SaleLine, sale: Sale): Amount => multiply(line.books?.unit ?? '0.01', sale.foreign?.exchangeRate ?? '1');

/** How much more than the sale the parts of an item may come to by rounding alone. */
function roundingOf(sold: SaleLine[], refunded: SaleLine[], asked: SaleLine[], sale: Sale): Amount {
  const parts = [...refunded, ...asked];
  const aUnitEach = add('0', ...parts.map((line) => smallest(line, sale)));
  const known = inBooks([...sold, ...parts]);
  if (!known) return aUnitEach;
  const of = (lines: SaleLine[], what: 'worth' | 'slack') => add('0', ...lines.map((line) => (line.books as LineInBooks)[what]));
  const over = subtract(of(parts, 'worth'), of(sold, 'worth'));
  if (compare(over, add(of(parts, 'slack'), of(sold, 'slack'))) > 0) return '0';
  // The sale's own total may have been rounded down to a whole unit.
  return add(aUnitEach, sale.foreign?.exchangeRate ?? '1');
}

/** Whether all of them can be compared before rounding: with the tax inside, or all without it. */
function inBooks(lines: SaleLine[]): boolean {
  const basis = lines[0]?.books?.isTaxInclusive;
  return basis !== undefined && lines.every((line) => line.books?.isTaxInclusive === basis);
}

/** Takes the excess from the last lines of an item. */
function cut(lines: SaleLine[], key: string, excess: Amount): SaleLine[] {
  const result = [...lines];
  let rest = excess;
  for (let at = result.length - 1; at >= 0 && !isZero(rest); at--) {
    const line = result[at] as SaleLine;
    if (keyOf(line) !== key) continue;
    const taken = compare(rest, line.total) > 0 ? line.total : rest;
    const paid = subtract(line.total, taken);
    const gross = isZero(line.discount) ? paid : add(line.gross, negate(taken));
    result[at] = { ...line, ...moneyOfLine(gross, paid, line.quantity) };
    rest = subtract(rest, taken);
  }
  return result;
}

const about = (row: Left, sale: Sale) => ({
  name: row.name,
  asked: row.asked,
  left: row.left,
  sold_quantity: row.quantity,
  unit_price: row.unitPrice,
  base_currency: sale.currency,
  ...(sale.foreign ? { rate: sale.foreign.exchangeRate, currency: sale.foreign.currency } : {}),
});
