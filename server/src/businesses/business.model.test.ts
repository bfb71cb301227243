import { expect, test } from 'vitest';
import { type EndedExemption, endExemptions, wasExemptWhenMade } from './business.model.ts';

const time = (minute: number) => new Date(Date.UTC(2026, 10, 1, 0, minute));
const customers = (from: number, count: number) => ({
  customer_ids: Array.from({ length: count }, (_, i) => `${from + i}`),
  location_ids: [],
  number_prefixes: [],
});
const madeFor = (customer: number, minute: number) => ({
  number: 'INV-1',
  customer: { id: `${customer}` },
  locationId: null,
  createdAt: time(minute),
});

test('of whatever was exempt it stays known, however much has ended since: what is too much to be kept one by one is asked about by its time', () => {
  let ended: EndedExemption[] = [];
  for (let save = 1; save <= 5; save++)
    ended = endExemptions(ended, customers(save * 1_000, 500), time(save * 10));
  expect(ended.length).toBeLessThanOrEqual(1_000);
  for (let save = 1; save <= 5; save++)
    for (const customer of [save * 1_000, save * 1_000 + 499])
      expect(wasExemptWhenMade(ended, madeFor(customer, save * 10 - 1)), `${customer}`).toBe(true);
  // The latest are kept one by one: of those nobody else's document is asked about, nor what was
  // made after they ended.
  expect(wasExemptWhenMade(ended, madeFor(9, 45))).toBe(false);
  expect(wasExemptWhenMade(ended, madeFor(5_000, 51))).toBe(false);
});

test('what ends once more is known once, with its latest end', () => {
  const first = endExemptions([], customers(1, 2), time(10));
  const again = endExemptions(first, customers(1, 1), time(20));
  expect(again.map(({ value, at }) => [value, at])).toEqual([
    ['1', time(20).toISOString()],
    ['2', time(10).toISOString()],
  ]);
});
