import { type Amount, add, compare, subtract } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Sale } from './sale.model.ts';

/**
 * Whether a refund fits its sale, counting every other refund of it that is queued, signed or in doubt. One refund per sale, of the
 * whole, unless the business switched partial ones on; then up to the sum, and every line on the sale (VSDC rules for refunds: the
 * authority names one refund per original and says nothing of partial ones).
 */
export function checkRefund(refund: Sale, sale: Sale, others: Sale[], allowsPartial: boolean): StoredProblem | null {
  if (refund.customerId !== sale.customerId) return { code: 'refund_buyer_differs', field: 'customer_id' };
  if (!allowsPartial && others.length > 0) return { code: 'refund_second' };
  const left = subtract(sale.total, add('0', ...others.map((other) => other.total)));
  if (compare(refund.total, left) > 0) return { code: 'refund_too_large', field: 'total', left };
  if (!allowsPartial && compare(refund.total, sale.total) < 0) return { code: 'refund_partial', field: 'total', sale_total: sale.total };
  for (const [index, line] of refund.lines.entries()) {
    const sold = sum(sale.lines.filter((s) => same(s, line)));
    const asked = sum([...refund.lines, ...others.flatMap((other) => other.lines)].filter((r) => same(r, line)));
    if (compare(sold.quantity, '0') === 0) return { code: 'refund_line_unknown', field: `line_items[${index}]`, name: line.name };
    if (compare(asked.quantity, sold.quantity) > 0 || compare(asked.total, sold.total) > 0)
      return { code: 'refund_too_large', field: `line_items[${index}]`, name: line.name, left };
  }
  return null;
}

const same = (a: Sale['lines'][number], b: Sale['lines'][number]) => a.source === b.source && a.taxClass === b.taxClass;

const sum = (lines: Sale['lines']): { quantity: Amount; total: Amount } => ({
  quantity: add('0', ...lines.map((line) => line.quantity)),
  total: add('0', ...lines.map((line) => line.total)),
});
