import { listBranches } from '../../branches/index.ts';
import { type Business, getBusiness } from '../../businesses/index.ts';
import { readMappings } from '../../catalogue/index.ts';
import { findConnection } from '../../connections/index.ts';
import type { Context } from '../../context.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Books, BooksSource } from '../../ports/books.ts';
import { isOfOtherBooks } from '../receipt/document-organization.store.ts';
import { inFull } from '../sale/withheld-tax.model.ts';

/** A document as the books give it, and what the business has set up for it. */
export type ReadDocument = {
  document: BooksDocument;
  source: BooksSource;
  business: Business;
  mappings: Awaited<ReturnType<typeof readMappings>>;
  branches: Awaited<ReturnType<typeof listBranches>>;
};

/**
 * Reads a document with the business's own grant. Throws if the business is not connected, if the
 * document is of other books, or if the books do not have it.
 */
export async function readDocument(
  books: Books,
  ctx: Context,
  module: BooksDocument['module'],
  documentId: string,
): Promise<ReadDocument> {
  const { business, connection, isOfOthers, mappings, branches } = await ctx.transaction(
    async (tx) => {
      const living = await findConnection(tx);
      return {
        business: await getBusiness(tx),
        connection: living,
        isOfOthers:
          living !== null &&
          (await isOfOtherBooks(tx, { module, documentId }, living.organizationId)),
        mappings: await readMappings(tx),
        branches: await listBranches(tx),
      };
    },
  );
  if (!connection) throw new AppError('books_not_connected');
  // The other books are never asked: they do not have the document, and that would be taken for its
  // end.
  if (isOfOthers) throw new AppError('document_of_other_books', { field: 'document_id' });
  if (connection.status === 'needs_reconnecting') throw new AppError('books_reconnect');
  const source: BooksSource = {
    businessId: ctx.businessId,
    organizationId: connection.organizationId,
    grantId: connection.grantId,
    // A burst of webhooks must not use up the minute: what came in waits behind the people who sit
    // before a panel.
    purpose: ctx.actor.type === 'job' && ctx.actor.id === 'intake' ? 'sync' : 'sign',
    customFields: business.settings.custom_fields,
  };
  const read = await books.readDocument(source, module, documentId);
  if (read.is === 'missing') throw new AppError('document_unknown', { field: 'document_id' });
  return { document: inFull(read.document), source, business, mappings, branches };
}
