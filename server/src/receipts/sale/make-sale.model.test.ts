import fc from 'fast-check';
import { describeProblem } from '@muhuri/shared/problems';
import { describe, expect, test } from 'vitest';
import { dialect as rwVsdc } from '../../dialects/rw-vsdc/index.ts';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';
import { makeSale } from './make-sale.model.ts';
import { document, line, setup } from './make-sale.samples.ts';
import { remarksOn } from './refund-remarks.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import { inFull } from './withheld-tax.model.ts';

const codes = (more: Partial<BooksDocument>, answers = {}) =>
  makeSale(document(more), setup, answers, null).findings.map((each) => each.code);

describe('a document becomes a sale', () => {
  test('a tax-exclusive line is sold at what the buyer pays, not at a grossed-up unit price', () => {
    const { sale } = makeSale(
      document({
        lines: [
          line('999.99', {
            quantity: '3',
            rate: '333.33',
            tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax', amount: '180.00' },
          }),
        ],
        total: '1179.99',
      }),
      setup,
      {},
      null,
    );
    expect(sale?.lines[0]).toMatchObject({
      total: '1179.99',
      unitPrice: '393.33',
      gross: '1179.99',
      discount: '0.00',
    });
  });

  test('a discounted line shows its price, discount and a rate that is never zero', () => {
    const { sale } = makeSale(
      document({
        isTaxInclusive: true,
        lines: [
          line('8008.47', {
            quantity: '3',
            rate: '3500',
            discount: '1050',
            tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax', amount: '1441.53' },
          }),
        ],
        total: '9450',
      }),
      setup,
      {},
      null,
    );
    expect(sale?.lines[0]).toMatchObject({
      gross: '10500.00',
      discount: '1050.00',
      discountRate: '10.00',
      total: '9450.00',
      unitPrice: '3500.00',
    });
  });

  test('a seller who is not registered for VAT uses class D throughout', () => {
    const { sale } = makeSale(
      document({ lines: [line('1000', { tax: null })], total: '1000' }),
      { ...setup, isVatRegistered: false },
      {},
      null,
    );
    expect(sale?.lines[0]?.taxClass).toBe('D');
  });

  test('a seller who is not registered for VAT may not charge it, on a line or on shipping', () => {
    const unregistered = { ...setup, isVatRegistered: false };
    const charged = document({ lines: [line('1000')], total: '1180' });
    expect(makeSale(charged, unregistered, {}, null).findings).toContainEqual(
      expect.objectContaining({ code: 'vat_not_registered', field: 'line_items[0].tax_id' }),
    );
    expect(makeSale(charged, setup, {}, null).findings).not.toContainEqual(
      expect.objectContaining({ code: 'vat_not_registered' }),
    );
  });

  test('a foreign document is sealed in the country’s money at its own rate, and the rate is kept', () => {
    const { sale } = makeSale(
      document({
        currency: 'USD',
        exchangeRate: '1447.25',
        lines: [
          line('100', {
            tax: { id: 'zero', name: 'Zero', percent: '0', kind: 'tax', amount: null },
          }),
        ],
        total: '100',
        baseTotal: '144725',
      }),
      setup,
      {},
      null,
    );
    expect(sale).toMatchObject({
      total: '144725.00',
      currency: 'RWF',
      foreign: { currency: 'USD', exchangeRate: '1447.25', total: '100' },
    });
  });
});

test('rounding never takes a line below zero: a free line beside a discounted one stays free', () => {
  const free = line('0', { id: '2', rate: '0' });
  const paid = line('1', {
    rate: '1',
    tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax', amount: '0' },
  });
  const given = document({
    places: 0,
    lines: [free, paid, paid],
    discount: { amount: '1', isBeforeTax: true },
    total: '0',
    adjustment: '0',
  });
  const { sale, findings } = makeSale({ ...given, total: '1' }, setup, {}, null);
  expect(findings).toEqual([]);
  expect(sale?.lines.map((each) => each.total)).toEqual(['0.00', '0.00', '1.00']);
});

describe('tax that is withheld is kept back of what is paid, and never of what was sold', () => {
  const made = (more: Partial<BooksDocument>) => makeSale(inFull(document(more)), setup, {}, null);

  test('a total that has it inside is the price', () => {
    const { sale, findings } = made({ withheld: ['59'], total: '1180', balance: '1121' });
    expect([sale?.total, findings, remarksOn(sale as Sale)]).toEqual(['1180.00', [], []]);
  });

  test('a total that it was taken from is not: the receipt is of both together, which is said beside it', () => {
    const { sale, findings } = made({ withheld: ['59', '30'], total: '1150', balance: '1150' });
    expect([sale?.total, findings]).toEqual(['1180.00', []]);
    const [remark] = remarksOn(sale as Sale);
    expect(remark).toMatchObject({
      code: 'tax_withheld_beside',
      withheld: '30',
      books_total: '1150',
      full_total: '1180',
    });
    for (const language of ['en', 'fr', 'ar'])
      expect(describeProblem(remark as never, language).title).toMatch(/1180.*1150|1150.*1180/);
  });

  test('also in another currency, whose conversion in the books is of what is left', () => {
    const { sale } = made({
      currency: 'USD',
      exchangeRate: '1447.25',
      withheld: ['30'],
      total: '1150',
      baseTotal: '1664337.5',
    });
    expect(sale).toMatchObject({ total: '1707755.00', foreign: { total: '1180' } });
  });

  test('a total that is made neither with it nor without it is sealed by nobody, and is said with it', () => {
    const { sale, findings } = made({ withheld: ['30'], total: '1140' });
    expect([sale, findings]).toEqual([
      null,
      [{ code: 'tax_withheld', field: 'total', total: '1140', withheld: '30' }],
    ]);
    for (const language of ['en', 'fr', 'ar'])
      expect(describeProblem(findings[0] as never, language).title).toMatch(/30.*1140|1140.*30/);
  });

  test('one that is no more than rounding explains is told by the sums of the document', () => {
    expect(made({ withheld: ['0.02'], total: '1180' }).sale?.total).toBe('1180.00');
    expect(made({ withheld: ['0.02'], total: '1179.98' }).sale?.total).toBe('1180.00');
  });

  test('whatever is withheld, a document is sealed at what its lines make, or not at all', () => {
    const cents = fc.integer({ min: 1, max: 30_000 }).map((each) => (each / 100).toFixed(2));
    fc.assert(
      fc.property(cents, cents, fc.boolean(), (withheld, taken, isSame) => {
        const total = (1180 - Number(isSame ? withheld : taken)).toFixed(2);
        const { sale } = made({ withheld: [withheld], total });
        const isWhole = sale === null || Math.abs(Number(sale.total) - 1180) < 0.021;
        expect([isWhole, isSame && sale?.total !== '1180.00']).toEqual([true, false]);
      }),
    );
  });

  test('inside a group or beside it, as a tax below nothing, it is said: mapped as what is left of the group nobody would see the rest', () => {
    const parts = [
      { id: null, name: 'VAT', amount: '180' },
      { id: null, name: 'Withheld VAT', amount: '-180' },
    ];
    const group = {
      id: 'exempt',
      name: 'VAT withheld',
      percent: '0',
      kind: 'tax_group' as const,
      amount: '0',
      parts,
    };
    const { findings } = made({
      lines: [line('1000', { tax: group })],
      taxTotal: '0',
      total: '1000',
    });
    expect(findings).toEqual([
      {
        code: 'tax_negative',
        field: 'line_items[0]',
        name: 'Item',
        tax_name: 'Withheld VAT',
        amount: '-180',
      },
    ]);
    const beside = made({
      lines: [line('1000', { tax: { ...group, parts: [] } })],
      taxes: parts,
      taxTotal: '0',
      total: '1000',
    });
    expect(beside.findings).toEqual([
      { code: 'tax_negative', field: 'taxes[1]', tax_name: 'Withheld VAT', amount: '-180' },
    ]);
  });
});

test('payments that could not be read are not none: a document is never sold on credit for that', () => {
  const { sale, findings } = makeSale(
    document({ balance: '180', paymentModes: [], unread: ['payments'] }),
    setup,
    {},
    null,
  );
  expect([sale, findings]).toMatchObject([null, [{ code: 'payment_method_missing' }]]);
  expect(
    makeSale(
      document({ balance: '180', unread: ['payments'] }),
      setup,
      { payment_method: '01' },
      null,
    ).sale?.paymentMethod,
  ).toBe('01');
});

describe('bad input has one code each, and no sale', () => {
  const cases: [string, string, Partial<BooksDocument>][] = [
    ['a draft', 'document_draft', { status: 'draft' }],
    ['one that waits for approval', 'document_draft', { status: 'pending_approval' }],
    ['a void one', 'document_void', { status: 'void' }],
    ['a debit note', 'debit_note', { kind: 'debit_note' }],
    ['a retainer', 'document_kind_unknown', { kind: 'other', kindInBooks: 'retainer' }],
    ['a status nobody knows', 'document_status_unknown', { status: 'scheduled' }],
    ['no status at all', 'document_status_unknown', { status: '' }],
    [
      'a kind of tax nobody knows',
      'tax_kind_unknown',
      {
        lines: [
          line('1000', {
            tax: {
              id: 'vat',
              name: 'VAT',
              percent: '18',
              kind: 'tax',
              kindUnknown: 'withheld',
              amount: null,
            },
          }),
        ],
      },
    ],
    [
      'a kind of tax on shipping nobody knows',
      'tax_kind_unknown',
      {
        shipping: {
          net: '5000',
          tax: '900',
          taxId: 'vat',
          taxPercent: '18',
          taxName: 'VAT',
          taxKindUnknown: 'withheld',
        },
        total: '7080',
      },
    ],
    [
      'a tax on a tax on shipping',
      'compound_tax',
      {
        shipping: {
          net: '5000',
          tax: '900',
          taxId: 'vat',
          taxPercent: '18',
          taxName: 'VAT',
          taxKind: 'compound_tax',
        },
        total: '7080',
      },
    ],
    ['no lines', 'document_empty', { lines: [] }],
    ['a zero total', 'document_zero', { lines: [line('0', { rate: '0' })], total: '0' }],
    ['a total that does not add up', 'total_mismatch', { total: '1180.05' }],
    [
      'a negative line',
      'negative_line',
      { lines: [line('-1000', { rate: '-1000' })], total: '-1180' },
    ],
    [
      'a tax without a class',
      'tax_unmapped',
      {
        lines: [
          line('1000', {
            tax: { id: 'other', name: 'Other', percent: '18', kind: 'tax', amount: null },
          }),
        ],
      },
    ],
    [
      'a tax at another rate than its class',
      'tax_rate_differs',
      {
        lines: [
          line('1000', {
            tax: { id: 'vat', name: 'VAT', percent: '16', kind: 'tax', amount: null },
          }),
        ],
        total: '1160',
      },
    ],
    [
      'shipping whose tax is not what its rate comes to',
      'tax_rate_differs',
      {
        shipping: { net: '5000', tax: '250', taxId: 'vat', taxPercent: '18', taxName: 'VAT' },
        total: '6430',
      },
    ],
    [
      'a line without tax',
      'line_without_tax',
      { lines: [line('1000', { tax: null })], total: '1000' },
    ],
    [
      'a compound tax',
      'compound_tax',
      {
        lines: [
          line('1000', {
            tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'compound_tax', amount: null },
          }),
        ],
      },
    ],
    ['a date in the future', 'document_future', { date: '2026-11-21' }],
    ['a date before go-live', 'before_go_live', { date: '2025-12-31' }],
    ['a negative adjustment', 'negative_adjustment', { adjustment: '-80', total: '1100' }],
    [
      'a round-off of more than a unit',
      'negative_adjustment',
      { roundOff: '-1.4', total: '1178.6' },
    ],
    [
      'one of more than a unit that adds something',
      'negative_adjustment',
      { roundOff: '3', total: '1183' },
    ],
    [
      'a discount after tax',
      'discount_after_tax',
      { discount: { amount: '100', isBeforeTax: false }, total: '1080' },
    ],
    ['books in another currency', 'currency_unsupported', { baseCurrency: 'USD', currency: 'USD' }],
    [
      'a foreign document without a rate',
      'exchange_rate_missing',
      { currency: 'USD', exchangeRate: '0' },
    ],
    [
      'a free line without its item',
      'free_line_unmapped',
      { lines: [line('1000', { itemId: null })] },
    ],
    [
      'paid in an unknown way',
      'payment_method_missing',
      { balance: '0', paymentModes: ['Barter'] },
    ],
  ];
  test.each(cases)('%s: %s', (_what, code, more) => {
    expect(codes(more)).toContain(code);
    expect(makeSale(document(more), setup, {}, null).sale).toBeNull();
  });

  test('whatever a status is called, only the ones that are known are sealed', () => {
    const settled = [
      'sent',
      'viewed',
      'overdue',
      'unpaid',
      'partially_paid',
      'paid',
      'open',
      'closed',
    ];
    for (const status of settled) expect(codes({ status }), status).toEqual([]);
    const words = fc.oneof(
      fc.string(),
      fc
        .constantFrom(...settled, 'draft', 'void', 'approved')
        .chain((each) => fc.constantFrom(`${each}d`, `un${each}`, ` ${each}`)),
    );
    fc.assert(
      fc.property(words, (status) => {
        fc.pre(
          !settled.includes(status) &&
            !['draft', 'pending_approval', 'approved', 'rejected', 'submitted', 'void'].includes(
              status,
            ),
        );
        expect(
          makeSale(document({ status }), { ...setup, sealsApproved: true }, {}, null),
        ).toMatchObject({
          sale: null,
          findings: [{ code: 'document_status_unknown' }],
        });
      }),
    );
  });

  test('a tax that is left to the buyer ends all else: nobody is told to declare it as exempt', () => {
    expect(
      codes({ isReverseCharge: true, lines: [line('1000', { tax: null })], total: '1000' }),
    ).toEqual(['reverse_charge']);
    expect(
      codes({
        isReverseCharge: true,
        lines: [
          line('1000', {
            tax: { id: 'exempt', name: 'Exempt', percent: '0', kind: 'tax', amount: '0' },
          }),
        ],
      }),
    ).toEqual(['reverse_charge']);
  });

  test('of one line whose tax is left to the buyer the same is said, with the line', () => {
    const reversed = line('1000', {
      name: 'Ikawa',
      tax: { id: 'exempt', name: 'Exempt', percent: '0', kind: 'tax', amount: '0' },
      isReverseCharge: true,
    });
    const { sale, findings } = makeSale(
      document({ lines: [line('1000'), reversed], total: '2180' }),
      setup,
      {},
      null,
    );
    expect([sale, findings]).toEqual([
      null,
      [{ code: 'reverse_charge', field: 'line_items[1]', name: 'Ikawa' }],
    ]);
    for (const language of ['en', 'fr', 'ar'])
      expect(describeProblem(findings[0] as never, language).title).toContain('Ikawa');
    expect(describeProblem({ code: 'reverse_charge' }, 'en').title).toContain('This document');
  });

  test('what a line is exempt by says nothing of its class: it is named, and nobody guesses', () => {
    const { sale, findings } = makeSale(
      document({ lines: [line('1000', { tax: null, exemption: 'EDU-7' })], total: '1000' }),
      setup,
      {},
      null,
    );
    expect([sale, findings]).toEqual([
      null,
      [
        {
          code: 'line_without_tax',
          field: 'line_items[0].tax_id',
          name: 'Item',
          exemption: 'EDU-7',
        },
      ],
    ]);
    for (const language of ['en', 'fr', 'ar'])
      expect(describeProblem(findings[0] as never, language).title).toMatch(/Item.*EDU-7/);
    expect(describeProblem({ code: 'line_without_tax', name: 'Item' }, 'en').title).not.toContain(
      'xempt',
    );
  });

  test('of a line without its tax no sum is said to be wrong, and the line is named', () => {
    const untaxed = document({
      lines: [line('1000', { name: 'Ikawa', tax: null })],
      taxTotal: '180',
      total: '1180',
    });
    const { findings } = makeSale(untaxed, setup, {}, null);
    expect(findings.map((each) => each.code)).toEqual(['line_without_tax']);
    for (const language of ['en', 'fr', 'ar'])
      expect(describeProblem(findings[0] as never, language).title).toContain('Ikawa');
  });

  test('of shipping whose tax is a tax on a tax nothing else is said', () => {
    const shipping = {
      net: '5000',
      tax: '900',
      taxId: 'other',
      taxPercent: '18',
      taxName: 'Other',
      taxKind: 'compound_tax' as const,
    };
    expect(codes({ shipping, total: '7080' })).toEqual(['compound_tax']);
  });

  test('sixty lines with one unmapped tax are one finding', () => {
    const lines = Array.from({ length: 60 }, () =>
      line('1000', {
        tax: { id: 'other', name: 'Other', percent: '18', kind: 'tax', amount: null },
      }),
    );
    expect(codes({ lines, total: '70800' })).toEqual(['tax_unmapped']);
  });

  test('a document before go-live is sealed by hand only with a confirmation', () => {
    expect(codes({ date: '2025-12-31' }, { confirm: ['before_go_live'] })).toEqual([]);
  });
});

describe('what a device can be told has an end, and what is beyond it is said by its field before anything is sent', () => {
  const device = {
    ...setup,
    amountMax: rwVsdc.sales.amountMax,
    quantityMax: rwVsdc.sales.quantityMax,
  };
  const exempt = { id: 'exempt', name: 'Exempt', percent: '0', kind: 'tax', amount: '0' } as const;
  const of = (lines: BooksLine[], total: string, refunded: Sale | null = null) =>
    makeSale(document({ lines, total, balance: total }), device, {}, refunded);
  test('the most an amount can be is sealed, a cent more is not', () => {
    const most = '99999999999.99';
    expect(of([line(most, { tax: exempt })], most).sale?.total).toBe(most);
    expect(
      of([line('100000000000', { name: 'Ikawa', tax: exempt })], '100000000000'),
    ).toMatchObject({
      sale: null,
      findings: [
        {
          code: 'amount_too_large',
          field: 'line_items[0]',
          name: 'Ikawa',
          amount: '100000000000.00',
          most,
        },
      ],
    });
  });

  test('a total of lines that are none too large by themselves, a price without its discount, and a price of a part', () => {
    const half = line('60000000000', { tax: exempt });
    expect(of([half, half], '120000000000')).toMatchObject({
      sale: null,
      findings: [{ code: 'amount_too_large', field: 'total', amount: '120000000000.00' }],
    });
    const cut = line('1000', { rate: '100000001000', discount: '100000000000', tax: exempt });
    expect(of([cut], '1000')).toMatchObject({
      sale: null,
      findings: [{ code: 'amount_too_large', field: 'line_items[0]', amount: '100000001000.00' }],
    });
    const part = line('10000000000', { rate: '1000000000000', quantity: '0.01', tax: exempt });
    expect(of([part], '10000000000')).toMatchObject({
      sale: null,
      findings: [{ code: 'amount_too_large', field: 'line_items[0]', amount: '1000000000000.00' }],
    });
  });

  test('a quantity', () => {
    const many = line('1000', { name: 'Ikawa', rate: '0', quantity: '100000000000', tax: exempt });
    expect(of([many], '1000')).toMatchObject({
      sale: null,
      findings: [
        {
          code: 'quantity_too_large',
          field: 'line_items[0]',
          name: 'Ikawa',
          quantity: '100000000000',
          most: '99999999999.99',
        },
      ],
    });
  });

  test('whatever is in a document, nothing longer is sealed', () => {
    const digits = fc
      .integer({ min: 1, max: 14 })
      .chain((n) => fc.bigInt({ min: 10n ** BigInt(n - 1), max: 10n ** BigInt(n) - 1n }));
    fc.assert(
      fc.property(
        fc.array(fc.record({ price: digits, quantity: digits }), { minLength: 1, maxLength: 4 }),
        (rows) => {
          const lines = rows.map(({ price, quantity }) =>
            line(String(price * quantity), {
              rate: String(price),
              quantity: String(quantity),
              tax: exempt,
            }),
          );
          const { sale, findings } = of(
            lines,
            String(rows.reduce((sum, { price, quantity }) => sum + price * quantity, 0n)),
          );
          expect(sale === null).toBe(findings.length > 0);
          const told = (sale?.lines ?? []).flatMap((each) => [
            each.quantity,
            each.unitPrice,
            each.gross,
            each.discount,
            each.total,
          ]);
          for (const each of [...told, sale?.total ?? '0'])
            expect(each).toMatch(/^\d{1,11}(\.\d{1,2})?$/);
        },
      ),
    );
  });

  test('what was sealed once is refunded all the same', () => {
    const sold = of([line('50000000000', { tax: exempt })], '50000000000').sale as Sale;
    const large = {
      ...sold,
      lines: sold.lines.map((each) => ({
        ...each,
        unitPrice: '500000000000.00',
        gross: '500000000000.00',
        total: '500000000000.00',
      })),
    };
    const note = document({
      module: 'creditnotes',
      kind: 'credit_note',
      status: 'open',
      lines: [line('500000000000', { tax: exempt })],
      total: '500000000000',
    });
    expect(
      makeSale(note, device, { reason_code: '06' }, { ...large, total: '500000000000.00' })
        .findings,
    ).toEqual([]);
  });
});

test.each([
  ['a negative line', line('-1000', { name: 'Ikawa', rate: '-1000' })],
  ['too little of it', line('45', { name: 'Ikawa', quantity: '0.001', rate: '45000' })],
  [
    'a tax on a tax',
    line('1000', {
      name: 'Ikawa',
      tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'compound_tax', amount: null },
    }),
  ],
])('of many lines the sentence says which one it is about: %s', (_what, odd) => {
  const { findings } = makeSale(
    document({ lines: [line('1000'), line('2000'), odd] }),
    setup,
    {},
    null,
  );
  for (const language of ['en', 'fr', 'ar'])
    for (const finding of findings)
      expect(describeProblem(finding, language).title).toContain('Ikawa');
  expect(findings).toHaveLength(1);
});

test('a round-off that takes all there was of one tax leaves what is not taxed as it is, converted too', () => {
  const at = (id: string, net: string, percent: string, amount: string) =>
    line(net, { id, rate: net, tax: { id, name: id, percent, kind: 'tax', amount } });
  const { sale } = makeSale(
    document({
      currency: 'USD',
      exchangeRate: '170.943433',
      basePlaces: 1,
      lines: [
        at('exempt', '0.01', '0', '0'),
        at('vat', '1.97', '18', '0.30'),
        at('vatToo', '0.36', '18', '0.05'),
      ],
      discount: { amount: '0.33', isBeforeTax: true },
      roundOff: '-0.36',
      taxTotal: '0.35',
      total: '2',
      baseTotal: '341.9',
    }),
    {
      ...setup,
      taxes: { ...setup.taxes, vatToo: 'B' },
      sealedRate: { rate: '170.943433', date: '2026-11-19' },
    },
    {},
    null,
  );
  expect(sale?.lines.map(({ taxClass, total }) => [taxClass, total])).toEqual([
    ['A', '1.50'],
    ['B', '340.40'],
    ['B', '0.00'],
  ]);
});

test('a discount of prices with their tax is read as that before a tax is reckoned that the document does not name', () => {
  const { sale } = makeSale(
    document({
      isTaxInclusive: true,
      places: 0,
      lines: [
        line('63', {
          rate: '12',
          quantity: '6.125639',
          tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax', amount: '10' },
        }),
        line('948', {
          tax: { id: 'exempt', name: 'Exempt', percent: '0', kind: 'tax', amount: null },
        }),
      ],
      discount: { amount: '72', isBeforeTax: true },
      taxTotal: '10',
      total: '950',
    }),
    setup,
    {},
    null,
  );
  expect(sale?.lines.map(({ taxClass, total }) => [taxClass, total])).toEqual([
    ['B', '69.00'],
    ['A', '881.00'],
  ]);
});
