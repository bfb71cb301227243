import { add, divide, isZero, multiply, round } from '@muhuri/shared/money';
import { cut } from '@muhuri/shared/text';
import type { BooksLine, LineTax, TaxAmount } from '../model/books-document.model.ts';
import {
  amount,
  amountIn,
  amountOrNone,
  amountThere,
  type Fields,
  isGiven,
  list,
  percentage,
  percentIn,
  percentOf,
  rowsOf,
  text,
  unreadable,
  withoutSign,
  word,
} from './json-fields.ts';

export function readLine(line: Fields, places: number, at: string, raw: Fields): BooksLine {
  const taxId = text(line.tax_id);
  const taxes = taxAmounts(line, 'line_item_taxes', at);
  const percent = taxId ? percentOfLine(line, taxes, at) : '0';
  const exemption = taxId
    ? ''
    : [line, raw]
        .map((from) => text(from.tax_exemption_code) || text(from.tax_exemption_id))
        .find(Boolean);
  const [quantity, rate] = [amount(line, 'quantity', at), amount(line, 'rate', at)];
  return {
    id: text(line.line_item_id),
    itemId: text(line.item_id) || null,
    name: text(line.name) || text(line.description) || '-',
    quantity,
    rate,
    // A row that only says something need not come to anything.
    net:
      isZero(quantity) && isZero(rate)
        ? amount(line, 'item_total', at)
        : amountThere(line, 'item_total', at),
    discount: lineDiscount(line, places, at),
    tax: taxId
      ? {
          id: taxId,
          name: text(line.tax_name),
          percent,
          ...taxKindOf(word(line.tax_type)),
          amount: taxes.length > 0 ? add('0', ...taxes.map((tax) => tax.amount)) : null,
          parts: taxes,
        }
      : null,
    ...(isLeftToBuyer(line, percent) ? { isReverseCharge: true as const } : {}),
    ...(exemption ? { exemption } : {}),
  };
}

/**
 * A line names the tax that the buyer pays himself also where it could be, and is not: then another
 * one is charged, and that one comes to nothing.
 */
const isLeftToBuyer = (line: Fields, percent: string): boolean =>
  !isZero(amountIn(line.reverse_charge_tax_amount) ?? '0') ||
  (!['', '0'].includes(text(line.reverse_charge_tax_id)) && isZero(percent));

export function taxKindOf(kind: string): Pick<LineTax, 'kind' | 'kindUnknown'> {
  if (kind === 'compound_tax' || kind === 'tax_group') return { kind };
  return kind === '' || kind === 'tax'
    ? { kind: 'tax' }
    : { kind: 'tax', kindUnknown: cut(kind, 40) };
}

/**
 * The rate of a line's tax; where the line does not say it, what it is made of may, and its name: a
 * tax that is charged is never taken for one of nought.
 */
function percentOfLine(line: Fields, taxes: TaxAmount[], at: string): string {
  if (isGiven(line.tax_percentage)) return percentage(line, 'tax_percentage', at);
  const known = percentOfAll(list(line.line_item_taxes)) ?? percentIn(text(line.tax_name));
  if (known === null && taxes.some((tax) => !isZero(tax.amount)))
    throw unreadable(`${at}tax_percentage`, '');
  return known ?? '0';
}

/**
 * What the taxes of a list come to in percent, each by its rate or its name; null where one of them
 * says neither.
 */
export function percentOfAll(taxes: Fields[]): string | null {
  const percents = taxes.map(
    (tax) => amountIn(withoutSign(text(tax.tax_percentage))) ?? percentIn(text(tax.tax_name)),
  );
  return percents.length > 0 && percents.every((each) => each !== null)
    ? add('0', ...(percents as string[]))
    : null;
}

export const taxAmounts = (from: Fields, key: string, at = ''): TaxAmount[] =>
  rowsOf(from, key, at).map((row, index) => ({
    id: text(row.tax_id) || null,
    name: text(row.tax_name),
    amount: amount(row, 'tax_amount', `${at}${key}[${index}].`),
  }));

/** Text `"10%"` is a share, a number an amount. */
function lineDiscount(line: Fields, places: number, at: string): string {
  const money = amountOrNone(line, 'discount_amount', at);
  if (money !== null) return money;
  const percent = percentOf(line, at);
  if (percent === null) return amount(line, 'discount', at);
  return round(
    divide(
      multiply(
        round(multiply(amount(line, 'rate', at), amount(line, 'quantity', at)), places),
        percent,
      ),
      '100',
    ),
    places,
  );
}
