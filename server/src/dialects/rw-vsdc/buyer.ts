import type { StoredProblem } from '@muhuri/shared/problems';
import { cut } from '@muhuri/shared/text';
import type { Sale } from '../../model/sale.model.ts';

/** Nine digits; nine noughts are what people write who have none. */
export const isTaxpayerId = (id: string): boolean => /^\d{9}$/.test(id) && !/^0+$/.test(id);

/**
 * Six digits or more, not all of them the same: that is what fills a field that must not be empty.
 */
const phone = /^\+?(\d)(?!\1*$)\d{5,14}$/;

/** A buyer with a TIN gives a purchase code; without one the mobile number is on the receipt. */
export function checkBuyer({ taxpayerId, purchaseCode, mobile }: Sale['buyer']): StoredProblem[] {
  if (taxpayerId === null) {
    if (mobile === null) return [{ code: 'buyer_mobile_missing', field: 'buyer_mobile' }];
    return phone.test(mobile) ? [] : [{ code: 'buyer_mobile_malformed', field: 'buyer_mobile' }];
  }
  if (!isTaxpayerId(taxpayerId))
    return [{ code: 'buyer_tin_malformed', field: 'buyer_tin', value: cut(taxpayerId, 40) }];
  if (purchaseCode === null) return [{ code: 'purchase_code_missing', field: 'purchase_code' }];
  if (/^[A-Za-z0-9]{6}$/.test(purchaseCode)) return [];
  const value = cut(purchaseCode, 40);
  return [{ code: 'purchase_code_malformed', field: 'purchase_code', value }];
}
