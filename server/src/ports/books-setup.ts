import type { BooksAccess } from './books.ts';

export type Entity = 'invoice' | 'creditnote';
type Field = { id: string; apiName: string; label: string };

/**
 * What Muhuri may set up in the books of a private installation, and take away again. Failures are
 * `books_…` problems.
 */
export type BooksSetup = {
  listFields(access: BooksAccess, entity: Entity): Promise<Field[]>;
  createField(
    access: BooksAccess,
    ask: { entity: Entity; label: string; type: 'string' | 'url' },
  ): Promise<Field>;
  /** By their names, so that one made before is found again instead of made twice. */
  listWebhooks(access: BooksAccess): Promise<{ id: string; name: string }[]>;
  createWebhook(
    access: BooksAccess,
    ask: { name: string; entity: Entity; url: string; secret: string },
  ): Promise<string>;
  deleteWebhook(access: BooksAccess, id: string): Promise<void>;
  createWorkflow(
    access: BooksAccess,
    ask: { name: string; entity: Entity; webhookId: string },
  ): Promise<string>;
  deleteWorkflow(access: BooksAccess, id: string): Promise<void>;
};
