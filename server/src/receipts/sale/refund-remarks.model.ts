import { add } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Sale } from '../../model/sale.model.ts';

/**
 * What is said beside a document that is sealed at another amount than it has in the books, or
 * without the name of its buyer.
 */
export const remarksOn = ({
  documentTotal,
  total,
  currency,
  buyer,
  takenOff,
}: Sale): StoredProblem[] => [
  ...(documentTotal === undefined
    ? []
    : [
        {
          code: 'refund_rounded' as const,
          field: 'total',
          asked: documentTotal,
          total,
          base_currency: currency,
        },
      ]),
  ...(takenOff ? [remarkOn(takenOff)] : []),
  // No authority asks for a name, but whoever has typed one believes that it stands there.
  ...(buyer.name === '' ? [{ code: 'buyer_name_unseen' as const, field: 'customer_name' }] : []),
];

const remarkOn = ({ amount, total }: NonNullable<Sale['takenOff']>): StoredProblem => ({
  code: 'tax_withheld_beside',
  field: 'total',
  withheld: amount,
  full_total: add(total, amount),
  books_total: total,
});
