import { describe, expect, test } from 'vitest';
import { webhookReader } from './webhook-reader.ts';

const secret = 'zohobookssecret12';
const json = 'application/json;charset=UTF-8';
const invoice = '{"invoice":{"invoice_id":"982000000567114","status":"sent"}}';
const signed = (
  query: [string, string][],
  body: string,
  signature: string,
  secrets = [secret],
  contentType = json,
) => webhookReader.isSigned({ query, raw: Buffer.from(body), contentType, signature, secrets });

describe('a webhook’s signature', () => {
  // Zoho's own example string, and two of our making; the digests are computed from its
  // documentation, none was recorded from Zoho.
  test.each([
    [
      [
        ['name', 'basic'],
        ['subscription_id', '90343'],
      ] as [string, string][],
      '{"created_date":"2019-03-06","event_id":"5675"}',
      'dac6b2c6fd7946db348d2d8e45039321cfb5048d3bfaeb63b15783f001114692',
    ],
    [
      [] as [string, string][],
      invoice,
      'a33acc7ebb4bd35b469145d6d16e71e68e812be502493ee591f87f4973ab3788',
    ],
    [
      [
        ['v', '1'],
        ['org', 'acme'],
      ] as [string, string][],
      invoice,
      '314f1024c92bcbe762e51ed29a9e7870736959529e57d5820bdbae6c0eab4187',
    ],
  ])('is over the sorted query and the raw body', (query, body, digest) => {
    expect(signed(query, body, digest)).toBe(true);
    expect(signed(query, body, digest.toUpperCase())).toBe(true);
    expect(signed(query, `${body} `, digest)).toBe(false);
    expect(signed([...query, ['x', '1']], body, digest)).toBe(false);
    expect(
      signed(
        query,
        body,
        digest.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      ),
    ).toBe(false);
    expect(signed(query, body, '')).toBe(false);
    expect(signed(query, body, digest, ['another1234567', secret])).toBe(true);
    expect(signed(query, body, digest, [])).toBe(false);
  });
});

describe('a webhook’s body', () => {
  const read = (body: string, contentType = json) =>
    webhookReader.read(Buffer.from(body), contentType);
  test('names a document as text or as a number beyond 2^53, in JSON or in a form', () => {
    const expected = { is: 'document', module: 'invoices', id: '982000000567114' };
    expect(read(invoice)).toMatchObject(expected);
    expect(read('{"invoice":{"invoice_id":98200000056711499123}}')).toMatchObject({
      id: '98200000056711499123',
    });
    expect(
      read(`JSONString=${encodeURIComponent(invoice)}`, 'application/x-www-form-urlencoded'),
    ).toMatchObject(expected);
    // An invoice that a recurring one made names both, and most others name none there.
    const form = 'application/x-www-form-urlencoded';
    expect(read('recurring_invoice_id=&invoice_id=982000000567114', form)).toMatchObject(expected);
    expect(read('{"recurring_invoice_id":"77","invoice_id":"982000000567114"}')).toMatchObject(
      expected,
    );
    expect(read('{"retainer_invoice_id":"77"}')).toMatchObject({ is: 'malformed' });
    expect(
      read('{"creditnote":{"creditnote_id":"5","last_modified_time":"2026-11-20T09:30:00+0200"}}'),
    ).toEqual({
      is: 'document',
      module: 'creditnotes',
      id: '5',
      modifiedAt: new Date('2026-11-20T07:30:00Z'),
    });
  });

  const form = 'application/x-www-form-urlencoded';
  const id = '982000000567114';
  test.each([
    ['chosen keys', 'invoice_id=982000000567114&status=sent', form],
    ['chosen keys in any order and spelling', 'status=sent&Invoice%20ID=982000000567114', form],
    ['chosen keys named as Zoho names them', 'INVOICE.INVOICE_ID=982000000567114', form],
    ['chosen keys in brackets', 'invoice%5Binvoice_id%5D=982000000567114', form],
    [
      'chosen keys that call themselves text',
      'invoice_id=982000000567114&status=sent',
      'text/plain',
    ],
    ['a payload in a form', `payload=${encodeURIComponent(invoice)}`, form],
    ['a JSONString in a form', `JSONString=${encodeURIComponent(invoice)}&x=1`, form],
    ['a payload under a key of somebody’s own', `body=${encodeURIComponent(invoice)}`, form],
    ['JSON that calls itself a form', invoice, form],
    ['JSON that calls itself text', invoice, 'text/plain'],
    ['a flat object', '{"invoice_id":"982000000567114","status":"sent"}', json],
    ['a flat object with a number', '{"invoice_id":982000000567114}', json],
    ['a payload within an object', JSON.stringify({ payload: JSON.parse(invoice) }), json],
    ['a payload as text within an object', JSON.stringify({ JSONString: invoice }), json],
    ['an id between blanks', '{"invoice":{"invoice_id":" 982000000567114\\r\\n"}}', json],
  ])('names its document in the form of %s', (_name, body, contentType) => {
    expect(read(body, contentType)).toMatchObject({ is: 'document', module: 'invoices', id });
  });

  test.each(['\ufeff', ''])('is read in UTF-8 and UTF-16, with a mark and without', (mark) => {
    for (const encoding of ['utf8', 'utf16le'] as const)
      expect(webhookReader.read(Buffer.from(`${mark}${invoice}`, encoding), json)).toMatchObject({
        is: 'document',
        id,
      });
  });

  test('keeps the time of change among chosen keys, and knows a credit note that names its invoice', () => {
    expect(
      read(
        'creditnote_id=77&invoice_id=982000000567114&last_modified_time=2026-11-20T09%3A30%3A00%2B0200',
        form,
      ),
    ).toEqual({
      is: 'document',
      module: 'creditnotes',
      id: '77',
      modifiedAt: new Date('2026-11-20T07:30:00Z'),
    });
    expect(
      read('{"creditnote":{"creditnote_id":"77","invoice_id":"982000000567114"}}'),
    ).toMatchObject({ module: 'creditnotes', id: '77' });
  });

  test.each([
    ['status=sent&total=5', form],
    ['invoice_id=', form],
    ['invoice_id=%24%7BINVOICE.INVOICE_ID%7D', form],
    ['payload=not%20json', form],
    ['JSONString=&status=sent', form],
    ['<xml/>', 'application/xml'],
    [
      '------x\r\nContent-Disposition: form-data; name="invoice_id"\r\n\r\n5\r\n------x--',
      'multipart/form-data; boundary=----x',
    ],
    ['{"status":"sent"}', json],
    ['{}', json],
  ])('that names no document is malformed, never a ping: %s', (body, contentType) => {
    expect(read(body, contentType)).toMatchObject({ is: 'malformed' });
  });

  test.each([
    [
      '------x\r\nContent-Disposition: form-data; name="invoice_id"\r\n\r\n5\r\n------x--',
      { field: 'body', reason: expect.stringContaining('multipart') },
    ],
    [
      '[{"invoice":{"invoice_id":"5"}}]',
      { field: 'body', reason: expect.stringContaining('list') },
    ],
    ['{"invoice":{"invoice_id":"INV-7"}}', { field: 'invoice_id', value: 'INV-7' }],
    ['creditnote_id=%24%7BCREDITNOTE_ID%7D', { field: 'creditnote_id', value: '${CREDITNOTE_ID}' }],
    ['{"invoice":{"status":"sent"}}', { field: 'invoice_id' }],
  ])('that cannot be read says where, and what stands there: %s', (body, said) =>
    expect(read(body, '')).toMatchObject({ is: 'malformed', ...said }),
  );

  test('is a ping where it is empty, and malformed in every other case', () => {
    for (const ping of ['', '  ', '\ufeff', '{"payload":""}'])
      expect(read(ping)).toEqual({ is: 'ping' });
    for (const ping of ['payload=', 'JSONString='])
      expect(read(ping, form)).toEqual({ is: 'ping' });
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const bad of [
      '{',
      'null',
      '[]',
      '{"contact":{}}',
      '{"invoice":[]}',
      '{"invoice":{"invoice_id":"1; drop"}}',
      '{"invoice":{"invoice_id":1e30}}',
      deep,
      `{"invoice":${deep}}`,
    ])
      expect(read(bad), bad.slice(0, 60)).toMatchObject({ is: 'malformed' });
    expect(read('{"invoice":{"invoice_id":1e999999999}}')).toMatchObject({ is: 'malformed' });
  });
});

test('an id in the address is read where the body names none, and pairs without one are no ping', () => {
  const at = (query: [string, string][], body = '') =>
    webhookReader.read(Buffer.from(body), json, query);
  const own: [string, string] = ['org', '9'];
  expect(at([own])).toEqual({ is: 'ping' });
  expect(at([own, ['invoice_id', '5']])).toMatchObject({
    is: 'document',
    module: 'invoices',
    id: '5',
  });
  expect(at([own, ['CreditNote ID', '6']], '{"status":"open"}')).toMatchObject({
    is: 'document',
    module: 'creditnotes',
    id: '6',
  });
  expect(at([own, ['invoice_id', '5']], '{"invoice":{"invoice_id":"7"}}')).toMatchObject({
    is: 'document',
    id: '7',
  });
  expect(at([own, ['invoice_id', 'INV-5']])).toMatchObject({
    is: 'malformed',
    field: 'invoice_id',
    value: 'INV-5',
  });
  expect(at([own, ['status', 'sent']])).toMatchObject({ is: 'malformed', field: 'query' });
});
