import { describeProblem } from '@muhuri/shared/problems';
import { describe, expect, test } from 'vitest';
import { checkRate } from './exchange-rate.model.ts';
import { makeSale } from './make-sale.model.ts';
import { document, line, setup } from './make-sale.samples.ts';

const asked = (currency: string, rate: string, last: string | null) =>
  checkRate(
    { currency, rate, total: '590.00', baseCurrency: 'RWF' },
    last === null ? null : { rate: last, date: '2026-11-01' },
    {
      isConfirmed: false,
      rate: undefined,
    },
  )?.code ?? null;

test.each([
  ['a currency of which nothing is known', 'SSP', null],
  ['one that was sealed at 1 before', 'USD', '1'],
  ['one that stands close to it', 'BIF', '0.95'],
])(
  'a rate of 1 is what the books put where nobody set one, and is always asked about: %s',
  (_what, currency, last) => {
    expect(asked(currency, '1', last)).toBe('exchange_rate_unlikely');
    expect(asked(currency, '1.000', last)).toBe('exchange_rate_unlikely');
    if (last) expect(asked(currency, last === '1' ? '1.01' : last, last)).toBe(null);
  },
);

test.each([
  ['3.1', '3.10'],
  ['0.4', '0.39'],
])(
  'the first document of a currency whose usual rate is not known here is asked about at whatever rate, and the next is not: %s',
  (rate, next) => {
    const [finding] = foreign({ currency: 'SSP', exchangeRate: rate });
    const { title } = describeProblem(finding as NonNullable<typeof finding>, 'en');
    for (const said of [
      `counts ${rate} RWF for one SSP`,
      'no document in SSP was sealed yet',
      'It would be sealed at',
    ])
      expect(title).toContain(said);
    expect(asked('SSP', next, rate)).toBe(null);
  },
);

test.each([
  ['EUR', '1000', '1600'],
  ['CNY', '60', '200'],
  ['USD', '1900', '1447.25'],
  ['KES', '7', '11.2'],
])(
  'a first rate of %s that is a third or more off the usual one is asked about: %s',
  (currency, far, near) => {
    expect(asked(currency, far, null)).toBe('exchange_rate_unlikely');
    expect(asked(currency, near, null)).toBe(null);
  },
);

const foreign = (more: object) =>
  makeSale(
    document({
      lines: [line('100')],
      total: '118',
      currency: 'USD',
      exchangeRate: '1447.25',
      ...more,
    }),
    setup,
    {},
    null,
  ).findings;

test.each(['RWD', 'XXX', 'XTS', 'XAU', 'USDT', 'usd', ''])(
  'what is no currency that anybody pays in is none of a document: “%s”',
  (currency) => {
    const findings = foreign({ currency });
    expect(findings).toMatchObject([{ code: 'currency_unknown', field: 'currency_code' }]);
    expect(describeProblem(findings[0] as NonNullable<(typeof findings)[0]>, 'en').title).toContain(
      currency === '' ? 'without a code' : `“${currency}”`,
    );
  },
);

test.each(['USD', 'XOF', 'XAF', 'CDF', 'ZWG'])('what people do pay in is one: %s', (currency) => {
  expect(foreign({ currency }).map((each) => each.code)).not.toContain('currency_unknown');
});

describe('the books’ own total in their currency', () => {
  const known = { ...setup, sealedRate: { rate: '1447.25', date: '2026-11-01' } };
  const found = (more: object, answers = {}) =>
    makeSale(
      document({
        lines: [line('100')],
        total: '118',
        currency: 'USD',
        exchangeRate: '1447.25',
        ...more,
      }),
      known,
      answers,
      null,
    ).findings;

  test.each(['1', '118', '170000', '171000.25', '0'])(
    'is asked about where it is not what the rate makes of the document: %s',
    (baseTotal) => {
      const findings = found({ baseTotal });
      expect(findings).toMatchObject([
        {
          code: 'exchange_rate_unlikely',
          rate: '1447.25',
          base_total: '170775.50',
          books_total: baseTotal,
        },
      ]);
      expect(
        describeProblem(findings[0] as NonNullable<(typeof findings)[0]>, 'en').title,
      ).toContain(`Zoho Books itself has it at ${baseTotal} RWF`);
      expect(
        found({ baseTotal }, { confirm: ['exchange_rate_unlikely'], confirmed_rate: '1447.25' }),
      ).toEqual([]);
    },
  );

  test.each(['170775.5', '170775.51', '170776', '170780', null])(
    'is not, where rounding can have made it, and where there is none: %s',
    (baseTotal) => {
      expect(found({ baseTotal })).toEqual([]);
    },
  );
});
