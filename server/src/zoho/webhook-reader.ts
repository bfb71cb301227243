import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HookBody, WebhookReader } from '../ports/webhooks.ts';
import { type Json, parseJson } from './parse-json.ts';
import { text } from './read-document.ts';
import { readTime } from './zoho-time.ts';

const isForm = (contentType: string) => contentType.toLowerCase().includes('x-www-form-urlencoded');
const byKey = (a: [string, string], b: [string, string]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/**
 * Zoho's workflow webhooks (zoho-books-api 6.2, 6.3): the default payload names the document under `invoice` or `creditnote` and no event;
 * a form carries it as `JSONString`. The signature is HMAC-SHA256 in lower-case hex over the query's pairs sorted by key, key and value
 * without separators, then the raw body; of a form its pairs are sorted among the query's instead.
 */
export const webhookReader: WebhookReader = {
  read(raw, contentType) {
    const sent = raw.toString('utf8');
    const body = isForm(contentType) ? (new URLSearchParams(sent).get('JSONString') ?? '') : sent;
    if (body.trim() === '') return { is: 'ping' };
    // Ids are text almost always; only one that came as a number needs the reader that keeps every digit, which costs several times more.
    const parsed = quickly(body) ?? parseJson(body);
    if (!parsed) return { is: 'malformed', reason: 'the body is no JSON object' };
    for (const [key, module, idKey] of [
      ['invoice', 'invoices', 'invoice_id'],
      ['creditnote', 'creditnotes', 'creditnote_id'],
    ] as const) {
      const document = parsed[key];
      if (typeof document !== 'object' || document === null || Array.isArray(document)) continue;
      return ofDocument(module, document, text(document[idKey]));
    }
    return 'payload' in parsed && parsed.payload === '' ? { is: 'ping' } : { is: 'malformed', reason: 'it names neither an invoice nor a credit note' };
  },
  isSigned({ query, raw, contentType, signature, secrets }) {
    const pairs = isForm(contentType) ? [...query, ...new URLSearchParams(raw.toString('utf8'))] : query;
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

function quickly(body: string): { [key: string]: Json } | null {
  try {
    const parsed = JSON.parse(body) as { [key: string]: Json } | null;
    const document = parsed?.invoice ?? parsed?.creditnote;
    const named = document && typeof document === 'object' && !Array.isArray(document) ? (document.invoice_id ?? document.creditnote_id) : null;
    return typeof named === 'string' ? parsed : null;
  } catch {
    return null;
  }
}

function ofDocument(module: 'invoices' | 'creditnotes', document: { [key: string]: Json }, id: string): HookBody {
  if (!/^\d{1,25}$/.test(id)) return { is: 'malformed', reason: 'the document has no id' };
  const modified = text(document.last_modified_time);
  const modifiedAt = modified ? readTime(modified) : null;
  return { is: 'document', module, id, modifiedAt: modifiedAt && modifiedAt.getTime() > 0 ? modifiedAt : null };
}
