import { AppError } from '../platform/app-error.ts';
import type { Books, ListedDocument, UnreadableRow } from '../ports/books.ts';
import type { ZohoAnswer, ZohoClient } from './client.ts';
import { amountIn, list, text, word } from './json-fields.ts';
import type { Json } from './parse-json.ts';
import { dayIn, madeAt, readTime, zohoTime } from './zoho-time.ts';

/** Lists what changed since a moment, the newest first, page by page. */
export const listModified =
  (client: ZohoClient): Books['listModified'] =>
  async (source, module, since, max) => {
    // By id: between two pages a row may move to the next one, and stand on both.
    const rows = new Map<string, ListedDocument>();
    const unreadable = new Map<string | number, UnreadableRow>();
    const all = (isWhole: boolean) => ({
      rows: [...rows.values()],
      unreadable: [...unreadable.values()].filter((each) => !each.id || !rows.has(each.id)),
      isWhole,
    });
    for (let page = 1; ; page++) {
      const answer = await client.get(source, `/${module}`, {
        per_page: '200',
        page: String(page),
        sort_column: 'last_modified_time',
        sort_order: 'D',
        ...(since ? { last_modified_time: zohoTime(since) } : {}),
      });
      if (answer.is === 'missing') return all(true);
      const found: ListedDocument[] = [];
      for (const row of rowsIn(answer, module)) {
        const read = listed(module, row, answer.aheadMs ?? 0);
        if ('field' in read) unreadable.set(read.id ?? unreadable.size, read);
        else found.push(read);
      }
      // A filter Zoho did not understand is passed over without a word; then the order alone must
      // tell where to stop.
      const fresh = found.filter((each) => !since || each.modifiedAt >= since);
      for (const each of fresh.slice(0, max - rows.size))
        if (!rows.has(each.id)) rows.set(each.id, each);
      if (isLastPage(answer, found, fresh)) return all(true);
      if (rows.size >= max) return all(false);
    }
  };

type Found = ZohoAnswer & { is: 'found' };

function rowsIn({ body }: Found, module: ListedDocument['module']): Json[] {
  const given = body[module];
  if (!Array.isArray(given)) throw new AppError('books_unavailable', {}, 'no list in the answer');
  return given;
}

/** Whether nothing that is asked for can stand on a later page. */
function isLastPage({ body }: Found, found: ListedDocument[], fresh: ListedDocument[]): boolean {
  const { page_context: context } = body as {
    page_context?: { has_more_page?: Json; search_criteria?: Json };
  };
  const isFiltered = list(context?.search_criteria).some(
    (each) => text(each.column_name) === 'last_modified_time',
  );
  const isSorted = found.every(
    (each, i) => i === 0 || each.modifiedAt <= (found[i - 1] as ListedDocument).modifiedAt,
  );
  const isPast = !isFiltered && isSorted && fresh.length < found.length;
  return context?.has_more_page !== true || isPast;
}

/** A row of a list, or what keeps it from being one. */
function listed(
  module: ListedDocument['module'],
  given: Json,
  aheadMs: number,
): ListedDocument | UnreadableRow {
  const [row = {}] = list([given]);
  const idKey = module === 'invoices' ? 'invoice_id' : 'creditnote_id';
  const id = text(row[idKey]);
  const number = text(row[module === 'invoices' ? 'invoice_number' : 'creditnote_number']);
  const [date, modifiedAt] = [
    dayIn(text(row.date)) ?? text(row.date),
    readTime(text(row.last_modified_time)),
  ];
  const total =
    typeof row.total !== 'object' && typeof row.total !== 'boolean' && text(row.total) === ''
      ? '0'
      : amountIn(row.total);
  const odd = (field: string) => ({ id, number, date: dayIn(date) ?? '', field });
  if (!/^\d{1,25}$/.test(id)) return { ...odd(idKey), id: null };
  if (date !== '' && dayIn(date) === null) return odd('date');
  if (total === null) return odd('total');
  if (modifiedAt.getTime() === 0) return odd('last_modified_time');
  return {
    module,
    id,
    number,
    date,
    status: word(row.status),
    customer: { id: text(row.customer_id), name: text(row.customer_name) },
    currency: text(row.currency_code).toUpperCase(),
    total,
    locationId: text(row.location_id) || text(row.branch_id) || null,
    createdAt: madeAt(text(row.created_time), aheadMs),
    modifiedAt,
  };
}
