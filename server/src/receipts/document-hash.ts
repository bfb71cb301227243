import { createHash } from 'node:crypto';
import type { BooksDocument } from './document.model.ts';

/**
 * A hash over what the seal stands for. Not in it: status, balance, payments, links and custom fields, which change without the sale
 * changing (our own write-back among them).
 */
export function hashOf(document: BooksDocument): string {
  const { number, date, customer, currency, exchangeRate, isTaxInclusive, discount, adjustment, roundOff, total } = document;
  const lines = document.lines.map(({ id, itemId, name, quantity, rate, net, discount: own, tax }) => ({
    id,
    itemId,
    name,
    quantity,
    rate,
    net,
    discount: own,
    tax: tax && { id: tax.id, name: tax.name, percent: tax.percent, kind: tax.kind, amount: tax.amount },
  }));
  const { net, tax, taxId, taxPercent } = document.shipping;
  const shipping = { net, tax, taxId, taxPercent };
  const sealed = { number, date, customer: customer.id, currency, exchangeRate, isTaxInclusive, lines, discount, shipping, adjustment, roundOff, total };
  return createHash('sha256').update(JSON.stringify(sealed)).digest('hex');
}
