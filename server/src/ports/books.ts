import type { BooksDocument } from '../model/books-document.model.ts';

export type ReadDocument = { is: 'found'; document: BooksDocument } | { is: 'missing' };

/**
 * What a call is for; where calls are short, the more urgent goes first and less is kept back from
 * it.
 */
export type Purpose = 'sign' | 'write_back' | 'sync';

/**
 * One call that was made, for the record and for the health of the organization. `status` null: no
 * answer.
 */
export type CallMade = {
  businessId: string;
  organizationId: string;
  at: Date;
  purpose: Purpose;
  method: string;
  endpoint: string;
  status: number | null;
  zohoCode: string | null;
  ms: number;
};

/** Which organization to read, and with whose permission: a call without one cannot be written. */
export type BooksAccess = {
  businessId: string;
  organizationId: string;
  grantId: string;
  purpose: Purpose;
};
export type BooksSource = BooksAccess & {
  customFields: { buyer_tin: string; purchase_code: string };
};

/** A row of a list: enough to say what a document is, not to seal it. */
export type ListedDocument = {
  module: BooksDocument['module'];
  id: string;
  number: string;
  date: string;
  status: string;
  customer: { id: string; name: string };
  currency: string;
  total: string;
  locationId: string | null;
  createdAt: Date | null;
  modifiedAt: Date;
};

/**
 * A row of a list that cannot be taken as it is: what could be made out of it, and what is wrong.
 */
export type UnreadableRow = { id: string | null; number: string; date: string; field: string };

/**
 * An accounting system, in our words. Failures are `AppError`s with a `books_…` code; nothing is
 * guessed.
 */
export type Books = {
  readDocument(
    source: BooksSource,
    module: BooksDocument['module'],
    id: string,
  ): Promise<ReadDocument>;
  /**
   * Documents changed at or after a moment, the latest change first, each once; null: all of them.
   * Stops after `max`, and says so. A row that cannot be read is named by its id and what is wrong
   * with it, or counted where it has none: it takes no other row along.
   */
  listModified(
    source: BooksAccess,
    module: BooksDocument['module'],
    since: Date | null,
    max: number,
  ): Promise<{ rows: ListedDocument[]; unreadable: UnreadableRow[]; isWhole: boolean }>;
  /** The latest invoices, for choosing one by eye. */
  readRecent(
    source: BooksSource,
    limit: number,
  ): Promise<{ id: string; number: string; status: string }[]>;
  /** Names of the taxes, items, locations and payment modes that a mapping may be about. */
  readNames(
    source: BooksSource,
    kind: 'tax' | 'item' | 'location',
  ): Promise<{ id: string; name: string }[]>;
};
