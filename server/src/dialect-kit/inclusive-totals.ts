import { type Amount, add, multiplyDivide, round } from '@muhuri/shared/money';
import type { Totals } from '../model/sale.model.ts';

/**
 * Arithmetic of systems whose taxable amount contains the tax: taxable = total; tax = taxable × r /
 * (100 + r), half up to two decimals, once per line. The header's tax is either the sum of the
 * rounded lines (`lines`) or one split of the class total (`class`); receipts of both kinds are in
 * the field (VSDC wire contracts, arithmetic), so it is a setting.
 */
export function inclusiveTotals(
  lines: { total: Amount; taxClass: string }[],
  rates: Record<string, Amount>,
  classes: string[],
  headerTax: 'lines' | 'class',
): Totals {
  const taxIn = (amount: Amount, rate: Amount) => multiplyDivide(amount, rate, add('100', rate), 2);
  const computed = lines.map((line) => ({
    taxable: line.total,
    tax: taxIn(line.total, rates[line.taxClass] ?? '0'),
  }));
  const byClass = classes.map((taxClass) => {
    const own = computed.filter((_, index) => lines[index]?.taxClass === taxClass);
    const rate = rates[taxClass] ?? '0';
    const taxable = sum(own.map((line) => line.taxable));
    const tax = headerTax === 'lines' ? sum(own.map((line) => line.tax)) : taxIn(taxable, rate);
    return { taxClass, rate, taxable, tax };
  });
  const taxable = sum(byClass.map((each) => each.taxable));
  return {
    lines: computed,
    byClass,
    taxable,
    tax: sum(byClass.map((each) => each.tax)),
    total: taxable,
  };
}

const sum = (amounts: Amount[]): Amount => round(add('0', ...amounts), 2);
