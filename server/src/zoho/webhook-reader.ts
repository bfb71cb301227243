import { createHmac, timingSafeEqual } from 'node:crypto';
import { code, cut } from '@muhuri/shared/text';
import { decodeText } from '../platform/decode-text.ts';
import type { BooksWebhookBody, BooksWebhookReader } from '../ports/books-webhooks.ts';
import { type Json, parseJson } from './parse-json.ts';
import { text } from './json-fields.ts';
import { readTime } from './zoho-time.ts';

const isForm = (contentType: string) => contentType.toLowerCase().includes('x-www-form-urlencoded');
const byKey = (a: [string, string], b: [string, string]) =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;

/** The pair of the address that is ours: whose organization it is for. */
const ownKey = 'org';

type Fields = { [key: string]: Json };

/**
 * Zoho's workflow webhooks (zoho-books-api 6.2, 6.3), in every form a person can choose for them:
 * the default payload names the document under `invoice` or `creditnote` and no event; a form
 * carries it as `JSONString` or `payload`, or only the keys somebody chose; raw text is written as
 * they like, most often as a flat object. What people add to the address itself is looked at where
 * the body names nothing. What names no document is malformed, and somebody is to be told: only a
 * body without anything, at an address to which nothing was added, is a ping. The signature is
 * HMAC-SHA256 in lower-case hex over the query's pairs sorted by key, key and value without
 * separators, then the raw body; of a form its pairs are sorted among the query's instead.
 */
export const webhookReader: BooksWebhookReader = {
  read(raw, contentType, query = []) {
    const sent = decodeText(raw, contentType).trim();
    const added = query.filter(([key]) => key !== ownKey);
    const ofAddress = added.length > 0 ? findDocument(Object.fromEntries(added), 0) : null;
    if (sent === '' && added.length > 0)
      return (
        ofAddress ?? {
          is: 'malformed',
          field: 'query',
          reason: 'it names neither an invoice nor a credit note',
        }
      );
    if (sent === '') return { is: 'ping' };
    // Ids are text almost always; only one that came as a number needs the reader that keeps every
    // digit, which costs several times more.
    const body = quickly(sent) ?? parseJson(sent) ?? formOf(sent, contentType);
    if (!body) return { is: 'malformed', field: 'body', reason: `the body is ${nameOfForm(sent)}` };
    const found = findDocument(body, 0) ?? ofAddress;
    if (found) return found;
    const isEmpty = Object.entries(body).every(
      ([key, value]) =>
        wrappers.includes(key.toLowerCase()) && text(value) === '' && typeof value !== 'object',
    );
    return isEmpty && Object.keys(body).length > 0
      ? { is: 'ping' }
      : { is: 'malformed', field: 'body', reason: 'it names neither an invoice nor a credit note' };
  },
  isSigned({ query, raw, contentType, signature, secrets }) {
    const pairs = isForm(contentType)
      ? [...query, ...new URLSearchParams(raw.toString('utf8'))]
      : query;
    const head = [...pairs]
      .sort(byKey)
      .map(([key, value]) => key + value)
      .join('');
    const given = Buffer.from(signature.trim().toLowerCase());
    let isGood = false;
    // Every secret is tried, so that the time tells nothing about which one it was.
    for (const secret of secrets) {
      const hmac = createHmac('sha256', secret).update(head);
      if (!isForm(contentType)) hmac.update(raw);
      const expected = Buffer.from(hmac.digest('hex'));
      if (expected.length === given.length && timingSafeEqual(expected, given)) isGood = true;
    }
    return isGood;
  },
};

function quickly(body: string): Fields | null {
  try {
    const parsed = JSON.parse(body) as Fields | null;
    const document = parsed?.invoice ?? parsed?.creditnote;
    const named =
      document && typeof document === 'object' && !Array.isArray(document)
        ? (document.invoice_id ?? document.creditnote_id)
        : null;
    return typeof named === 'string' ? parsed : null;
  } catch {
    return null;
  }
}

/**
 * What a form says, by its keys. A body that calls itself something else is looked at as one too:
 * people choose types as they find them.
 */
function formOf(sent: string, contentType: string): Fields | null {
  if (!isForm(contentType) && !/^[^\s{[<="]+=/.test(sent)) return null;
  const pairs = [...new URLSearchParams(sent)];
  return pairs.length > 0 ? Object.fromEntries(pairs) : null;
}

/** Under what a whole payload is put. */
const wrappers = ['payload', 'jsonstring', 'data'];
const kinds = [
  ['creditnote', 'creditnotes'],
  ['invoice', 'invoices'],
] as const;

/**
 * The document a body names: under its kind, within a wrapper, or by its id among chosen keys. A
 * credit note may name its invoice beside itself.
 */
function findDocument(body: Fields, depth: number): BooksWebhookBody | null {
  for (const [kind, module] of kinds) {
    const named = object(body[kind]);
    if (named) return ofDocument(module, named, text(named[`${kind}_id`]));
  }
  for (const [key, value] of Object.entries(body)) {
    if (depth > 1 || !(wrappers.includes(key.toLowerCase()) || text(value).startsWith('{')))
      continue;
    const within = object(value) ?? (text(value) ? parseJson(text(value)) : null);
    const found = within && findDocument(within, depth + 1);
    if (found) return found;
  }
  return findChosen(body);
}

/** The document that a body names by its id among chosen keys. */
function findChosen(body: Fields): BooksWebhookBody | null {
  const chosen = new Map(Object.entries(body).map(([key, value]) => [plainKey(key), value]));
  // Beside an invoice's own id may stand that of the recurring one it was made by, or of a
  // retainer.
  const isOwn = (key: string) => !/^(?:recurring|retainer)/.test(key);
  const end = (name: string) =>
    chosen.get(name) ?? [...chosen].find(([key]) => key.endsWith(`_${name}`) && isOwn(key))?.[1];
  for (const [kind, module] of kinds) {
    const id = end(`${kind}_id`) ?? (kind === 'creditnote' ? end('credit_note_id') : undefined);
    if (id !== undefined)
      return ofDocument(
        module,
        { last_modified_time: end('last_modified_time') ?? null },
        text(id),
      );
  }
  return null;
}

const object = (value: Json | undefined): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;

/** `Invoice ID`, `INVOICE.INVOICE_ID` and `invoice[invoice_id]` as `invoice_id` at their end. */
const plainKey = (key: string): string =>
  key
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');

/** What was sent, where it is neither a JSON object nor a form of keys. */
function nameOfForm(sent: string): string {
  if (sent.startsWith('[')) return 'a list, not one document';
  if (/^--\S+\r?\n/.test(sent)) return 'multipart: choose the default payload or a form';
  return 'neither a JSON object nor a form';
}

function ofDocument(
  module: 'invoices' | 'creditnotes',
  document: Fields,
  named: string,
): BooksWebhookBody {
  const id = code(named);
  const field = module === 'invoices' ? 'invoice_id' : 'creditnote_id';
  if (id === '') return { is: 'malformed', field, reason: 'the document has no id' };
  if (!/^\d{1,25}$/.test(id))
    return { is: 'malformed', field, value: cut(id, 40), reason: 'the id is no number' };
  const modified = text(document.last_modified_time);
  const modifiedAt = modified ? readTime(modified) : null;
  return {
    is: 'document',
    module,
    id,
    modifiedAt: modifiedAt && modifiedAt.getTime() > 0 ? modifiedAt : null,
  };
}
