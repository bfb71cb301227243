import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { type DocumentAsk, makeDocument } from '../simulators/zoho/documents.ts';
import { startWorld, today, type World } from '../world.ts';

/*
 * What documents come to: each of these has been reported from the field, and each stands for a property that the exams of arithmetic and
 * of refunds ask in general. Amounts are recomputed by hand.
 */
let world: World;
let api: Api;
let admin: Api;
beforeAll(async () => {
  world = await startWorld();
  api = await Api.signIn(world, world.businesses[0].user);
  admin = await Api.signIn(world, world.businesses[0].admin);
  world.vsdc.set({ partial_refunds: true });
  await settings({ partial_refunds: true });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => {
  world.vsdc.faults([]);
});

const settings = (change: object, business = 0) =>
  world.sql(
    'update business set settings = settings || $1::jsonb',
    [JSON.stringify(change)],
    world.businesses[business]?.businessId as string,
  );
const organization = (business = 0) =>
  world.zoho.organization(world.businesses[business]?.organizationId as string);
let made = 0;
type Ask = Partial<Omit<DocumentAsk, 'lines'>> & {
  lines: [quantity: number, rate: number, tax: 'vat' | 'exempt', more?: object][];
};
type Raw = { [key: string]: unknown };

/** A document of the books, patched where Zoho's own arithmetic is not what the case is about. */
function add(
  module: 'invoices' | 'creditnotes',
  ask: Ask,
  patch: Raw | ((raw: Raw) => Raw) = {},
  business = 0,
): { id: string; number: string; total: number } {
  made += 1;
  const books = organization(business);
  const [vat, , exempt] = books.taxes;
  const id = `46000000077${String(made).padStart(8, '0')}`;
  const number = `S-${made}`;
  const document = makeDocument(books, module, {
    contact: books.contacts[0] as DocumentAsk['contact'],
    date: today(),
    status: module === 'invoices' ? 'sent' : 'open',
    location: books.locations[0]?.location_id as string,
    ...ask,
    lines: ask.lines.map(([quantity, rate, tax, more], index) => ({
      item: {
        ...(books.items[0] as NonNullable<DocumentAsk['lines'][number]['item']>),
        item_id: `46000000003000${String(100 + index)}`,
        name: `Item ${index + 1}`,
      },
      quantity,
      rate,
      tax: (tax === 'vat' ? vat : exempt) ?? null,
      ...more,
    })),
    id,
    number,
  });
  world.zoho.add(module, books.organization_id, {
    ...document,
    ...(typeof patch === 'function' ? patch(document) : patch),
  });
  return { id, number, total: document.total as number };
}
const sale = (ask: Ask, patch: Raw | ((raw: Raw) => Raw) = {}) => add('invoices', ask, patch);
const note = (
  of: { id: string; number: string; total: number },
  ask: Ask,
  patch: Raw | ((raw: Raw) => Raw) = {},
) =>
  add(
    'creditnotes',
    { ...ask, invoice: { invoice_id: of.id, invoice_number: of.number, total: of.total } },
    patch,
  );
const preflight = async (module: string, { id }: { id: string }, as = api) =>
  (await as.get(`/receipts/preflight?module=${module}&document_id=${id}`)).body;
const codes = async (document: { id: string }, module = 'invoices') =>
  ((await preflight(module, document)).findings as { code: string }[]).map((each) => each.code);
const sealed = async (document: { id: string }, as = api) => {
  const { body } = await as.seal('invoices', document.id);
  expect(body, JSON.stringify(body)).toMatchObject({ state: 'signed' });
  const byClass = Object.fromEntries(
    (body.totals.by_class as { tax_class: string; taxable: string; tax: string }[]).map((each) => [
      each.tax_class,
      each,
    ]),
  );
  return {
    receipt: body,
    total: body.totals.total as string,
    a: byClass.A?.taxable,
    b: byClass.B?.taxable,
    tax: byClass.B?.tax,
  };
};
const refunded = async (document: { id: string }) => {
  const { body } = await api.seal('creditnotes', document.id, { reason_code: '06' });
  expect(body, JSON.stringify(body)).toMatchObject({ state: 'signed' });
  return body;
};
const usd = (rate: number) => ({ code: 'USD', rate, precision: 2 });

describe('a sale comes to what the books say', () => {
  test('and where that is less than nothing, one sentence says so', async () => {
    const document = sale(
      { lines: [[1, 1000, 'exempt']] },
      {
        discount_type: 'entity_level',
        discount: 3000,
        discount_total: 3000,
        total: -2000,
        balance: -2000,
      },
    );
    expect((await preflight('invoices', document)).findings).toMatchObject([
      { code: 'document_negative', field: 'total', title: expect.stringContaining('-2000') },
    ]);
  });

  test('in a currency with three decimals: rounded once, at the end', async () => {
    const document = sale(
      { lines: [[3, 10.005, 'vat']] },
      { price_precision: 3, line_items: [], ...threeDecimals() },
    );
    expect((await sealed(document)).total).toBe('35.42');
  });

  test('a tiny price times a huge quantity', async () => {
    const document = sale({ lines: [[1, 10_733.76, 'vat']] }, (raw) => ({
      line_items: (raw.line_items as Raw[]).map((line) => ({
        ...line,
        rate: 0.0055,
        quantity: 1_951_593,
      })),
    }));
    expect((await sealed(document)).total).toBe('12665.84');
  });

  test('tax rounded per document beside an exempt line: what is left over never crosses into another tax class', async () => {
    const document = sale({
      taxRounding: 'entity_level',
      lines: [
        [1, 90.3, 'exempt'],
        [0.45, 2.54, 'vat'],
        [0.28, 6.87, 'vat'],
      ],
    });
    expect(await sealed(document)).toMatchObject({
      a: '90.30',
      b: '3.61',
      tax: '0.55',
      total: '93.91',
    });
  });

  test('the same where the taxes of the document have neither ids nor rates', async () => {
    const document = sale(
      {
        taxRounding: 'entity_level',
        lines: [
          [1, 90.3, 'exempt'],
          [0.45, 2.54, 'vat'],
          [0.28, 6.87, 'vat'],
        ],
      },
      (raw) => ({
        taxes: (raw.taxes as { tax_name: string; tax_amount: number }[]).map(
          ({ tax_name, tax_amount }) => ({ tax_name, tax_amount }),
        ),
      }),
    );
    expect(await sealed(document)).toMatchObject({ a: '90.30', b: '3.61' });
  });

  test('quantities of three and more decimals: money exact', async () => {
    expect((await sealed(sale({ lines: [[15.619, 520, 'vat']] }))).total).toBe('9583.82');
    expect((await sealed(sale({ lines: [[2.166667, 100, 'vat']] }))).total).toBe('255.67');
    expect((await sealed(sale({ lines: [[0.005, 45_000, 'vat']] }))).total).toBe('265.50');
  });

  test('a total rounded down to a whole unit: the round-off belongs to the total', async () => {
    const document = sale(
      { lines: [[1, 1180.8, 'vat']] },
      { roundoff_value: -0.34, total: 1393, bcy_total: 1393, balance: 1393 },
    );
    expect((await sealed(document)).total).toBe('1393.00');
  });

  test('rounded up, it is no item of its own', async () => {
    const document = sale(
      {
        lines: [
          [1, 1180.31, 'vat'],
          [1, 5, 'exempt'],
        ],
      },
      { roundoff_value: 0.23, total: 1398, bcy_total: 1398, balance: 1398 },
    );
    const { receipt, a, b } = await sealed(document);
    expect({ total: receipt.totals.total, a, b }).toEqual({
      total: '1398.00',
      a: '5.00',
      b: '1393.00',
    });
  });

  test.each([
    [-0.34, '1393.00'],
    [0.66, '1394.00'],
  ])(
    'rounded by hand, with an adjustment of %s that makes the total whole, it is no item either',
    async (adjustment, total) => {
      const document = sale({ adjustment, lines: [[1, 1180.8, 'vat']] });
      expect((await sealed(document)).total).toBe(total);
      const wire = world.vsdc.receipts().find((each) => each.request.remark === document.number)
        ?.request as { itemList: unknown[] };
      expect(wire.itemList).toHaveLength(1);
    },
  );

  test('an adjustment of less than a unit that leaves the total as broken as it was is one', async () => {
    expect(await codes(sale({ adjustment: -0.5, lines: [[1, 1180.8, 'vat']] }))).toEqual([
      'negative_adjustment',
    ]);
  });

  test('a discount without line taxes: the tax is that of the discounted base', async () => {
    const document = sale(
      {
        discount: '10%',
        lines: [
          [5, 8500, 'vat'],
          [3, 1180, 'vat'],
          [2, 21_500, 'exempt'],
        ],
      },
      (raw) => ({
        line_items: (raw.line_items as Raw[]).map(({ line_item_taxes: _taxes, ...line }) => line),
      }),
    );
    expect(await sealed(document)).toMatchObject({
      total: '87594.48',
      a: '38700.00',
      b: '48894.48',
    });
  });

  test('a line of quantity 0 and amount 0 is left out', async () => {
    const { receipt, total } = await sealed(
      sale({
        lines: [
          [0, 1180, 'vat'],
          [1, 8500, 'vat'],
        ],
      }),
    );
    expect(total).toBe('10030.00');
    const told = world.vsdc
      .receipts()
      .find((each) => each.request.remark === receipt.document_number);
    expect(told?.request.itemList).toHaveLength(1);
  });

  test('books whose currency has no decimals: a foreign document comes to whole units', async () => {
    const other = await Api.signIn(world, world.businesses[1].user);
    const document = add(
      'invoices',
      { isInclusive: false, currency: usd(1447.25), lines: [[1, 535.53, 'exempt']] },
      { bcy_total: 775_046 },
      1,
    );
    expect((await sealed(document, other)).total).toBe('775046.00');
  });
});

/** 3 × 10.005 with 18 %, as Zoho computes it with three decimals. */
function threeDecimals(): Raw {
  const [vat] = organization().taxes;
  const line = {
    line_item_id: '1',
    item_id: '46000000003000100',
    name: 'Item',
    quantity: 3,
    rate: 10.005,
    item_total: 30.015,
    discount: 0,
  };
  const tax = {
    tax_id: vat?.tax_id,
    tax_name: 'VAT',
    tax_type: 'tax',
    tax_percentage: 18,
    line_item_taxes: [{ tax_name: 'VAT (18%)', tax_amount: 5.403 }],
  };
  const sums = {
    sub_total: 30.015,
    tax_total: 5.403,
    taxes: [{ tax_name: 'VAT (18%)', tax_amount: 5.403 }],
    total: 35.418,
    bcy_total: 35.418,
    balance: 35.418,
  };
  return { line_items: [{ ...line, ...tax }], ...sums };
}

describe('what cannot be sealed is said in one true sentence', () => {
  test('an advance as a negative line is that and nothing else', async () => {
    expect(
      await codes(
        sale({
          lines: [
            [2, 45_000, 'vat'],
            [1, -20_000, 'vat'],
          ],
        }),
      ),
    ).toEqual(['negative_line']);
  });

  test('so little of something that two decimals show nothing: in the check, at the press and in the list', async () => {
    const document = sale({ lines: [[0.001, 45_000, 'vat']] });
    expect(await codes(document)).toEqual(['quantity_unsupported']);
    expect(await api.seal('invoices', document.id)).toMatchObject({
      status: 422,
      body: { code: 'quantity_unsupported' },
    });
    await admin.post('/zoho/poll');
    await world.app.settle();
    const { status, body } = await api.get(`/documents?limit=50&document_ids=${document.id}`);
    expect({ status, standing: body.documents[0]?.standing }).toEqual({
      status: 200,
      standing: 'to_seal',
    });
  });

  test('a retainer, or a status that nobody knows, is never sealed, and stands in the list with its reason', async () => {
    const [lines] = [[[1, 500, 'vat']]] as [Ask['lines']];
    // The poll before this one has seen what was there until it was.
    const last_modified_time = new Date().toISOString().replace(/\.\d+Z$/, '+0000');
    const retainer = sale({ lines }, { type: 'retainer', last_modified_time });
    const odd = sale({ lines }, { status: 'scheduled', last_modified_time });
    const oddNote = note(sale({ lines }), { lines }, { status: 'scheduled' });
    const found = async (document: { id: string }, module = 'invoices') =>
      (await preflight(module, document)).findings;
    expect(await found(retainer)).toMatchObject([
      { code: 'document_kind_unknown', title: expect.stringContaining('“retainer”') },
    ]);
    expect(await found(odd)).toMatchObject([
      {
        code: 'document_status_unknown',
        field: 'status',
        title: expect.stringContaining('“scheduled”'),
      },
    ]);
    const [first] = (
      (await found(oddNote, 'creditnotes')) as { code: string; detail: string }[]
    ).filter((each) => each.code === 'document_status_unknown');
    expect(first?.detail).toContain('open');
    expect(await api.seal('invoices', retainer.id)).toMatchObject({
      status: 422,
      body: { code: 'document_kind_unknown' },
    });
    expect((await admin.post('/zoho/poll')).status).toBe(200);
    for (const [{ id, number }, code] of [
      [retainer, 'document_kind_unknown'],
      [odd, 'document_status_unknown'],
    ] as const) {
      const [row] = await until(
        async () =>
          (await api.get(`/documents?limit=50&document_ids=${id}`)).body.documents as {
            standing: string;
            problem: { code: string } | null;
          }[],
        (rows) => !['to_seal', undefined].includes(rows[0]?.problem?.code),
      );
      expect(row, number).toMatchObject({ standing: 'to_seal', problem: { code } });
      expect(world.vsdc.receipts().filter((each) => each.request.remark === number)).toEqual([]);
    }
  });

  test('a document that is worth nothing is that, and nobody is asked how nothing was paid', async () => {
    const nothing = {
      line_items: [],
      sub_total: 0,
      tax_total: 0,
      taxes: [],
      total: 0,
      bcy_total: 0,
      balance: 0,
    };
    expect(await codes(sale({ lines: [[1, 500, 'vat']] }, nothing))).toEqual(['document_empty']);
    expect(await codes(sale({ lines: [[1, 0, 'vat']] }, { balance: 0 }))).toEqual([
      'document_zero',
    ]);
  });

  test('shipping without a line is sold as what it is', async () => {
    const [vat] = organization().taxes;
    const shipping = {
      line_items: [],
      sub_total: 0,
      tax_total: 0,
      taxes: [],
      shipping_charge: 5000,
      shipping_charge_tax_id: vat?.tax_id,
      shipping_charge_tax_name: 'VAT',
      shipping_charge_tax_percentage: 18,
      shipping_charge_tax: 900,
      shipping_charge_exclusive_of_tax: 5000,
      shipping_charge_inclusive_of_tax: 5900,
      total: 5900,
      bcy_total: 5900,
      balance: 5900,
    };
    const document = sale({ lines: [[1, 500, 'vat']] }, shipping);
    expect(await sealed(document)).toMatchObject({ total: '5900.00', b: '5900.00', tax: '900.00' });
    const back = note(document, { lines: [[1, 500, 'vat']] }, shipping);
    expect(await refunded(back)).toMatchObject({ totals: { total: '5900.00' } });
  });

  test('an amount without a quantity', async () => {
    const document = sale({ lines: [[1, 500, 'vat']] }, (raw) => ({
      line_items: (raw.line_items as Raw[]).map((line) => ({ ...line, quantity: 0 })),
    }));
    expect(await codes(document)).toEqual(['line_without_quantity']);
  });

  test('shipping taxed at another rate than its class, in whichever fields it comes', async () => {
    const [vat] = organization().taxes;
    const flat = {
      shipping_charge: 5000,
      shipping_charge_tax_id: vat?.tax_id,
      shipping_charge_tax_name: 'VAT',
      shipping_charge_tax_percentage: 5,
      shipping_charge_tax: 250,
      shipping_charge_exclusive_of_tax: 5000,
      shipping_charge_inclusive_of_tax: 5250,
      total: 26_750,
      bcy_total: 26_750,
    };
    const listed = {
      ...flat,
      shipping_charge_tax_id: '',
      shipping_charge_tax_percentage: '',
      shipping_charge_tax: '',
      shipping_charge_taxes: [{ tax_id: vat?.tax_id, tax_name: 'VAT (5%)', tax_amount: 250 }],
    };
    const unsaid = { ...flat, shipping_charge_tax_percentage: '', shipping_charge_tax_name: '' };
    for (const shape of [flat, listed, unsaid])
      expect(await codes(sale({ lines: [[1, 21_500, 'exempt']] }, shape))).toEqual([
        'tax_rate_differs',
      ]);
  });
});

describe('a tax that is charged at another rate than it is named at', () => {
  const [net, exempt] = [1000, 500];
  /**
   * A line at 18 % of which so much was charged, beside an exempt one; the rest as Zoho would add
   * it up.
   */
  const charging = (tax: number, more: (raw: Raw) => Raw = () => ({}), ask: Partial<Ask> = {}) =>
    sale(
      {
        lines: [
          [1, net, 'vat'],
          [1, exempt, 'exempt'],
        ],
        ...ask,
      },
      (raw) => {
        const [first, second] = raw.line_items as (Raw & { line_item_taxes: Raw[] })[];
        const total = (raw.sub_total as number) - ((raw.discount_total as number) ?? 0) + tax;
        const changed = {
          line_items: [
            { ...first, line_item_taxes: [{ ...first?.line_item_taxes[0], tax_amount: tax }] },
            second,
          ],
          taxes: (raw.taxes as Raw[]).map((each) =>
            each.tax_amount === 0 ? each : { ...each, tax_amount: tax },
          ),
          tax_total: tax,
          total,
          bcy_total: total,
          balance: total,
        };
        return { ...changed, ...more({ ...raw, ...changed }) };
      },
    );
  const withoutLineTaxes = (raw: Raw) => ({
    line_items: (raw.line_items as Raw[]).map(({ line_item_taxes: _taxes, ...line }) => line),
  });

  test.each([
    ['at five per cent', 50],
    ['at none', 0],
  ])('on a line, %s, is said with both figures, and nothing is sealed', async (_what, tax) => {
    const document = charging(tax);
    const [finding, ...others] = (await preflight('invoices', document)).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'tax_rate_differs', field: 'line_items[0].tax_id' });
    for (const said of ['18 %', `${tax}.00 was charged`, '1000.00'])
      expect(finding.title).toContain(said);
    expect(await api.seal('invoices', document.id)).toMatchObject({
      status: 422,
      body: { code: 'tax_rate_differs' },
    });
  });

  test('where the lines do not say their taxes, the taxes of the document do, and where neither does their sum', async () => {
    const noTaxes = (raw: Raw) => ({ ...withoutLineTaxes(raw), taxes: [] });
    for (const hidden of [withoutLineTaxes, noTaxes])
      expect(await codes(charging(50, hidden))).toEqual(['tax_rate_differs']);
    expect((await sealed(charging(180, withoutLineTaxes))).b).toBe('1180.00');
  });

  test('with a discount of the whole document, by what the line costs after it', async () => {
    const discounted = { discount: '10%' };
    expect((await sealed(charging(162, undefined, discounted))).b).toBe('1062.00');
    expect(await codes(charging(45, undefined, discounted))).toEqual(['tax_rate_differs']);
    expect(await codes(charging(180, undefined, discounted))).toEqual(['tax_rate_differs']);
  });

  test('on a tax-inclusive line', async () => {
    const inclusive = (line: Raw, tax: number) =>
      sale({ isInclusive: true, lines: [[1, 1180, 'vat']] }, (raw) => {
        const [first] = raw.line_items as (Raw & { line_item_taxes: Raw[] })[];
        const taxes = (raw.taxes as Raw[]).map((each) => ({ ...each, tax_amount: tax }));
        return {
          line_items: [{ ...first, ...line }],
          sub_total: 1180 - tax,
          tax_total: tax,
          taxes,
        };
      });
    expect(
      await codes(
        inclusive(
          { item_total: 1123.81, line_item_taxes: [{ tax_name: 'VAT', tax_amount: 56.19 }] },
          56.19,
        ),
      ),
    ).toEqual(['tax_rate_differs']);
    expect(await codes(inclusive({ item_total: 1180, line_item_taxes: [] }, 0))).toEqual([
      'tax_rate_differs',
    ]);
  });

  test('an exempt line that bears one', async () => {
    const document = charging(180, (raw) => {
      const [first, second] = raw.line_items as Raw[];
      const total = (raw.total as number) + 90;
      return {
        line_items: [
          first,
          { ...second, line_item_taxes: [{ tax_name: 'Exempt', tax_amount: 90 }] },
        ],
        total,
        bcy_total: total,
        tax_total: 270,
      };
    });
    expect(await codes(document)).toEqual(['tax_rate_differs']);
  });

  test('on the shipping of a credit note', async () => {
    const [vat] = organization().taxes;
    const shipped = (tax: number) => ({
      shipping_charge: 5000,
      shipping_charge_tax_id: vat?.tax_id,
      shipping_charge_tax_name: 'VAT',
      shipping_charge_tax_percentage: 18,
      shipping_charge_tax: tax,
      shipping_charge_exclusive_of_tax: 5000,
      shipping_charge_inclusive_of_tax: 5000 + tax,
      total: 6180 + tax,
      bcy_total: 6180 + tax,
    });
    const sold = sale({ lines: [[1, net, 'vat']] }, shipped(900));
    await sealed(sold);
    expect(
      await codes(note(sold, { lines: [[1, net, 'vat']] }, shipped(250)), 'creditnotes'),
    ).toContain('tax_rate_differs');
    expect(
      await codes(note(sold, { lines: [[1, net, 'vat']] }, shipped(900)), 'creditnotes'),
    ).toEqual(['reason_missing']);
  });

  test('on the credit note of a sale', async () => {
    const sold = sale({ lines: [[1, net, 'vat']] });
    await sealed(sold);
    const back = note(sold, { lines: [[1, net, 'vat']] }, (raw) => {
      const [first] = raw.line_items as Raw[];
      return {
        line_items: [{ ...first, line_item_taxes: [{ tax_name: 'VAT (18%)', tax_amount: 50 }] }],
        taxes: [],
        tax_total: 50,
        total: 1050,
        bcy_total: 1050,
      };
    });
    expect(await codes(back, 'creditnotes')).toContain('tax_rate_differs');
  });
});

describe('a discount of the whole document', () => {
  test('is shared out as its lines say, where they say it', async () => {
    const shares = [5.01, 15];
    const document = sale(
      {
        discount: 20.01,
        lines: [
          [1, 100.05, 'vat'],
          [1, 100.05, 'exempt'],
        ],
      },
      (raw) => {
        const taxed = taxedAt(raw, 17.11);
        return {
          ...taxed,
          line_items: (raw.line_items as Raw[]).map((line, index) => ({
            ...line,
            discount: shares[index],
            discount_amount: shares[index],
          })),
        };
      },
    );
    expect(await sealed(document)).toMatchObject({ a: '85.05', b: '112.15', total: '197.20' });
  });

  test('leaves what is not taxed at its own share, converted once and exactly', async () => {
    const document = sale(
      {
        currency: usd(1447.25),
        discount: 10,
        lines: [
          [1, 100, 'vat'],
          [1, 200, 'exempt'],
        ],
      },
      (raw) => taxedAt(raw, 17.4),
    );
    // Two thirds of ten dollars are no whole cents: 193.333… × 1447.25, and what is left of 307.40
    // × 1447.25.
    expect(await sealed(document)).toMatchObject({
      a: '279801.67',
      b: '165082.98',
      total: '444884.65',
    });
  });
});

/** With that much tax on its first line. */
function taxedAt(raw: Raw, tax: number): Raw {
  const lines = raw.line_items as (Raw & { line_item_taxes: Raw[] })[];
  const total =
    Math.round(((raw.sub_total as number) - (raw.discount_total as number) + tax) * 100) / 100;
  const base = Math.round(total * (raw.exchange_rate as number) * 100) / 100;
  for (const line of lines.slice(0, 1))
    line.line_item_taxes = [{ ...line.line_item_taxes[0], tax_amount: tax }];
  const taxes = (raw.taxes as Raw[]).map((each) =>
    each.tax_amount === 0 ? each : { ...each, tax_amount: tax },
  );
  return { taxes, tax_total: tax, total, bcy_total: base, balance: total };
}

describe('a foreign rate that can hardly be', () => {
  test('is asked about with both rates and the total, and sealed only for the rate that was confirmed', async () => {
    await sealed(sale({ currency: usd(1447.25), lines: [[1, 10, 'vat']] }));
    const document = sale({ currency: usd(1), lines: [[1, 500, 'vat']] });
    const asked = await preflight('invoices', document);
    expect(asked).toMatchObject({
      ready: false,
      base_currency: 'RWF',
      base_total: '590.00',
      foreign: { currency: 'USD', exchange_rate: '1', rate_source: 'document' },
    });
    expect(asked.findings).toMatchObject([
      { code: 'exchange_rate_unlikely', rate: '1', known_rate: '1447.25', base_total: '590.00' },
    ]);
    for (const said of ['1447.25', '590.00 RWF', '1 RWF for one USD'])
      expect(asked.findings[0].title).toContain(said);
    expect(await api.seal('invoices', document.id)).toMatchObject({
      status: 422,
      body: { code: 'exchange_rate_unlikely' },
    });
    expect(
      await api.seal('invoices', document.id, { confirm: ['exchange_rate_unlikely'] }),
    ).toMatchObject({ status: 403 });
    const confirm = (confirmed_rate: string) =>
      admin.seal('invoices', document.id, { confirm: ['exchange_rate_unlikely'], confirmed_rate });
    // Whoever does not name the rate they saw has confirmed none.
    expect(
      await admin.seal('invoices', document.id, { confirm: ['exchange_rate_unlikely'] }),
    ).toMatchObject({
      status: 422,
      body: { code: 'exchange_rate_unlikely' },
    });
    expect(await confirm('1447.25')).toMatchObject({
      status: 422,
      body: { code: 'exchange_rate_unlikely' },
    });
    expect((await confirm('1.00')).body).toMatchObject({
      state: 'signed',
      totals: { total: '590.00' },
      foreign: { exchange_rate: '1', rate_date: today() },
    });
  });

  test('is far where nothing moves so far between two documents, in either direction', async () => {
    await sealed(
      sale({ currency: { code: 'EUR', rate: 1600, precision: 2 }, lines: [[1, 10, 'vat']] }),
    );
    for (const rate of [160, 16_000, 1.6, 1300])
      expect(
        await codes(
          sale({ currency: { code: 'EUR', rate, precision: 2 }, lines: [[1, 10, 'vat']] }),
        ),
      ).toEqual(['exchange_rate_unlikely']);
    expect(
      await codes(
        sale({ currency: { code: 'EUR', rate: 1650, precision: 2 }, lines: [[1, 10, 'vat']] }),
      ),
    ).toEqual([]);
  });

  test('is of another order than the two currencies are, or upside down, where nothing was sealed yet in that one', async () => {
    const at = (code: string, rate: number) =>
      codes(sale({ currency: { code, rate, precision: 2 }, lines: [[1, 1000, 'vat']] }));
    for (const [code, rate] of [
      ['ZAR', 0.0125],
      ['ZAR', 800],
      ['KES', 0.09],
      ['ZMW', 1440],
      ['SSP', 0.0125],
    ] as const)
      expect(await at(code, rate), `${code} ${rate}`).toEqual(['exchange_rate_unlikely']);
    for (const [code, rate] of [
      ['ZAR', 80],
      ['KES', 11.2],
      ['UGX', 0.39],
    ] as const)
      expect(await at(code, rate), `${code} ${rate}`).toEqual([]);
    const [asked] = (
      await preflight(
        'invoices',
        sale({ currency: { code: 'ZAR', rate: 0.0125, precision: 2 }, lines: [[1, 1000, 'vat']] }),
      )
    ).findings;
    expect(asked.title).toContain('usually about 80');
  });

  test('automatic sealing never confirms it: the document stands among those to seal, with the reason', async () => {
    await settings({ auto_seal: 'sent' });
    const document = sale(
      { currency: { code: 'GBP', rate: 1, precision: 2 }, lines: [[1, 500, 'vat']] },
      { last_modified_time: new Date(Date.now() + 60_000).toISOString().replace('Z', '+0000') },
    );
    await admin.post('/zoho/poll');
    await world.app.settle();
    const listed = async () =>
      (await api.get(`/documents?limit=10&document_ids=${document.id}`)).body.documents[0];
    expect(await listed()).toMatchObject({
      standing: 'to_seal',
      who: 'person',
      problem: { code: 'exchange_rate_unlikely', base_total: '590.00' },
    });
    await settings({ auto_seal: 'off' });
  });

  test('every foreign document shows its total in the device’s currency before the press, and keeps what it was converted by', async () => {
    const document = sale({ currency: usd(1450.5), lines: [[2, 100, 'vat']] });
    expect(await preflight('invoices', document)).toMatchObject({
      ready: true,
      base_total: '342318.00',
      foreign: { total: '236', exchange_rate: '1450.5' },
    });
    const { receipt } = await sealed(document);
    expect(receipt.foreign).toEqual({
      currency: 'USD',
      total: '236',
      exchange_rate: '1450.5',
      rate_date: today(),
      rate_source: 'document',
    });
  });
});

describe('a refund is measured by its sale', () => {
  test('a credit note dated before its sale refunds something else, and is asked to be put right', async () => {
    const before = new Date(Date.parse(`${today()}T00:00:00Z`) - 86_400_000)
      .toISOString()
      .slice(0, 10);
    const sold = sale({ lines: [[1, 1000, 'vat']] });
    await sealed(sold);
    const early = note(sold, { date: before, lines: [[1, 1000, 'vat']] });
    const { body } = await api.seal('creditnotes', early.id, { reason_code: '06' });
    expect(body).toMatchObject({
      status: 422,
      code: 'refund_before_sale',
      sale_date: today(),
      title: expect.stringContaining(today()),
    });
    expect(body.findings).toHaveLength(1);
    world.zoho.change('creditnotes', early.id, { date: today() });
    await refunded(early);
  });

  test('a credit note with its own day’s rate is a whole refund, at the rate of the sale', async () => {
    for (const rate of [1455.5, 1440.125]) {
      const original = sale({ currency: usd(1447.25), lines: [[1, 535.53, 'exempt']] });
      expect((await sealed(original)).total).toBe('775045.79');
      const whole = note(original, { currency: usd(rate), lines: [[1, 535.53, 'exempt']] });
      const body = await refunded(whole);
      expect(body).toMatchObject({
        totals: { total: '775045.79' },
        foreign: { exchange_rate: '1447.25', rate_source: 'sale' },
      });
    }
  });

  test('three notes of one unit each: the third is cut to what is left, a fourth is refused and says so', async () => {
    const original = sale({ lines: [[3, 10.03, 'vat']] });
    expect((await sealed(original)).total).toBe('35.51');
    const one = () => note(original, { lines: [[1, 10.03, 'vat']] });
    const totals: string[] = [];
    for (let i = 0; i < 3; i++) totals.push((await refunded(one())).totals.total);
    expect(totals).toEqual(['11.84', '11.84', '11.83']);
    const { findings } = await preflight('creditnotes', one());
    expect(findings.map((each: { code: string }) => each.code).toSorted()).toEqual([
      'reason_missing',
      'refund_too_large',
    ]);
    for (const said of ['11.84 RWF', 'Item 1', 'the 3 sold at 10.03', '0.00 RWF'])
      expect(
        findings.find((each: { code: string }) => each.code === 'refund_too_large').title,
      ).toContain(said);
  });

  test('an item that was sold at two prices is not said to have been sold at one of them', async () => {
    const coffee = { item: organization().items[0] };
    const original = sale({
      lines: [
        [1, 100, 'vat', coffee],
        [1, 8500, 'vat', coffee],
      ],
    });
    await sealed(original);
    const { findings } = await preflight(
      'creditnotes',
      note(original, { lines: [[2, 8500, 'vat', coffee]] }),
    );
    const { title } = findings.find((each: { code: string }) => each.code === 'refund_too_large');
    expect(title).toContain('of the 2 sold, 10148.00 RWF are left');
  });

  test('a refund that rounding has sealed at another amount than its document has says so, before the press and beside the receipt', async () => {
    const original = sale({ lines: [[3, 10.03, 'vat']] });
    await sealed(original);
    const part = () => note(original, { lines: [[1, 10.03, 'vat']] });
    for (let i = 0; i < 2; i++) expect((await refunded(part())).remarks).toEqual([]);
    const last = part();
    const before = await preflight('creditnotes', last);
    expect(before).toMatchObject({
      total: '11.84',
      base_total: '11.83',
      remarks: [{ code: 'refund_rounded', asked: '11.84', total: '11.83' }],
    });
    expect(before.remarks[0].title).toContain('comes to 11.84 RWF and is sealed at 11.83 RWF');
    expect((await refunded(last)).remarks).toMatchObject([
      { code: 'refund_rounded', fix: 'none', asked: '11.84', total: '11.83' },
    ]);
  });

  test('of a sale that is refunded whole, advice is what can be done: nothing is left that a line could be lowered to', async () => {
    const original = sale({ lines: [[1, 1000, 'vat']] });
    await sealed(original);
    await refunded(note(original, { lines: [[1, 1000, 'vat']] }));
    const { findings } = await preflight(
      'creditnotes',
      note(original, { lines: [[1, 1000, 'vat']] }),
    );
    const { title, detail } = findings.find(
      (each: { code: string }) => each.code === 'refund_too_large',
    );
    expect(title).toContain('of the 1 sold at 1000, 0.00 RWF are left to refund');
    expect(detail).toContain('void or delete the credit note');
    expect(detail).not.toContain('Lower');
  });

  test('a negative line of a credit note is not sent to a credit note', async () => {
    const advised = async (module: 'invoices' | 'creditnotes', document: { id: string }) =>
      (await preflight(module, document)).findings.find(
        (each: { code: string }) => each.code === 'negative_line',
      ).detail;
    const lines: Ask['lines'] = [
      [2, 45_000, 'vat'],
      [1, -20_000, 'vat'],
    ];
    const original = sale({ lines: [[2, 45_000, 'vat']] });
    await sealed(original);
    expect(await advised('invoices', sale({ lines }))).toContain('or a credit note');
    expect(await advised('creditnotes', note(original, { lines }))).toContain('without a minus');
  });

  test('a lower price first and the goods afterwards: units are not counted for a price cut', async () => {
    const original = sale({ lines: [[3, 1000, 'vat']] });
    await sealed(original);
    expect((await refunded(note(original, { lines: [[3, 100, 'vat']] }))).totals.total).toBe(
      '354.00',
    );
    expect((await refunded(note(original, { lines: [[3, 900, 'vat']] }))).totals.total).toBe(
      '3186.00',
    );
    expect(await codes(note(original, { lines: [[1, 0.01, 'vat']] }), 'creditnotes')).toContain(
      'refund_too_large',
    );
    expect(await codes(note(original, { lines: [[4, 1, 'vat']] }), 'creditnotes')).toContain(
      'refund_too_large',
    );
  });

  test('a class whose rate has changed since: refunded at the class and rate of the sale', async () => {
    const original = sale({ lines: [[1, 1000, 'vat']] });
    await sealed(original);
    const setRate = (percent: string) =>
      world.sql(
        "update code_list set data = jsonb_set(data, '{percent}', to_jsonb($1::text)) where list = 'tax_class' and code = 'B'",
        [percent],
        world.businesses[0].businessId,
      );
    await setRate('20');
    try {
      expect(await codes(sale({ lines: [[1, 1000, 'vat']] }))).toEqual(['tax_rate_differs']);
      const whole = note(original, { lines: [[1, 1000, 'vat']] });
      const { findings } = await preflight('creditnotes', whole);
      expect(findings.map((each: { code: string }) => each.code)).toEqual(['reason_missing']);
      const body = await refunded(whole);
      expect(
        body.totals.by_class.find((each: { tax_class: string }) => each.tax_class === 'B'),
      ).toMatchObject({
        rate: '18',
        taxable: '1180.00',
        tax: '180.00',
      });
    } finally {
      await setRate('18');
    }
  });

  test('a tax mapped to another class since, and an item without its mapping: as the sale was sealed', async () => {
    const original = sale({ lines: [[1, 500, 'exempt']] });
    await sealed(original);
    const [, , exempt] = organization().taxes;
    const map = (tax_class: string) =>
      admin.put('/mappings/tax', { mappings: [{ key: exempt?.tax_id, value: { tax_class } }] });
    await map('C');
    const body = await refunded(note(original, { lines: [[1, 500, 'exempt']] }));
    await map('A');
    expect(
      body.totals.by_class.find((each: { taxable: string }) => each.taxable === '500.00'),
    ).toMatchObject({ tax_class: 'A' });
  });

  test('all that stands in the way is said at once, with what is left of the sale item by item', async () => {
    const original = sale({
      lines: [
        [2, 1000, 'vat'],
        [1, 500, 'exempt'],
      ],
    });
    await sealed(original);
    const odd = note(original, {
      lines: [
        [3, 1000, 'vat'],
        [1, 500, 'exempt'],
        [1, 10, 'vat'],
      ],
    });
    const asked = await preflight('creditnotes', odd);
    expect((asked.findings as { code: string }[]).map((each) => each.code).toSorted()).toEqual([
      'reason_missing',
      'refund_line_unknown',
      'refund_too_many',
    ]);
    const larger = note(original, {
      lines: [
        [3, 1000, 'vat'],
        [1, 600, 'exempt'],
      ],
    });
    const both = await preflight('creditnotes', larger);
    expect((both.findings as { code: string }[]).map((each) => each.code).toSorted()).toEqual([
      'reason_missing',
      'refund_too_large',
      'refund_too_large',
    ]);
    expect(both.refund_left).toEqual([
      {
        name: 'Item 1',
        quantity: '2',
        unit_price: '1000',
        sold: '2360.00',
        refunded: '0.00',
        left: '2360.00',
        asked: '3540.00',
      },
      {
        name: 'Item 2',
        quantity: '1',
        unit_price: '500',
        sold: '500.00',
        refunded: '0.00',
        left: '500.00',
        asked: '600.00',
      },
    ]);
  });

  test('of a sale that was filed before quantities and rates were kept with it, to a cent a line', async () => {
    const original = sale({ lines: [[3, 10.03, 'vat']] });
    const { receipt } = await sealed(original);
    await world.sql(
      "update receipt set signing_input = jsonb_set(signing_input, '{sale,lines}', (select jsonb_agg(l - 'books') from jsonb_array_elements(signing_input->'sale'->'lines') l)) where id = $1",
      [receipt.id],
      world.businesses[0].businessId,
    );
    const totals: string[] = [];
    for (let i = 0; i < 3; i++)
      totals.push((await refunded(note(original, { lines: [[1, 10.03, 'vat']] }))).totals.total);
    expect(totals).toEqual(['11.84', '11.84', '11.83']);
  });
});
