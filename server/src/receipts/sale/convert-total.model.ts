import { type Amount, compare, unit } from '@muhuri/shared/money';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Setup } from './sale-setup.model.ts';
import { convertTotal } from './price-document.model.ts';
import type { Sale } from '../../model/sale.model.ts';

/**
 * A document's total as the device is told it, and what it was converted by; null where it cannot
 * be converted.
 */
export function baseTotalOf(
  document: BooksDocument,
  setup: Pick<Setup, 'currency'>,
  refunded: Sale | null,
): Amount | null {
  const rate = rateOf(document, setup, refunded);
  return (
    rate &&
    convertTotal(
      document.total,
      rate,
      setup.currency === document.currency ? 2 : placesOf(document),
      refunded ? null : document.baseTotal,
    )
  );
}

/**
 * Lines of a document in the books' own currency are settled to what the wire takes, whatever its
 * precision.
 */
export const baseUnitOf = (document: BooksDocument) =>
  unit(document.currency === document.baseCurrency ? 2 : Math.min(placesOf(document), 2));
export const placesOf = (document: BooksDocument) => document.basePlaces ?? 2;

/** Units of the device's currency for one of the document's: for a refund, those of its sale. */
export function rateOf(
  document: BooksDocument,
  setup: Pick<Setup, 'currency'>,
  refunded: Sale | null,
): Amount | null {
  if (document.currency === setup.currency) return '1';
  const rate = refunded ? (refunded.foreign?.exchangeRate ?? '0') : document.exchangeRate;
  return compare(rate, '0') > 0 ? rate : null;
}
