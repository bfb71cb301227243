import { createHash } from 'node:crypto';
import type { BooksDocument } from './document.model.ts';

/**
 * A hash over what the seal stands for. Not in it: status, balance, payments, links and custom fields, which change without the sale
 * changing (our own write-back among them).
 */
export function hashOf(document: BooksDocument): string {
  const { number, date, customer, currency, exchangeRate, isTaxInclusive, lines, discount, shipping, adjustment, roundOff, total } = document;
  const sealed = { number, date, customer: customer.id, currency, exchangeRate, isTaxInclusive, lines, discount, shipping, adjustment, roundOff, total };
  return createHash('sha256').update(JSON.stringify(sealed)).digest('hex');
}
