import { expect, test } from 'vitest';
import { isRenamed, isSame, placeOfKeys } from './device-keys.model.ts';

const early = new Date('2026-03-02T08:00:00Z');
const late = new Date('2026-03-02T08:05:00Z');
const keys = { intrl: 'a', sign: 'b' };
const given = { askedAt: late, isAnother: false };

test('Keys are the same if every one of them is', () => {
  expect(isSame(keys, { ...keys })).toBe(true);
  expect(isSame(keys, { ...keys, sign: 'c' })).toBe(false);
});

test.each([
  ['none are kept', { keys: null, askedAt: null }, given, 'in_place'],
  ['those of an earlier question are kept', { keys, askedAt: early }, given, 'in_place'],
  [
    'those of a later question are kept',
    { keys, askedAt: late },
    { ...given, askedAt: early },
    'aside',
  ],
  ['those of the same moment are kept', { keys, askedAt: late }, given, 'in_place'],
  ['those that are kept were not asked for', { keys, askedAt: null }, given, 'in_place'],
  [
    'the row names another device now',
    { keys: null, askedAt: null },
    { ...given, isAnother: true },
    'aside',
  ],
] as const)(
  'Where %s, keys that a device gives go where they must: %o %o %s',
  (_, kept, gave, place) => {
    expect(placeOfKeys(kept, gave)).toBe(place);
  },
);

test('Another serial, environment or dialect is another device', () => {
  const device = { serial: 'S1', environment: 'sandbox', dialect: 'xx-sdc' };
  expect(isRenamed(device, { ...device })).toBe(false);
  expect(isRenamed(device, { ...device, serial: 'S2' })).toBe(true);
  expect(isRenamed(device, { ...device, environment: 'production' })).toBe(true);
  expect(isRenamed(device, { ...device, dialect: 'yy-sdc' })).toBe(true);
});
