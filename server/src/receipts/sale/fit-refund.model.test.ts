import { multiply } from '@muhuri/shared/money';
import { describeProblem } from '@muhuri/shared/problems';
import { describe, expect, test } from 'vitest';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { makeSale } from './make-sale.model.ts';
import { document, line, setup } from './make-sale.samples.ts';
import { fitRefund } from './fit-refund.model.ts';
import type { Sale } from '../../model/sale.model.ts';

const vat = (amount: string) => ({
  id: 'vat',
  name: 'VAT',
  percent: '18',
  kind: 'tax' as const,
  amount,
});
const bread = line('1180.80', { tax: vat('212.54') });
const sold = (more: Partial<BooksDocument>) =>
  makeSale(document({ lines: [bread], ...more }), setup, {}, null).sale as Sale;
/** The whole refund of a business that makes no partial ones. */
function refunded(sale: Sale, more: Partial<BooksDocument>) {
  const note = document({ module: 'creditnotes', kind: 'credit_note', lines: [bread], ...more });
  const { refund, findings } = fitRefund(
    makeSale(note, setup, { reason_code: '06' }, sale).priced as Sale,
    sale,
    [],
    { isSameBuyer: true, allowsPartial: false },
  );
  return findings.map((each) => each.code).join() || refund.total;
}

describe('a refund of all that was sold is whole, whichever of the two totals was rounded to a whole unit', () => {
  const [plain, up, down] = [
    { total: '1393.34' },
    { total: '1394', roundOff: '0.66' },
    { total: '1393', roundOff: '-0.34' },
  ];
  test.each([
    ['neither', plain, plain, '1393.34'],
    ['the sale’s, up', up, plain, '1393.34'],
    ['the sale’s, down', down, plain, '1393.00'],
    ['the refund’s, up', plain, up, '1393.34'],
    ['the refund’s, down', plain, down, '1393.00'],
    ['both', up, up, '1394.00'],
  ])('%s', (_which, sale, note, total) => expect(refunded(sold(sale), note)).toBe(total));

  test('a price cut of less than a unit is a part all the same', () => {
    const cheaper = line('1180.30', { tax: vat('212.45') });
    expect(refunded(sold(plain), { lines: [cheaper], total: '1392.75' })).toBe('refund_partial');
  });
});

/** What keeps a credit note from being sealed, whether its money is known or not. */
function asked(sale: Sale, more: Partial<BooksDocument>, others: Sale[] = []) {
  const note = document({ module: 'creditnotes', kind: 'credit_note', ...more });
  const made = makeSale(note, setup, { reason_code: '06' }, sale);
  return [
    ...made.findings,
    ...(made.priced
      ? fitRefund(made.priced, sale, others, { isSameBuyer: true, allowsPartial: true }).findings
      : []),
  ];
}
const codesOf = (sale: Sale, more: Partial<BooksDocument>) =>
  asked(sale, more).map((each) => each.code);

describe('shipping of a credit note that says nothing of a tax', () => {
  const untaxed = (net: string) => ({
    lines: [],
    shipping: { net, tax: '0', taxId: null, taxPercent: null },
    total: net,
  });
  const one = line('1000', { tax: vat('180') });

  test('is not what was sold, where shipping was sold with its tax', () => {
    const sale = sold({
      lines: [one],
      shipping: { net: '500', tax: '90', taxId: 'vat', taxPercent: '18', taxName: 'VAT' },
      total: '1770',
    });
    for (const net of ['500', '90'])
      expect(asked(sale, untaxed(net))).toMatchObject([
        { code: 'refund_rate_differs', field: 'shipping', percent: '0', sale_percent: '18' },
      ]);
    expect(
      codesOf(sale, {
        lines: [],
        shipping: { net: '500', tax: '90', taxId: 'vat', taxPercent: '18', taxName: 'VAT' },
        total: '590',
      }),
    ).toEqual([]);
  });

  test('is what was sold, where the books knew no tax of the sale’s shipping either', () => {
    const withClass = {
      ...setup,
      charges: { ...setup.charges, shipping: { ...setup.charges.shipping, taxClass: 'B' } },
    } as typeof setup;
    const given = document({ lines: [one], shipping: untaxed('500').shipping, total: '1680' });
    const sale = makeSale(given, withClass, {}, null).sale as Sale;
    expect(sale.lines.at(-1)).toMatchObject({
      source: 'charge:shipping',
      taxClass: 'B',
      total: '500.00',
    });
    expect(codesOf(sale, untaxed('500'))).toEqual([]);
  });
});

describe('a discount of the whole sale that its credit notes share out otherwise', () => {
  const of = (a: string, b: string, rates: [string, string] = ['100', '60']) => [
    line(multiply(a, rates[0]), { quantity: a, rate: rates[0] }),
    line(multiply(b, rates[1]), { quantity: b, rate: rates[1], itemId: 'i2', name: 'Other' }),
  ];
  const less = (amount: string) => ({ amount, isBeforeTax: true });
  const sale = sold({
    lines: of('2', '5'),
    discount: less('37'),
    taxTotal: '83.34',
    total: '546.34',
  });
  const first = { lines: of('1', '2'), discount: less('20'), taxTotal: '36', total: '236' };
  const finishing = (more: Partial<BooksDocument>, others: Partial<BooksDocument>[] = [first]) => {
    const note = (each: Partial<BooksDocument>) =>
      makeSale(
        document({ module: 'creditnotes', kind: 'credit_note', ...each }),
        setup,
        { reason_code: '06' },
        sale,
      ).priced as Sale;
    return fitRefund(note(more), sale, others.map(note), {
      isSameBuyer: true,
      allowsPartial: true,
    });
  };
  const finish = (...asked: Parameters<typeof finishing>) => {
    const { refund, findings } = finishing(...asked);
    return (
      findings.map(({ code }) => code).join() ||
      `${refund.total}: ${refund.lines.map(({ total }) => total).join()}`
    );
  };

  test('comes to what is left of each item, where the last makes up the sale', () => {
    expect(
      finish({ lines: of('1', '3'), discount: less('17'), taxTotal: '47.34', total: '310.34' }),
    ).toBe('310.34: 111.27,199.07');
  });

  test('changes what is taken off, and no price', () => {
    const [a, b] = finishing({
      lines: of('1', '3'),
      discount: less('17'),
      taxTotal: '47.34',
      total: '310.34',
    }).refund.lines;
    expect([a, b]).toMatchObject([
      { unitPrice: '118.00', gross: '118.00', discount: '6.73', total: '111.27' },
      { unitPrice: '70.80', gross: '212.40', discount: '13.33', total: '199.07' },
    ]);
  });

  test('stays what its document comes to, where that is less than is left', () => {
    expect(
      finish({ lines: of('1', '3'), discount: less('17.50'), taxTotal: '47.25', total: '309.75' }),
    ).toBe('309.75: 110.68,199.07');
  });

  test('is too large where that is more, where something else is left of the class, and at other prices', () => {
    expect(
      finish({ lines: of('1', '3'), discount: less('16'), taxTotal: '47.52', total: '311.52' }),
    ).toContain('refund_too_large');
    const all = [line('200', { quantity: '2', rate: '100' })];
    expect(
      finish({ lines: all, discount: less('12'), taxTotal: '33.84', total: '221.84' }, []),
    ).toBe('refund_too_large');
    expect(
      finish(
        {
          lines: of('2', '5', ['110', '56']),
          discount: less('37'),
          taxTotal: '83.34',
          total: '546.34',
        },
        [],
      ),
    ).toContain('refund_too_large');
  });
});

test('whether a tax is left to the buyer keeps nothing from being refunded that was sealed', () => {
  expect(refunded(sold({ total: '1393.34' }), { total: '1393.34', isReverseCharge: true })).toBe(
    '1393.34',
  );
});

describe('lines of free text are told apart by their names', () => {
  const free = (name: string, net: string, more = {}) =>
    line(net, { itemId: null, name, tax: { ...vat('0'), amount: null }, ...more });
  const withFree = {
    ...setup,
    items: {
      ...setup.items,
      free_text: setup.items.default as NonNullable<typeof setup.items.default>,
    },
  };
  const sale = makeSale(
    document({ lines: [free('Sticker', '100'), free('Engine', '9000')], total: '10738' }),
    withFree,
    {},
    null,
  ).sale as Sale;

  test('none is refunded at the price of another', () => {
    const note = {
      lines: [free('Sticker', '9100', { quantity: '2', rate: '4550' })],
      total: '10738',
    };
    expect(asked(sale, note)).toMatchObject([
      { code: 'refund_too_large', name: 'Sticker', left: '118.00', sold_quantity: '1' },
    ]);
    expect(codesOf(sale, { lines: [free('Engine', '9000')], total: '10620' })).toEqual([]);
  });

  test('however it is written, it is the same name; another one was not sold', () => {
    expect(codesOf(sale, { lines: [free('  ENGINE\u200b', '9000')], total: '10620' })).toEqual([]);
    expect(asked(sale, { lines: [free('Motor', '9000')], total: '10620' })).toMatchObject([
      { code: 'refund_line_unknown', name: 'Motor' },
    ]);
  });

  test('what an earlier refund has of a name that was not sold counts all the same', () => {
    const whole = makeSale(
      document({
        module: 'creditnotes',
        kind: 'credit_note',
        lines: sale.lines.map((each) => free(each.name, each.books?.worth as string)),
        total: '10738',
      }),
      setup,
      {
        reason_code: '06',
      },
      sale,
    ).sale as Sale;
    const earlier: Sale = {
      ...whole,
      lines: whole.lines.map((each) => ({ ...each, name: 'Something else' })),
    };
    expect(
      asked(sale, { lines: [free('Engine', '9000')], total: '10620' }, [earlier]),
    ).toMatchObject([{ code: 'refund_too_large', name: 'Engine', left: '0.00' }]);
  });
});

describe('where one thing of free text was sold, it is refunded under whatever name', () => {
  const free = (name: string, net: string, more = {}) => line(net, { itemId: null, name, ...more });
  const withFree = {
    ...setup,
    items: {
      ...setup.items,
      free_text: setup.items.default as NonNullable<typeof setup.items.default>,
    },
  };
  const sellOf = (lines: BooksDocument['lines'], total: string) =>
    makeSale(document({ lines, total }), withFree, {}, null).sale as Sale;
  const sale = sellOf(
    [free('Consultancy November', '1000', { quantity: '2', rate: '500' }), line('1000')],
    '2360',
  );
  const ofAll = {
    lines: [free('Refund consultancy Nov', '1000', { quantity: '2', rate: '500' })],
    total: '1180',
  };

  test('up to what it came to, together with what was refunded of it before', () => {
    expect(asked(sale, ofAll)).toEqual([]);
    const half = {
      module: 'creditnotes' as const,
      kind: 'credit_note' as const,
      lines: [free('Half of it', '500')],
      total: '590',
    };
    const earlier = makeSale(document(half), setup, { reason_code: '06' }, sale).sale as Sale;
    expect(asked(sale, ofAll, [earlier])).toMatchObject([
      { code: 'refund_too_large', name: 'Refund consultancy Nov', left: '590.00' },
    ]);
    expect(
      asked(sale, { lines: [free('The other half', '500')], total: '590' }, [earlier]),
    ).toEqual([]);
  });

  test('not more of it than was sold, also where the note cannot be priced', () => {
    const lines = [free('Consultancy', '900', { quantity: '3', rate: '300' })];
    expect(asked(sale, { lines, total: '1062' })).toMatchObject([
      { code: 'refund_too_many', quantity: '3', sold_quantity: '2' },
    ]);
    expect(
      asked(sale, { lines, total: '1062', currency: 'USD' }).map((each) => each.code),
    ).toContain('refund_too_many');
  });

  test('an item is not taken for it, and of several the sentence says what tells them apart', () => {
    expect(
      asked(sale, {
        lines: [line('10', { itemId: 'i2', name: 'Consultancy November' })],
        total: '11.80',
      }),
    ).toMatchObject([{ code: 'refund_line_unknown' }]);
    const several = sellOf(
      [free('Consultancy November', '1000'), free('Consultancy December', '1000')],
      '2360',
    );
    const ofItems = sold({ total: '1393.34' });
    const next = (of: Sale, language: string) =>
      asked(of, ofAll).map((each) => describeProblem(each, language).detail);
    expect(next(several, 'en')).toEqual([
      'Credit only what was sold on that invoice, and give the line the name it has on the invoice.',
    ]);
    expect(next(ofItems, 'en')).toEqual(['Credit only what was sold on that invoice.']);
    for (const language of ['fr', 'ar'])
      expect(next(several, language)).not.toEqual(next(ofItems, language));
  });
});

test('whose buyer and how many are wrong is said beside what keeps a credit note from being priced', () => {
  const sale = sold({
    date: '2026-11-10',
    lines: [line('2000', { quantity: '2', rate: '1000' })],
    total: '2360',
  });
  const more = line('3000', { quantity: '3', rate: '1000' });
  const wrong = {
    date: '2026-11-01',
    customer: { id: 'c2', name: 'Another' },
    currency: 'USD',
    lines: [more],
    total: '3540',
  };
  const found = asked(sale, wrong);
  expect(found.map((each) => each.code).toSorted()).toEqual([
    'refund_before_sale',
    'refund_buyer_differs',
    'refund_currency_differs',
    'refund_too_many',
  ]);
  expect(found).toContainEqual({
    code: 'refund_too_many',
    field: 'line_items[0]',
    name: 'Item',
    quantity: '3',
    sold_quantity: '2',
  });
  const beside = {
    customer: wrong.customer,
    lines: [line('10', { itemId: 'i2', name: 'Never sold' }), more],
    total: '3551.80',
  };
  expect(codesOf(sale, beside).toSorted()).toEqual([
    'refund_buyer_differs',
    'refund_line_unknown',
    'refund_too_many',
  ]);
});
