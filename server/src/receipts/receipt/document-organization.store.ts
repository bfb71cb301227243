import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne } from '../../platform/db/query.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';

type Key = { module: BooksDocument['module']; documentId: string };

/**
 * Which organization's books a document is of: of those that gave it or, where that was not written
 * down, of those that were connected when it was first seen. Null where it was not seen yet.
 */
export const booksOf = (module: string, documentId: string): string => `
  (select case when k.organization_id is not null then k.organization_id
       else (select c.organization_id from connection c where c.created_at <= k.first_seen order by c.created_at desc, c.id desc limit 1) end
     from (select (select o.organization_id from document o where o.module = ${module} and o.document_id = ${documentId}) as organization_id,
       least((select o.seen_at from document o where o.module = ${module} and o.document_id = ${documentId}),
         (select min(o.opened_at) from receipt o where o.module = ${module} and o.document_id = ${documentId})) as first_seen) k)`;

/**
 * Whether a document is of other books than these. Of such a document these know nothing: that they
 * do not have it says nothing of it.
 */
export async function isOfOtherBooks(
  tx: Tx,
  { module, documentId }: Key,
  organizationId: string,
): Promise<boolean> {
  const row = await queryOne<{ books: string | null }>(
    tx,
    `select ${booksOf('$1', '$2')} as books`,
    [module, documentId],
  );
  return row !== null && row.books !== null && row.books !== organizationId;
}

/** These books have given it. */
export const keepBooksOf = (tx: Tx, { module, documentId }: Key, organizationId: string) =>
  query(
    tx,
    'update document set organization_id = $3 where module = $1 and document_id = $2 and organization_id is distinct from $3',
    [module, documentId, organizationId],
  );
