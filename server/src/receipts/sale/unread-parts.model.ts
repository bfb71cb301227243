import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument, Unread } from '../../model/books-document.model.ts';

/** What is asked of a person where that part of a document is missing, whatever the reason. */
const askedFor: Record<Unread, ProblemCode> = {
  contact: 'buyer_mobile_missing',
  payments: 'payment_method_missing',
  applied: 'refund_sale_missing',
};

/**
 * Which part, that the books failed to give, keeps a document from being sealed. Where nothing
 * depends on it (a buyer with a TIN needs no number, an answer stands for what the books would have
 * said) none does.
 */
export const findUnreadPart = (
  { unread = [] }: BooksDocument,
  findings: StoredProblem[],
): Unread | null =>
  unread.find((part) => findings.some(({ code }) => code === askedFor[part])) ?? null;

/** Whoever is asked is told that the books have it perhaps, and only fail to give it. */
export const sayUnread = (
  { unread = [] }: BooksDocument,
  findings: StoredProblem[],
): StoredProblem[] =>
  findings.map((each) =>
    unread.some((part) => askedFor[part] === each.code) ? { ...each, unread: true } : each,
  );
