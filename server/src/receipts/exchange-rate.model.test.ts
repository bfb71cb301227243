import { expect, test } from 'vitest';
import { checkRate } from './exchange-rate.model.ts';

const asked = (currency: string, rate: string, last: string | null) =>
  checkRate({ currency, rate, total: '590.00', baseCurrency: 'RWF' }, last === null ? null : { rate: last, date: '2026-11-01' }, {
    isConfirmed: false,
    rate: undefined,
  })?.code ?? null;

test.each([
  ['a currency of which nothing is known', 'XTS', null],
  ['one that was sealed at 1 before', 'USD', '1'],
  ['one that stands close to it', 'BIF', '0.95'],
])('a rate of 1 is what the books put where nobody set one, and is always asked about: %s', (_what, currency, last) => {
  expect(asked(currency, '1', last)).toBe('exchange_rate_unlikely');
  expect(asked(currency, '1.000', last)).toBe('exchange_rate_unlikely');
  if (last) expect(asked(currency, last === '1' ? '1.01' : last, last)).toBe(null);
});
