import {
  type Amount,
  absolute,
  add,
  compare,
  decimalsOf,
  divide,
  isZero,
  multiply,
  round,
  subtract,
  trimmed,
} from '@muhuri/shared/money';
import type { Sale, Totals } from '../../model/sale.model.ts';

type Line = {
  /** What the device was told: two decimals at the most. */
  quantity: Amount;
  gross: Amount;
  /** The line as the books have it, where that is known. */
  books?: { quantity: Amount; rate: Amount; isTaxInclusive?: boolean };
};

/**
 * What makes the books' price the one that was paid: the rate of the line's class in percent, and
 * what the document was converted by.
 */
type Of = { taxRate?: Amount; exchangeRate?: Amount };

const cent = '0.01';
const placesMost = 12;

/**
 * Quantity and unit price as a line shows them on paper: the quantity with the books' own decimals,
 * and the books' own price, tax inside, where that times the quantity makes the line's money, for
 * one piece exactly; else what the money comes to for one. The price has as many decimals as the
 * books', and where it would miss the money by more than a cent (a tiny price times a huge
 * quantity) those it needs: whoever multiplies comes to the amount that stands beside.
 */
export function shownPrice(line: Line, of: Of = {}): { quantity: Amount; unitPrice: Amount } {
  const quantity = trimmed(line.books?.quantity ?? line.quantity);
  if (isZero(quantity)) return { quantity, unitPrice: round(line.gross, 2) };
  const missed = (price: Amount) => absolute(subtract(multiply(price, quantity), line.gross));
  const own = ownPrice(line, of);
  // Of one piece the price is the amount, and whoever compares the two needs no sum; a part of one
  // is weighed at the price on its label.
  const isPaid = (price: Amount) =>
    compare(quantity, '1') === 0
      ? compare(round(price, 2), line.gross) === 0
      : compare(missed(price), cent) <= 0;
  const exact = own !== null && isPaid(own) ? own : divide(line.gross, quantity);
  for (let places = Math.max(2, decimalsOf(trimmed(line.books?.rate ?? '0'))); ; places++) {
    const unitPrice = round(exact, places);
    if (compare(missed(unitPrice), cent) <= 0 || places >= placesMost)
      return { quantity, unitPrice };
  }
}

function ownPrice({ books }: Line, { taxRate = '0', exchangeRate = '1' }: Of): Amount | null {
  if (!books) return null;
  const withTax =
    books.isTaxInclusive === false
      ? divide(multiply(books.rate, add('100', taxRate)), '100')
      : books.rate;
  return multiply(withTax, exchangeRate);
}

/** The same of every line of a sale, at the rates it was totalled with. */
export const shownPrices = (
  { lines, foreign }: Pick<Sale, 'lines' | 'foreign'>,
  { byClass }: Pick<Totals, 'byClass'>,
): { quantity: Amount; unitPrice: Amount }[] =>
  lines.map((line) => {
    const { rate: taxRate = '0' } = byClass.find((each) => each.taxClass === line.taxClass) ?? {};
    return shownPrice(line, {
      taxRate,
      ...(foreign ? { exchangeRate: foreign.exchangeRate } : {}),
    });
  });
