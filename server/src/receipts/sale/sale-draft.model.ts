import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import type { Kept, Shape } from './check-document.model.ts';
import type { Answers, Setup } from './sale-setup.model.ts';

/** A document on its way to a sale: what it is priced from, and what is found on the way. */
export type Draft = {
  document: BooksDocument;
  lines: Kept[];
  shape: Shape;
  setup: Setup;
  answers: Answers;
  refunded: Sale | null;
  findings: StoredProblem[];
};
