import type { BooksAccess } from './books.ts';

type Module = 'invoices' | 'creditnotes';

/** What stands on a document of what we write. */
export type Written = {
  fields: Record<string, string>;
  files: { name: string; isMailed: boolean }[];
  isEmailed: boolean;
  modifiedAt: Date | null;
};

/**
 * What Muhuri writes to a document it has sealed. Nothing of it touches an amount. Failures are
 * `books_…` problems.
 */
export type BooksWriting = {
  /** Null where the document is not there any more. */
  readWritten(access: BooksAccess, module: Module, id: string): Promise<Written | null>;
  writeFields(access: BooksAccess, id: string, values: Record<string, string>): Promise<void>;
  /**
   * Which fields a credit note has there, by their api names; it has the invoice's only where
   * somebody made them.
   */
  listNoteFields(access: BooksAccess): Promise<string[]>;
  /**
   * A credit note has no way to write its fields alone, so the whole note is given back as it was
   * read. False, and nothing is sent, where a line has no id to be named by: it would be deleted.
   * Throws `note_changed` where an amount or a line is another afterwards.
   */
  writeNoteFields(
    access: BooksAccess,
    id: string,
    values: Record<string, string>,
  ): Promise<boolean>;
  attach(
    access: BooksAccess,
    id: string,
    file: { name: string; bytes: Buffer; goesWithMail: boolean },
  ): Promise<void>;
  listComments(access: BooksAccess, module: Module, id: string): Promise<string[]>;
  comment(access: BooksAccess, module: Module, id: string, text: string): Promise<void>;
  /** Has the books mail the invoice to whom they would mail it; false where they know nobody. */
  mail(access: BooksAccess, id: string): Promise<boolean>;
};
