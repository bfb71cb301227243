import { expect, test } from 'vitest';
import { hashOf } from './document-hash.ts';
import { document, line } from './make-sale.samples.ts';

test('what is read of a document in addition does not make one that was sealed before look changed', () => {
  const tax = { id: 'vat', name: 'VAT', percent: '18', kind: 'tax' as const, amount: '180' };
  const parts = [{ id: 'vat', name: 'VAT (18%)', amount: '180' }];
  const shipping = { net: '0', tax: '0', taxId: null, taxPercent: null };
  const before = document({ shipping, lines: [line('1000', { tax })] });
  const now = { ...before, basePlaces: 0, taxes: parts, shipping: { ...shipping, taxName: 'VAT' }, lines: [line('1000', { tax: { ...tax, parts } })] };
  expect(hashOf(now)).toBe(hashOf(before));
  expect(hashOf({ ...now, lines: [line('1000.01', { tax })] })).not.toBe(hashOf(before));
});
