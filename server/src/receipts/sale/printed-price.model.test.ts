import { absolute, add, compare, divide, multiply, round, subtract } from '@muhuri/shared/money';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shownPrice } from './printed-price.model.ts';

test.each([
  [
    'a tiny price times a huge quantity',
    { gross: '12665.84', quantity: '1951593', books: { quantity: '1951593', rate: '0.0055' } },
    '0.00649',
    '1951593',
  ],
  [
    'three decimals of quantity',
    { gross: '8121.88', quantity: '15.62', books: { quantity: '15.619', rate: '520' } },
    '520.00',
    '15.619',
  ],
  [
    'six decimals of quantity',
    { gross: '97500.02', quantity: '2.17', books: { quantity: '2.166667', rate: '45000' } },
    '45000.00',
    '2.166667',
  ],
  [
    'a quantity that two decimals cannot say',
    { gross: '225.00', quantity: '0.01', books: { quantity: '0.005', rate: '45000' } },
    '45000.00',
    '0.005',
  ],
  [
    'a price of three decimals',
    { gross: '24.69', quantity: '2', books: { quantity: '2.000', rate: '12.345' } },
    '12.345',
    '2',
  ],
  [
    'a cent of rounding on the line',
    { gross: '35.51', quantity: '3', books: { quantity: '3', rate: '10.03' } },
    '11.84',
    '3',
  ],
  [
    'one piece whose amount was settled by a cent',
    { gross: '4.99', quantity: '1', books: { quantity: '1.00', rate: '5' } },
    '4.99',
    '1',
  ],
  [
    'a receipt filed before the books’ line was kept',
    { gross: '2360.00', quantity: '2.00' },
    '1180.00',
    '2',
  ],
] as const)('%s', (_what, line, unitPrice, quantity) =>
  expect(shownPrice(line)).toEqual({ unitPrice, quantity }),
);

test.each([
  [
    'a weighed price',
    {
      gross: '3014.67',
      quantity: '0.34',
      books: { quantity: '0.335', rate: '8999.00', isTaxInclusive: true },
    },
    {},
    '8999.00',
  ],
  [
    'a small price of a small part',
    {
      gross: '0.07',
      quantity: '0.15',
      books: { quantity: '0.15', rate: '0.45', isTaxInclusive: true },
    },
    {},
    '0.45',
  ],
  [
    'a price before tax',
    {
      gross: '392.94',
      quantity: '0.33',
      books: { quantity: '0.333', rate: '999.99', isTaxInclusive: false },
    },
    { taxRate: '18' },
    '1179.99',
  ],
  [
    'a price before a tax of nought',
    {
      gross: '3014.67',
      quantity: '0.34',
      books: { quantity: '0.335', rate: '8999', isTaxInclusive: false },
    },
    { taxRate: '0' },
    '8999.00',
  ],
  [
    'a weighed price whose amount was settled by a cent',
    {
      gross: '3014.66',
      quantity: '0.34',
      books: { quantity: '0.335', rate: '8999.00', isTaxInclusive: true },
    },
    {},
    '8999.00',
  ],
  [
    'one piece before tax',
    {
      gross: '11.83',
      quantity: '1',
      books: { quantity: '1', rate: '10.03', isTaxInclusive: false },
    },
    { taxRate: '18' },
    '11.83',
  ],
  [
    'a foreign price',
    {
      gross: '482.42',
      quantity: '0.33',
      books: { quantity: '0.333', rate: '1', isTaxInclusive: true },
    },
    { exchangeRate: '1448.7' },
    '1448.70',
  ],
  [
    'a price that is not what was paid',
    {
      gross: '500.00',
      quantity: '0.5',
      books: { quantity: '0.5', rate: '900', isTaxInclusive: true },
    },
    {},
    '1000.00',
  ],
] as const)(
  '%s is the one of the books where that makes the amount',
  (_what, line, of, unitPrice) => expect(shownPrice(line, of).unitPrice).toBe(unitPrice),
);

test('the price of one piece, with its decimals or to the cent, is the amount beside it, whatever it is in the books', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99_999_999 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: -2, max: 2 }),
      (units, places, off) => {
        const rate = scaled(units, places);
        const gross = round(add(rate, divide(String(off), '100')), 2);
        const { unitPrice } = shownPrice({ gross, quantity: '1', books: { quantity: '1', rate } });
        expect(round(unitPrice, 2)).toBe(gross);
      },
    ),
  );
});

test('price times quantity on paper makes the amount beside it, to the cent', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000_000_000 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 1, max: 9_999_999_999 }),
      (units, places, cents) => {
        const quantity = scaled(units, places);
        const gross = scaled(cents, 2);
        const { unitPrice } = shownPrice({ gross, quantity, books: { quantity, rate: '1' } });
        expect(
          compare(absolute(subtract(multiply(unitPrice, quantity), gross)), '0.01'),
        ).toBeLessThanOrEqual(0);
      },
    ),
  );
});

function scaled(units: number, places: number): string {
  const text = String(units).padStart(places + 1, '0');
  return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
}
