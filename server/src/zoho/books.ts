import type { Clock } from '../platform/clock.ts';
import type { Books, ReadDocument } from '../ports/books.ts';
import { documentReader } from './books-document.ts';
import type { ZohoClient } from './client.ts';
import { list, text } from './json-fields.ts';
import { listModified } from './list-modified.ts';

/**
 * Zoho Books in our words. `countries`: where the people on its documents are called by numbers
 * without a country's code.
 */
export function zohoBooks(client: ZohoClient, clock: Clock, countries: string[]): Books {
  const read = documentReader(client, clock, countries);
  const flying = new Map<string, Promise<ReadDocument>>();
  return {
    /**
     * Calls for the same document at once share one reading: two clicks cost one call of the
     * organization's minute.
     */
    readDocument(source, module, id) {
      const key = `${source.organizationId}/${source.grantId}/${module}/${id}/${JSON.stringify(source.customFields)}`;
      const running = flying.get(key) ?? read(source, module, id).finally(() => flying.delete(key));
      flying.set(key, running);
      return running;
    },
    listModified: listModified(client),
    async readRecent(source, limit) {
      const answer = await client.get(source, '/invoices', {
        per_page: String(limit),
        sort_column: 'date',
        sort_order: 'D',
      });
      if (answer.is === 'missing') return [];
      return list(answer.body.invoices).map((row) => ({
        id: text(row.invoice_id),
        number: text(row.invoice_number),
        status: text(row.status),
      }));
    },
    async readNames(source, kind) {
      const [path, key, idKey, nameKey] = (
        {
          tax: ['/settings/taxes', 'taxes', 'tax_id', 'tax_name'],
          item: ['/items', 'items', 'item_id', 'name'],
          location: ['/locations', 'locations', 'location_id', 'location_name'],
        } as const
      )[kind];
      const answer = await client.get(source, path, { per_page: '200' });
      if (answer.is === 'missing') return [];
      return list(answer.body[key]).map((row) => ({
        id: text(row[idKey]),
        name: text(row[nameKey]),
      }));
    },
  };
}
