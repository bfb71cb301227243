import type { BooksWriting } from '../ports/books-writing.ts';
import type { ZohoClient } from './client.ts';
import { list, text } from './read-document.ts';
import { readTime } from './zoho-time.ts';
import type { Json } from './parse-json.ts';

type Fields = { [key: string]: Json };

/** Zoho's ways to write to a document without touching what it says (zoho-books-api 5, 5.1). */
export const booksWriting = (client: ZohoClient): BooksWriting => ({
  async readWritten(access, module, id) {
    const answer = await client.get(access, `/${module}/${id}`);
    if (answer.is === 'missing') return null;
    const raw = (answer.body[module === 'invoices' ? 'invoice' : 'creditnote'] ?? {}) as Fields;
    const fields = Object.fromEntries(list(raw.custom_fields).map((each) => [text(each.api_name), text(each.value)]));
    return {
      fields,
      files: list(raw.documents).map((each) => ({ name: text(each.file_name), isMailed: each.can_send_in_mail === true })),
      isEmailed: raw.is_emailed === true,
      modifiedAt: text(raw.last_modified_time) ? readTime(text(raw.last_modified_time)) : null,
    };
  },
  // The path is singular, and the body wrapped, as every client seen sends it; a name Zoho does not know it passes over without a word.
  async writeFields(access, id, values) {
    await client.call(access, {
      method: 'PUT',
      path: `/invoice/${id}/customfields`,
      json: { custom_fields: Object.entries(values).map(([api_name, value]) => ({ api_name, value })) },
    });
  },
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
    return answer.is === 'missing' ? [] : list(answer.body.comments).map((each) => text(each.description));
  },
  async comment(access, module, id, description) {
    await client.call(access, { method: 'POST', path: `/${module}/${id}/comments`, json: { description, show_comment_to_clients: false } });
  },
  async mail(access, id) {
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
      json: { to_mail_ids: to, subject: text(data.subject), body: text(data.body), send_attachment: true },
    });
    return true;
  },
});
