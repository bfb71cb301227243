import { type Amount, divide, isZero, multiplyDivide, round, subtract } from '@muhuri/shared/money';
import type { SaleLine } from '../../model/sale.model.ts';

/** The money of a line from what it would be without its discount and what is paid for it. */
export function moneyOfLine(
  gross: Amount,
  paid: Amount,
  quantity: Amount,
): Pick<SaleLine, 'unitPrice' | 'gross' | 'discountRate' | 'discount' | 'total'> {
  const discount = subtract(gross, paid);
  return {
    unitPrice: round(divide(gross, quantity), 2),
    gross: round(gross, 2),
    discountRate: discountRateOf(discount, gross),
    discount: round(discount, 2),
    total: round(paid, 2),
  };
}

/**
 * In percent, two decimals; never zero where there is a discount, because the device refuses an
 * amount without a rate.
 */
function discountRateOf(discount: Amount, gross: Amount): Amount {
  if (isZero(discount) || isZero(gross)) return '0.00';
  const rate = multiplyDivide(discount, '100', gross, 2);
  return isZero(rate) ? '0.01' : rate;
}
