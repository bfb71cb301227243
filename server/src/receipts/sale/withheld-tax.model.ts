import { type Amount, add, compare, multiply, subtract } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { chargesOf } from './charges.model.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { priceDocument } from './price-document.model.ts';

/**
 * A document at its full price. A buyer who withholds tax pays the seller less and the authority
 * the rest: what was sold costs the same. Some books say beside the total what is withheld, some
 * have taken it off the total; which of both it is, the lines tell, and where they are too near to
 * each other the document's own sums. One that is made by neither stays as it is, and has its
 * finding where it is priced.
 */
export function inFull(document: BooksDocument): BooksDocument {
  const { total, withheld = [] } = document;
  if (withheld.length === 0 || isSummedTo(document, total)) return document;
  const wholes = withheld.map((amount) => ({
    ...document,
    total: add(total, amount),
    baseTotal:
      document.baseTotal && add(document.baseTotal, multiply(amount, document.exchangeRate)),
    takenOff: { amount, total },
  }));
  const summed = wholes.find((whole) => isSummedTo(whole, whole.total) && isMade(whole));
  if (summed) return summed;
  return isMade(document) ? document : (wholes.find(isMade) ?? document);
}

/**
 * What the document says of its parts, added up; where a discount or shipping stands otherwise it
 * says nothing.
 */
function isSummedTo(document: BooksDocument, total: Amount): boolean {
  const { subTotal, taxTotal, shipping, adjustment, roundOff, discount } = document;
  const sum = subtract(
    add(subTotal, taxTotal, shipping.net, adjustment, roundOff),
    discount.amount,
  );
  return [sum, add(sum, shipping.tax)].some((each) => compare(each, total) === 0);
}

const isMade = (document: BooksDocument): boolean => {
  const { places, total, lines } = document;
  const taxes = {
    lines: lines.map(({ tax }) => tax?.id ?? ''),
    shipping: 'shipping',
    adjustment: 'adjustment',
    isShippingTaxed: false,
    isAdjustmentTaxed: false,
  };
  return (
    priceDocument(document, lines, taxes, chargesOf(document), { rate: '1', places, total }) !==
    null
  );
};

/**
 * A tax below nothing takes another one back, all of it or a part: what is left of both is the rate
 * of neither.
 */
export function checkNegativeTaxes({ lines, taxes = [] }: BooksDocument): StoredProblem[] {
  const isNegative = ({ amount }: { amount: Amount }) => compare(amount, '0') < 0;
  const about = ({ name, amount }: { name: string; amount: Amount }) => ({
    tax_name: name,
    amount,
  });
  const ofLines = lines.flatMap(({ name, tax }, index): StoredProblem[] => {
    const found = tax?.parts?.find(isNegative);
    return found
      ? [{ code: 'tax_negative', field: `line_items[${index}]`, name, ...about(found) }]
      : [];
  });
  if (ofLines.length > 0) return ofLines;
  return taxes.flatMap((tax, index): StoredProblem[] =>
    isNegative(tax) ? [{ code: 'tax_negative', field: `taxes[${index}]`, ...about(tax) }] : [],
  );
}
