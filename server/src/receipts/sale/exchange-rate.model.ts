import {
  type Amount,
  absolute,
  add,
  compare,
  divide,
  multiply,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { roughRate } from './plausible-rate.model.ts';

/** The rate of the latest sealed document of a currency, and that document's date. */
export type SealedRate = { rate: Amount; date: string };

/**
 * Further than this from the last sealed rate no currency moves between two documents: more likely
 * a slip of the pen.
 */
const movesBetween = ['0.9', '1.1'] as const;
/**
 * What documents may be made out in: what the runtime knows as a currency. Of what begins with X
 * five are one; the others are metals, units of account and tests. Codes that have ended stand in
 * its list as well, and in some versions' a few funds: they pass here, and their rate is looked at
 * like any other.
 */
const currencies = new Set(
  Intl.supportedValuesOf('currency').filter(
    (code) => !code.startsWith('X') || ['XAF', 'XCD', 'XCG', 'XOF', 'XPF'].includes(code),
  ),
);
export const isCurrency = (code: string): boolean => currencies.has(code);

/**
 * A rate that can hardly be: 1 for another currency (the books' preset where nobody set one), far
 * from the last one sealed, or, where nothing was sealed yet, from what it usually is. The first of
 * a currency that there is nothing to compare with is asked about whatever it is: every later one
 * would be measured by it. So is one that the books' own total (`booksTotal`) contradicts. Asked
 * about by naming both rates and what the document comes to; never answered by the machine.
 */
export function checkRate(
  document: {
    currency: string;
    rate: Amount;
    total: Amount;
    baseCurrency: string;
    booksTotal?: Amount | null;
  },
  last: SealedRate | null,
  confirmed: { isConfirmed: boolean; rate: Amount | undefined },
): StoredProblem | null {
  const { currency, rate, baseCurrency, total } = document;
  const rough = last ? null : roughRate(currency, baseCurrency);
  const booksTotal = document.booksTotal ?? null;
  if (booksTotal === null && !isUnlikely(rate, last, rough)) return null;
  // What was confirmed is this very rate, named: the document may have been changed since, or be
  // another one's.
  if (confirmed.isConfirmed && confirmed.rate !== undefined && compare(confirmed.rate, rate) === 0)
    return null;
  return {
    code: 'exchange_rate_unlikely',
    field: 'exchange_rate',
    currency,
    rate,
    base_currency: baseCurrency,
    base_total: total,
    ...(last ? { known_rate: last.rate, known_date: last.date } : {}),
    ...(rough ? { usual_rate: rough.about } : {}),
    ...(last || rough ? {} : { first_currency: currency }),
    ...(booksTotal === null ? {} : { books_total: booksTotal }),
  };
}

/**
 * A rate has only so many digits in the books: what it is cut by is no more of a total than this.
 */
const ofDigits = '1000';

/**
 * What the books say the document comes to in their own currency, where it is not what their rate
 * makes of it; null: it is, or they do not say. It may have been added up of lines and charges that
 * were each rounded, and be of a total a unit beside the one that is shown.
 */
export function contradictionOf(
  { total, baseTotal, lines, places, basePlaces }: BooksDocument,
  rate: Amount,
): Amount | null {
  if (baseTotal === null) return null;
  const exact = multiply(total, rate);
  const ofRounding = add(
    multiply(unit(basePlaces ?? 2), String(lines.length + 3)),
    multiply(unit(places), rate),
  );
  const moved = divide(absolute(exact), ofDigits);
  return compare(
    absolute(subtract(baseTotal, exact)),
    compare(moved, ofRounding) > 0 ? moved : ofRounding,
  ) > 0
    ? baseTotal
    : null;
}

function isUnlikely(
  rate: Amount,
  last: SealedRate | null,
  rough: { low: Amount; high: Amount } | null,
): boolean {
  if (compare(rate, '1') === 0) return true;
  if (!last && !rough) return true;
  const [low, high] = last
    ? (movesBetween.map((factor) => multiply(last.rate, factor)) as [Amount, Amount])
    : [rough?.low ?? '0', rough?.high ?? '0'];
  return compare(rate, low) < 0 || compare(rate, high) > 0;
}
