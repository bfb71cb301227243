import { compare } from '@muhuri/shared/money';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Draft } from './sale-draft.model.ts';
import type { Answers, Setup } from './sale-setup.model.ts';
import type { Foreign, Sale } from '../../model/sale.model.ts';

export function foreignOf(
  document: BooksDocument,
  setup: Pick<Setup, 'currency'>,
  refunded: Sale | null,
): Foreign | null {
  if (document.currency === setup.currency) return null;
  const { currency, total } = document;
  const sold = refunded?.foreign;
  if (sold)
    return {
      currency,
      exchangeRate: sold.exchangeRate,
      total,
      rateDate: sold.rateDate ?? (refunded as Sale).documentDate,
      rateSource: 'sale',
    };
  return {
    currency,
    exchangeRate: document.exchangeRate,
    total,
    rateDate: document.date,
    rateSource: 'document',
  };
}

export function buyerOf(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
  refunded: Sale | null,
): Sale['buyer'] {
  // The authority wants a refund to name the buyer of its sale, with the same purchase code.
  if (refunded) return refunded.buyer;
  const given = (answer: string | undefined, known: string | null) =>
    answer !== undefined && answer !== '' ? answer : known;
  const taxpayerId = given(answers.buyer_tin, document.buyer.taxpayerId);
  const mobile = given(answers.buyer_mobile, document.buyer.mobile);
  return {
    name: document.customer.name,
    taxpayerId,
    purchaseCode: given(answers.purchase_code, document.buyer.purchaseCode),
    // What is no number is said where a number is needed, and left out where it is not.
    mobile:
      mobile === null ? null : (setup.readPhone(mobile) ?? (taxpayerId === null ? mobile : null)),
  };
}

/** Returns the authority's code of how the document is paid, or null with a finding. */
export function paymentMethodOf({
  document,
  setup,
  answers,
  refunded,
  findings,
}: Draft): string | null {
  const field = 'payment_method';
  if (answers.payment_method) {
    if (setup.hasCode('payment_method', answers.payment_method)) return answers.payment_method;
    findings.push({ code: 'payment_method_unknown', field });
    return null;
  }
  const found = knownPaymentMethod(document, setup, refunded);
  if (found === null)
    findings.push({ code: 'payment_method_missing', field, modes: document.paymentModes });
  return found;
}

/**
 * Unpaid means credit; paid by one mapped mode means that method; anything else a person must say.
 */
export function knownPaymentMethod(
  document: BooksDocument,
  setup: Setup,
  refunded: Sale | null,
): string | null {
  if (refunded) return refunded.paymentMethod;
  // What nobody could read is not nothing.
  if (document.unread?.includes('payments')) return null;
  if (document.paymentModes.length === 0 && compare(document.balance, '0') > 0)
    return setup.creditMethod;
  const methods = new Set(document.paymentModes.map((mode) => setup.paymentModes[mode] ?? null));
  if (compare(document.balance, '0') > 0 || methods.size !== 1) return null;
  return [...methods][0] ?? null;
}
