import type { BooksAccess } from './books.ts';

/**
 * A user of an organization, as the accounting system knows them. `role`: its own word, `admin` and
 * `staff` being the usual ones.
 */
export type BooksUser = {
  id: string;
  name: string;
  email: string;
  role: string;
  isActive: boolean;
};

/** Who works in an organization. Failures are `AppError`s with a `books_…` code. */
export type BooksPeople = {
  /** Whose token this is in that organization; null where it is nobody there. */
  whoIs(access: BooksAccess, as: { token: string; apiDomain: string }): Promise<BooksUser | null>;
  /** What the organization calls itself, where that person may know; else null. */
  organizationName(
    access: BooksAccess,
    as: { token: string; apiDomain: string },
  ): Promise<string | null>;
  /**
   * The user of that id, asked with the organization's own permission; null where there is none any
   * more.
   */
  find(access: BooksAccess, id: string): Promise<BooksUser | null>;
};
