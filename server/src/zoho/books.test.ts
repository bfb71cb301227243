import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../platform/app-error.ts';
import { baseTotalOf } from '../receipts/sale/convert-total.model.ts';
import { zohoBooks } from './books.ts';
import type { ZohoAnswer, ZohoClient } from './client.ts';
import { type Json, parseJson } from './parse-json.ts';

type Organization = { currency_code: string; price_precision: number };
const source = {
  businessId: 'biz_1',
  organizationId: '1',
  grantId: 'g',
  purpose: 'sign' as const,
  customFields: { buyer_tin: 'a', purchase_code: 'b' },
};

/**
 * Books whose organization changes whenever the test says so, by a clock that stands where it was
 * put.
 */
function booksOf(first: Organization) {
  const is = {
    organization: first,
    at: Date.parse('2026-11-20T10:00:00Z'),
    document: {} as object,
    contact: {} as object,
    payments: [] as object[],
    asked: 0,
    fails: null as {
      path: string;
      code: 'books_unavailable' | 'books_refused' | 'books_limit';
    } | null,
    onDocument: () => {},
  };
  const get = (_source: unknown, path: string): Promise<ZohoAnswer> => {
    if (path.startsWith('/organizations')) is.asked += 1;
    if (is.fails && path.includes(is.fails.path))
      return Promise.reject(new AppError(is.fails.code));
    const body = path.startsWith('/organizations')
      ? { organization: { organization_id: '1', ...is.organization } }
      : path.startsWith('/contacts')
        ? { contact: is.contact }
        : path.endsWith('/payments')
          ? { payments: is.payments }
          : { invoice: is.document };
    if (path === '/invoices/1') is.onDocument();
    return Promise.resolve({
      is: 'found',
      body: parseJson(JSON.stringify(body)) as { [key: string]: Json },
    });
  };
  const books = zohoBooks(
    { call: get as never, get } satisfies ZohoClient,
    { now: () => new Date(is.at) },
    ['RW'],
  );
  const read = async (document: object) => {
    is.document = {
      invoice_id: '1',
      date: '2026-11-20',
      customer_id: '',
      total: 0,
      line_items: [],
      ...document,
    };
    const answer = await books.readDocument(source, 'invoices', '1');
    if (answer.is !== 'found') throw new Error(answer.is);
    return answer.document;
  };
  return { is, read };
}

const usd = (total: number, rate: number, bcy?: number) => ({
  currency_code: 'USD',
  exchange_rate: rate,
  total,
  ...(bcy === undefined ? {} : { bcy_total: bcy }),
});

test('a document in another currency comes to what its organization says of decimals now, not minutes ago', async () => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 0 });
  const total = async (bcy?: number) =>
    baseTotalOf(await read(usd(535.53, 1447.25, bcy)), { currency: 'RWF' }, null);
  expect(await total(775_046)).toBe('775046.00');
  is.organization = { currency_code: 'RWF', price_precision: 2 };
  expect(await total(775_045.79)).toBe('775045.79');
  is.organization = { currency_code: 'RWF', price_precision: 0 };
  expect(await total(775_046)).toBe('775046.00');
  // Nothing in the document itself says what has changed.
  is.organization = { currency_code: 'RWF', price_precision: 2 };
  expect(await total()).toBe('775045.79');
});

test('documents in the organization’s own currency ask for it once in a while only, and at once where one says that it is no longer that', async () => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
  const own = { currency_code: 'RWF', exchange_rate: 1, total: 1180 };
  for (let i = 0; i < 5; i++) await read(own);
  expect(is.asked).toBe(1);
  is.organization = { currency_code: 'USD', price_precision: 2 };
  expect((await read({ ...own, exchange_rate: 0.00069 })).baseCurrency).toBe('USD');
});

test('a number of the contact that is none is looked up again at once: somebody may just have mended it', async () => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
  const mobile = async () =>
    (await read({ currency_code: 'RWF', exchange_rate: 1, total: 1180, customer_id: '7' })).buyer
      .mobile;
  is.contact = { mobile: 'ask the driver' };
  expect(await mobile()).toBe('ask the driver');
  is.contact = { mobile: '0788 000 006' };
  expect(await mobile()).toBe('0788 000 006');
});

test.each([
  '12/05/1980',
  '1980.05.12',
  '12 May 1980',
  'May 12, 1980',
  'TIN 101234567',
  'tin: 101 234 567',
  '0000000000',
  '00 00 00',
  'Room 12, 0788000',
  '07880000060',
])('what is no number on the document never beats the one of the contact: %s', async (written) => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
  const own = {
    currency_code: 'RWF',
    exchange_rate: 1,
    total: 1180,
    customer_id: '7',
    contact_persons_associated: [{ mobile: written, phone: '' }],
  };
  is.contact = { mobile: '0788000001' };
  expect((await read(own)).buyer.mobile).toBe('0788000001');
  expect(
    (await read({ ...own, contact_persons_details: [{ mobile: '+254 712 345 678' }] })).buyer
      .mobile,
  ).toBe('+254 712 345 678');
});

test.each(['0000000000', '000 000 0000', '99 99 99', '12/05/1980', '12 May 1980', 'TIN 101234567'])(
  'what the contact has in its place and is no number is left out, before and beside others: %s',
  async (written) => {
    const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
    const mobile = async () =>
      (await read({ currency_code: 'RWF', exchange_rate: 1, total: 1180, customer_id: '7' })).buyer
        .mobile;
    is.contact = { mobile: written, phone: '' };
    expect(await mobile()).toBeNull();
    is.contact = { mobile: written, phone: '0788' };
    expect(await mobile(), 'one that somebody has begun to write is shown').toBe('0788');
    is.contact = { mobile: written, phone: '0788000006' };
    expect(await mobile()).toBe('0788000006');
  },
);

test('where none is known to be a number, the first with digits enough is taken, the document’s before the contact’s', async () => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
  const own = (mobile: string) => ({
    currency_code: 'RWF',
    exchange_rate: 1,
    total: 1180,
    customer_id: '7',
    contact_persons_associated: [{ mobile }],
  });
  is.contact = { mobile: '0000000000', phone: '98 76 54' };
  expect((await read(own('07880000060'))).buyer.mobile).toBe('07880000060');
  expect((await read(own('12/05/1980'))).buyer.mobile).toBe('98 76 54');
  is.at += 10 * 60_000;
  is.contact = { mobile: '0000000000' };
  expect((await read(own('12/05/1980'))).buyer.mobile).toBeNull();
});

test('what was paid is read as every amount is: a spelling of it never passes for nothing paid', async () => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
  const own = { currency_code: 'RWF', exchange_rate: 1, total: 1180 };
  is.payments = [{ payment_mode: 'Cash' }];
  expect((await read({ ...own, payment_made: '1,180.00' })).paymentModes).toEqual(['Cash']);
  expect((await read({ ...own, payment_made: 0 })).paymentModes).toEqual([]);
  await expect(read({ ...own, payment_made: '1,180' })).rejects.toMatchObject({
    problem: { code: 'document_unreadable', field: 'payment_made' },
  });
});

test('what Zoho fails to give beside a document keeps nobody from the document: it is said to be unread, and never taken for nothing', async () => {
  const { is, read } = booksOf({ currency_code: 'RWF', price_precision: 2 });
  const own = {
    currency_code: 'RWF',
    exchange_rate: 1,
    total: 1180,
    customer_id: '7',
    payment_made: 1180,
  };
  is.contact = { mobile: '0788000001' };
  is.payments = [{ payment_mode: 'Cash' }];
  for (const code of ['books_unavailable', 'books_refused'] as const) {
    is.fails = { path: '/contacts/7', code };
    expect(await read(own)).toMatchObject({
      unread: ['contact'],
      buyer: { mobile: null },
      paymentModes: ['Cash'],
    });
    is.fails = { path: '/payments', code };
    expect(await read({ ...own, customer_id: '' })).toMatchObject({
      unread: ['payments'],
      paymentModes: [],
    });
  }
  // What is wrong with the connection is wrong with all of it.
  is.fails = { path: '/contacts/7', code: 'books_limit' };
  await expect(read(own)).rejects.toMatchObject({ code: 'books_limit' });
  is.fails = null;
  const whole = await read(own);
  expect([whole.unread, whole.buyer.mobile]).toEqual([undefined, '0788000001']);
});

test('whatever is priced by the organization is priced by it as it was when the document was fetched, or later', async () => {
  const organization = fc.record({
    currency_code: fc.constantFrom('RWF', 'USD'),
    price_precision: fc.integer({ min: 0, max: 3 }),
  });
  const step = fc.record({
    organization: fc.option(organization),
    during: fc.option(organization),
    minutes: fc.integer({ min: 0, max: 15 }),
    currency: fc.constantFrom('RWF', 'USD', 'EUR'),
  });
  await fc.assert(
    fc.asyncProperty(
      organization,
      fc.array(step, { minLength: 1, maxLength: 12 }),
      async (first, steps) => {
        const { is, read } = booksOf(first);
        for (const { organization: next, during, minutes, currency } of steps) {
          is.at += minutes * 60_000;
          is.organization = next ?? is.organization;
          // It may change between the document's answer and the organization's.
          is.onDocument = () => void (is.organization = during ?? is.organization);
          const rate = currency === is.organization.currency_code ? 1 : 1447.25;
          const document = await read({ ...usd(535.53, rate), currency_code: currency });
          const isConverted = document.currency !== document.baseCurrency || rate !== 1;
          if (isConverted)
            expect({
              currency_code: document.baseCurrency,
              price_precision: document.basePlaces,
            }).toEqual(is.organization);
        }
      },
    ),
  );
});
