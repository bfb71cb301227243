import { type Amount, absolute, compare, divide, isZero, multiply, round, subtract } from '@muhuri/shared/money';

type Line = {
  /** What the device was told: two decimals at the most. */
  quantity: Amount;
  gross: Amount;
  /** The line as the books have it, where that is known. */
  books?: { quantity: Amount; rate: Amount };
};

const cent = '0.01';
const placesMost = 12;

/**
 * Quantity and unit price as a line shows them on paper: the quantity with the books' own decimals, and the price, tax inside, with as many as
 * the books' price has. Where that times the quantity would miss the line's money by more than a cent (a tiny price times a huge quantity),
 * the price gets the decimals it needs: whoever multiplies comes to the amount that stands beside.
 */
export function shownPrice(line: Line): { quantity: Amount; unitPrice: Amount } {
  const quantity = trimmed(line.books?.quantity ?? line.quantity);
  if (isZero(quantity)) return { quantity, unitPrice: round(line.gross, 2) };
  const exact = divide(line.gross, quantity);
  for (let places = Math.max(2, decimalsOf(trimmed(line.books?.rate ?? '0'))); ; places++) {
    const unitPrice = round(exact, places);
    const missed = absolute(subtract(multiply(unitPrice, quantity), line.gross));
    if (compare(missed, cent) <= 0 || places >= placesMost) return { quantity, unitPrice };
  }
}

export const trimmed = (amount: Amount): Amount => (amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount);
export const decimalsOf = (amount: Amount): number => amount.split('.')[1]?.length ?? 0;
