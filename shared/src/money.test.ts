import fc from 'fast-check';
import { expect, test } from 'vitest';
import { add, apportion, compare, grouped, multiplyDivide, round } from './money.ts';

test('rounding is half up, away from zero, once', () => {
  expect(round('1.005', 2)).toBe('1.01');
  expect(round('-1.005', 2)).toBe('-1.01');
  expect(round('-0.001', 2)).toBe('0.00');
  expect(multiplyDivide('9450', '18', '118', 2)).toBe('1441.53');
});

test('parts of any split add up to the whole, and none has the wrong sign', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 10_000_000 }),
      fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 20 }),
      (units, weights) => {
        const total = `${Math.floor(units / 100)}.${String(units % 100).padStart(2, '0')}`;
        const parts = apportion(total, weights.map(String), 2);
        return (
          compare(add('0', ...parts), total) === 0 && parts.every((part) => compare(part, '0') >= 0)
        );
      },
    ),
    { numRuns: 5_000 },
  );
});

test('thousands are set apart', () => {
  expect(grouped('-1234567.50')).toBe('-1,234,567.50');
});
