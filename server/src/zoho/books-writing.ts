import { AppError } from '../platform/app-error.ts';
import type { BooksAccess } from '../ports/books.ts';
import type { BooksWriting } from '../ports/books-writing.ts';
import type { ZohoClient } from './client.ts';
import { list, text } from './json-fields.ts';
import { readTime } from './zoho-time.ts';
import type { Json } from './parse-json.ts';

type Fields = { [key: string]: Json };

/** Zoho's ways to write to a document without touching what it says (zoho-books-api 5, 5.1). */
export const booksWriting = (client: ZohoClient): BooksWriting => ({
  async readWritten(access, module, id) {
    const answer = await client.get(access, `/${module}/${id}`);
    if (answer.is === 'missing') return null;
    const raw = (answer.body[module === 'invoices' ? 'invoice' : 'creditnote'] ?? {}) as Fields;
    const fields = Object.fromEntries(
      list(raw.custom_fields).map((each) => [text(each.api_name), text(each.value)]),
    );
    return {
      fields,
      files: list(raw.documents).map((each) => ({
        name: text(each.file_name),
        isMailed: each.can_send_in_mail === true,
      })),
      isEmailed: raw.is_emailed === true,
      modifiedAt: text(raw.last_modified_time) ? readTime(text(raw.last_modified_time)) : null,
    };
  },
  // The path is singular, and the body wrapped, as every client seen sends it; a name Zoho does not
  // know it passes over without a word.
  async writeFields(access, id, values) {
    await client.call(access, {
      method: 'PUT',
      path: `/invoice/${id}/customfields`,
      json: {
        custom_fields: Object.entries(values).map(([api_name, value]) => ({ api_name, value })),
      },
    });
  },
  async listNoteFields(access) {
    const answer = await client.get(access, '/settings/fields', { entity: 'creditnote' });
    return answer.is === 'missing'
      ? []
      : list(answer.body.fields).map((each) => text(each.api_name));
  },
  writeNoteFields: (access, id, values) => writeNoteFields(client, access, id, values),
  async attach(access, id, { name, bytes, goesWithMail }) {
    await client.call(access, {
      method: 'POST',
      path: `/invoices/${id}/attachment`,
      query: { can_send_in_mail: String(goesWithMail) },
      file: { part: 'attachment', name, type: 'application/pdf', bytes },
    });
  },
  async listComments(access, module, id) {
    const answer = await client.get(access, `/${module}/${id}/comments`);
    return answer.is === 'missing'
      ? []
      : list(answer.body.comments).map((each) => text(each.description));
  },
  async comment(access, module, id, description) {
    await client.call(access, {
      method: 'POST',
      path: `/${module}/${id}/comments`,
      json: { description, show_comment_to_clients: false },
    });
  },
  mail: (access, id) => mail(client, access, id),
});

/**
 * Writes fields of a credit note by giving the whole note back. A line that is not given back is
 * deleted, and one without its id would be made again (zoho-books-api 4.8, 4.9).
 */
async function writeNoteFields(
  client: ZohoClient,
  access: BooksAccess,
  id: string,
  values: Record<string, string>,
): Promise<boolean> {
  const before = await readNote(client, access, id);
  if (!before) return false;
  const lines = list(before.line_items);
  if (lines.length === 0 || lines.some((line) => text(line.line_item_id) === '')) return false;
  await client.call(access, {
    method: 'PUT',
    path: `/creditnotes/${id}`,
    json: {
      ...echo(before, ['customer_id', 'date', 'creditnote_number']),
      line_items: lines.map((line) => echo(line, echoed)),
      custom_fields: Object.entries(values).map(([api_name, value]) => ({ api_name, value })),
    },
  });
  const after = await readNote(client, access, id);
  if (!after || amountsOf(after) !== amountsOf(before))
    throw new AppError('note_changed', { document_id: id });
  return true;
}

/** Has Zoho mail an invoice to its contacts; says whether there is anybody to mail it to. */
async function mail(client: ZohoClient, access: BooksAccess, id: string): Promise<boolean> {
  const usual = await client.get(access, `/invoices/${id}/email`);
  const data = usual.is === 'found' ? ((usual.body.data ?? {}) as Fields) : {};
  const to = list(data.to_contacts)
    .filter((each) => each.selected !== false)
    .map((each) => text(each.email))
    .filter(Boolean);
  if (to.length === 0) return false;
  await client.call(access, {
    method: 'POST',
    path: `/invoices/${id}/email`,
    // A mail's text is Zoho's own and goes back as it is, with its lines.
    json: {
      to_mail_ids: to,
      subject: text(data.subject),
      body: data.body ?? '',
      send_attachment: true,
    },
  });
  return true;
}

/**
 * What a line says, as it goes back. What is not among it Zoho makes out itself: amounts, names of
 * taxes and accounts.
 */
const echoed = [
  'line_item_id',
  'item_id',
  'name',
  'description',
  'rate',
  'quantity',
  'unit',
  'tax_id',
  'tax_exemption_id',
  'discount',
  'item_order',
  'header_id',
  'header_name',
  'account_id',
  'location_id',
  'project_id',
];
const numeric = ['rate', 'quantity', 'discount', 'item_order'];

const echo = (from: Fields, keys: string[]): Record<string, unknown> =>
  Object.fromEntries(
    keys
      .filter((key) => from[key] !== undefined && from[key] !== null && from[key] !== '')
      // The very digits that were read: an amount never passes through a binary number.
      .map((key) => [
        key,
        numeric.includes(key) && isNumber(from[key]) ? rawJson(text(from[key])) : from[key],
      ]),
  );
/** Not in the compiler's library yet. */
const rawJson = (JSON as unknown as { rawJSON(digits: string): unknown }).rawJSON;
const isNumber = (value: Json | undefined): boolean => /^-?\d+(?:\.\d+)?$/.test(text(value));

async function readNote(
  client: ZohoClient,
  access: BooksAccess,
  id: string,
): Promise<Fields | null> {
  const answer = await client.get(access, `/creditnotes/${id}`);
  return answer.is === 'missing' ? null : ((answer.body.creditnote ?? {}) as Fields);
}

/** Everything of a note that is money or carries it, in one text to be compared. */
const amountsOf = (note: Fields): string =>
  JSON.stringify([
    ...[
      'total',
      'sub_total',
      'tax_total',
      'discount_total',
      'adjustment',
      'currency_code',
      'exchange_rate',
      'customer_id',
      'date',
      'status',
    ].map((key) => text(note[key])),
    list(note.line_items).map((line) =>
      [
        'line_item_id',
        'item_id',
        'name',
        'quantity',
        'rate',
        'discount',
        'tax_id',
        'item_total',
      ].map((key) => text(line[key])),
    ),
  ]);
