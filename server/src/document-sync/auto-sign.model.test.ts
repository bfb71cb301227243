import { expect, test } from 'vitest';
import type { BusinessSettings } from '../businesses/business.model.ts';
import { signsAutomatically } from './auto-sign.model.ts';

const none = { customer_ids: [], location_ids: [], number_prefixes: [] };
const signs = (
  auto_seal: BusinessSettings['auto_seal'],
  status: string,
  exempt: Partial<BusinessSettings['exempt']> = {},
  locationId: string | null = 'loc_1',
) =>
  signsAutomatically({ auto_seal, exempt: { ...none, ...exempt } } as BusinessSettings, {
    status,
    number: 'INV-1',
    customer: { id: 'c1' },
    locationId,
  });

test.each([
  ['off', 'sent', false],
  ['sent', 'sent', true],
  ['sent', 'paid', true],
  ['sent', 'approved', false],
  ['approved', 'approved', true],
  ['approved', 'sent', true],
  ['approved', 'draft', false],
  ['approved', 'pending_approval', false],
  ['approved', 'submitted', false],
  ['approved', 'rejected', false],
  ['approved', 'void', false],
  ['approved', '', false],
] as const)(
  'a business that seals by itself “%s”, of a document that is “%s”: %s',
  (by, is, so) => {
    expect(signs(by, is)).toBe(so);
  },
);

test('what the business has exempted is left to a person', () => {
  expect(signs('sent', 'sent', { customer_ids: ['c1'] })).toBe(false);
  expect(signs('sent', 'sent', { location_ids: ['loc_1'] })).toBe(false);
  expect(signs('sent', 'sent', { number_prefixes: ['INV'] })).toBe(false);
  expect(signs('sent', 'sent', { customer_ids: ['c2'], number_prefixes: ['CN'] })).toBe(true);
  expect(signs('sent', 'sent', { location_ids: ['loc_1'] }, null)).toBe(true);
});
