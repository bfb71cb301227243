import { getBusiness } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Books } from '../ports/books.ts';

export type BookNames = (ctx: Context, kind: string) => Promise<{ id: string; name: string }[]>;

/**
 * What the accounting system calls the things a mapping may be about, read now: nothing of it is
 * kept.
 */
export const readBookNames =
  (ports: { books: Books }): BookNames =>
  async (ctx, kind) => {
    if (kind !== 'tax' && kind !== 'item' && kind !== 'location') throw new AppError('not_found');
    const { business, connection } = await ctx.transaction(async (tx) => ({
      business: await getBusiness(tx),
      connection: await findConnection(tx),
    }));
    if (!connection) throw new AppError('books_not_connected');
    const { organizationId, grantId } = connection;
    return ports.books.readNames(
      {
        businessId: ctx.businessId,
        organizationId,
        grantId,
        purpose: 'sync',
        customFields: business.settings.custom_fields,
      },
      kind,
    );
  };
