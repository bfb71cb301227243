import { add, type Amount } from '@muhuri/shared/money';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { sha256 } from '../../platform/digest.ts';

/**
 * A hash over what the seal stands for. Not in it: status, balance, payments, links and custom
 * fields, which change without the sale changing (our own write-back among them); and how many
 * noughts an amount is written with.
 */
export const hashOf = (document: BooksDocument): string =>
  hash(document, (amount) => add('0', amount));

/**
 * Whether a document is still the one that was hashed; receipts of before have amounts in their
 * hash as they were written.
 */
export const isStill = (document: BooksDocument, hashed: string): boolean =>
  hashOf(document) === hashed || hash(document, (amount) => amount) === hashed;

function hash(document: BooksDocument, as: (amount: Amount) => Amount): string {
  const { number, date, customer, currency, isTaxInclusive } = document;
  const [exchangeRate, adjustment, roundOff, total] = [
    document.exchangeRate,
    document.adjustment,
    document.roundOff,
    document.total,
  ].map(as);
  const discount = { ...document.discount, amount: as(document.discount.amount) };
  const lines = document.lines.map(
    ({ id, itemId, name, quantity, rate, net, discount: own, tax }) => ({
      id,
      itemId,
      name,
      quantity: as(quantity),
      rate: as(rate),
      net: as(net),
      discount: as(own),
      tax: tax && {
        id: tax.id,
        name: tax.name,
        percent: as(tax.percent),
        kind: tax.kind,
        amount: tax.amount && as(tax.amount),
      },
    }),
  );
  const { net, tax, taxId, taxPercent } = document.shipping;
  const shipping = { net: as(net), tax: as(tax), taxId, taxPercent: taxPercent && as(taxPercent) };
  const sealed = {
    number,
    date,
    customer: customer.id,
    currency,
    exchangeRate,
    isTaxInclusive,
    lines,
    discount,
    shipping,
    adjustment,
    roundOff,
    total,
  };
  return sha256(JSON.stringify(sealed));
}
