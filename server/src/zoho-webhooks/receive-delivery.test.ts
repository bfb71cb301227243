import { expect, test } from 'vitest';
import type { BooksWebhookBody, BooksWebhookReader } from '../ports/books-webhooks.ts';
import { judge } from './receive-delivery.ts';

const document: BooksWebhookBody = {
  is: 'document',
  module: 'invoices',
  id: '7',
  modifiedAt: null,
};
const unread: BooksWebhookBody = {
  is: 'malformed',
  reason: 'no id',
  field: 'invoice.invoice_id',
  value: 'seven',
};
const address = {
  hook: { module: 'invoices' as const },
  organizationId: '42' as string | null,
  secrets: ['secret'],
};
const received = {
  query: [['org', '42']] as [string, string][],
  raw: Buffer.from('{}'),
  contentType: 'text/plain; charset=utf-8',
  signature: 'right',
};

/** Says `right` signatures are made with any secret, and notes whether the body was read. */
function readerOf(body: BooksWebhookBody): BooksWebhookReader & { hasRead: boolean } {
  const reader = {
    hasRead: false,
    read() {
      reader.hasRead = true;
      return body;
    },
    isSigned: ({ signature }: { signature: string }) => signature === 'right',
  };
  return reader;
}

test.each([
  ['of no organization', {}, { query: [] }, document, 'foreign'],
  ['of another organization', {}, { query: [['org', '43']] }, document, 'foreign'],
  ['to a business that is not connected', { organizationId: null }, {}, document, 'foreign'],
  ['to one, naming nothing', { organizationId: '' }, { query: [['org', '']] }, document, 'foreign'],
  ['with a wrong signature', {}, { signature: 'wrong' }, document, 'forged'],
  ['a test', {}, {}, { is: 'ping' }, 'ping'],
  ['that nobody can read', {}, {}, unread, 'malformed'],
  ['of the other kind', {}, {}, { ...document, module: 'creditnotes' }, 'malformed'],
])('a delivery %s is refused', (_what, known, sent, body, refused) => {
  const judged = judge(
    readerOf(body as BooksWebhookBody),
    { ...address, ...known },
    { ...received, ...(sent as Partial<typeof received>) },
  );
  expect(judged).toMatchObject({ refused });
});

test.each([
  ['of another organization', { query: [] }],
  ['with a wrong signature', { signature: 'wrong' }],
])('the body of a delivery %s is not read', (_what, sent) => {
  const reader = readerOf(document);
  judge(reader, address, { ...received, ...sent });
  expect(reader.hasRead).toBe(false);
});

test('what could not be read is said with the field, what stood there and how it was sent', () => {
  expect(judge(readerOf(unread), address, received)).toEqual({
    refused: 'malformed',
    unread: { field: 'invoice.invoice_id', sent_as: 'text/plain', value: 'seven' },
  });
});

test.each([
  ['signed, with a secret', address, 'right', true],
  ['with no secret to be signed by', { ...address, secrets: [] }, 'right', false],
])('a delivery %s is taken', (_what, known, signature, isSigned) => {
  expect(judge(readerOf(document), known, { ...received, signature })).toEqual({
    organizationId: '42',
    document,
    isSigned,
  });
});
