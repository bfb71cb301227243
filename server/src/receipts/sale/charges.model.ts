import {
  type Amount,
  absolute,
  add,
  compare,
  isNegative,
  isZero,
  round,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../../model/books-document.model.ts';

/** What a document asks for beside its lines, in its own currency. */
export type Charges = {
  /** Shipping with its tax; zero where there is none. */
  shipping: Amount;
  /**
   * An amount that is sold as an item of its own, by the mapping that the business chose for it.
   */
  adjustment: Amount;
  /** What rounding the total took away or added: no item, but a property of the total. */
  roundOff: Amount;
};

/** A round-off of more than this, in the document's currency, is no rounding any more. */
const roundOffMax = '1';

export function chargesOf(document: BooksDocument): Charges {
  const { adjustment, roundOff } = document;
  const byHand = isRoundedByHand(document);
  return {
    shipping: add(document.shipping.net, document.shipping.tax),
    adjustment: byHand ? '0' : adjustment,
    roundOff: add(byHand ? adjustment : '0', roundOff),
  };
}

/**
 * Whoever rounds without the books' help types the missing part of a unit as an adjustment: the
 * total is whole then.
 */
const isRoundedByHand = ({ adjustment, roundOff, total }: BooksDocument): boolean =>
  isZero(roundOff) &&
  compare(absolute(adjustment), roundOffMax) < 0 &&
  compare(round(total, 0), total) === 0;

export function checkCharges(document: BooksDocument): StoredProblem[] {
  const findings: StoredProblem[] = [];
  const { shipping } = document;
  if (isNegative(shipping.net) || isNegative(shipping.tax))
    findings.push({ code: 'negative_charge', field: 'shipping_charge' });
  if (isNegative(document.adjustment) && !isRoundedByHand(document))
    findings.push({ code: 'negative_adjustment', field: 'adjustment' });
  if (compare(absolute(document.roundOff), roundOffMax) > 0)
    findings.push({ code: 'negative_adjustment', field: 'roundoff_value' });
  return findings;
}
