import {
  add,
  type Amount,
  divide,
  isZero,
  multiply,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';
import { discountShares, hasEntityDiscount } from './levied-taxes.model.ts';
import type { Prices } from './price-document.model.ts';
import type { LineInBooks } from '../../model/sale.model.ts';
import { baseUnitOf } from './convert-total.model.ts';

/**
 * What each line is worth in the books before anything is rounded: parts of a sale are measured by
 * it when it is refunded.
 */
export function linesInBooks(
  document: BooksDocument,
  lines: BooksLine[],
  { lines: prices, isDiscountGross }: Prices,
): LineInBooks[] {
  const own = lines.map((line) => subtract(multiply(line.quantity, line.rate), line.discount));
  // In the proportion that the discount was reckoned in: only so is a part of the lines worth as
  // much by itself as within the whole.
  const shares = discountShares(
    document,
    lines,
    isDiscountGross ? own : lines.map((line) => line.net),
  );
  return lines.map((line, index) => {
    // A discount of the document is rounded, and so is what it was reckoned on.
    const roundings = (isZero(line.discount) ? 0 : 1) + (hasEntityDiscount(document) ? 2 : 0);
    return {
      quantity: line.quantity,
      rate: line.rate,
      isTaxInclusive: document.isTaxInclusive,
      // Far finer than money, so that what is cut here is no part of a cent.
      worth: round(subtract(own[index] as Amount, shares[index] as Amount), 12),
      slack: divide(multiply(unit(document.places), String(roundings)), '2'),
      unit: unit(document.places),
      moved: movedBy(line, document),
      baseUnit: baseUnitOf(document),
      paid: prices[index]?.own as Amount,
    };
  });
}

/**
 * Half a unit each: of what the line comes to, with the tax on it, and of every tax; and what
 * sharing a discount of the document out in units moves.
 */
function movedBy({ tax }: BooksLine, document: BooksDocument): Amount {
  const withTax = add('1', divide(tax?.percent ?? '0', '100'));
  const ofTaxes = tax ? Math.max(tax.parts?.length ?? 0, 1) : 0;
  const halves = add(
    withTax,
    String(ofTaxes),
    hasEntityDiscount(document) ? multiply(withTax, '3') : '0',
  );
  return multiply(unit(document.places), divide(halves, '2'));
}
