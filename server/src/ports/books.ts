import type { BooksDocument } from '../receipts/document.model.ts';

export type ReadDocument = { is: 'found'; document: BooksDocument } | { is: 'missing' };

/** Which organization to read, and with whose permission: a call without one cannot be written. */
export type BooksSource = { organizationId: string; grantId: string; customFields: { buyer_tin: string; purchase_code: string } };

/** An accounting system, in our words. Failures are `AppError`s with a `zoho_…` code; nothing is guessed. */
export type Books = {
  readDocument(source: BooksSource, module: BooksDocument['module'], id: string): Promise<ReadDocument>;
  /** The latest invoices, for choosing one by eye. */
  readRecent(source: BooksSource, limit: number): Promise<{ id: string; number: string; status: string }[]>;
  /** Names of the taxes, items, locations and payment modes that a mapping may be about. */
  readNames(source: BooksSource, kind: 'tax' | 'item' | 'location'): Promise<{ id: string; name: string }[]>;
};
