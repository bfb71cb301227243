import { expect, test } from 'vitest';
import { hashOf, isStill } from './document-hash.ts';
import { document, line } from './make-sale.samples.ts';

test('what is read of a document in addition does not make one that was sealed before look changed', () => {
  const tax = { id: 'vat', name: 'VAT', percent: '18', kind: 'tax' as const, amount: '180' };
  const parts = [{ id: 'vat', name: 'VAT (18%)', amount: '180' }];
  const shipping = { net: '0', tax: '0', taxId: null, taxPercent: null };
  const before = document({ shipping, lines: [line('1000', { tax })] });
  const now = {
    ...before,
    basePlaces: 0,
    taxes: parts,
    shipping: { ...shipping, taxName: 'VAT' },
    lines: [line('1000', { tax: { ...tax, parts } })],
  };
  expect(hashOf(now)).toBe(hashOf(before));
  expect(hashOf({ ...now, lines: [line('1000.01', { tax })] })).not.toBe(hashOf(before));
});

test('the same amounts written with more or fewer noughts are the same document', () => {
  const tax = { id: 'vat', name: 'VAT', percent: '18', kind: 'tax' as const, amount: '180' };
  const plain = document({
    lines: [line('1000', { tax, quantity: '2', rate: '500' })],
    total: '1180',
    adjustment: '0',
  });
  const dressed = document({
    lines: [
      line('1000.00', {
        tax: { ...tax, percent: '18.0', amount: '180.00' },
        quantity: '2.000',
        rate: '500.00',
      }),
    ],
    total: '1180.00',
    adjustment: '0.00',
  });
  expect(isStill(dressed, hashOf(plain))).toBe(true);
  expect(isStill({ ...dressed, total: '1180.01' }, hashOf(plain))).toBe(false);
});

test('what was sealed when amounts were hashed as they were written is still the same document', () => {
  const sealed = document({ lines: [line('1000.00', { rate: '1000.00' })], total: '1000.00' });
  // As it was kept then.
  expect(isStill(sealed, 'ec4f2eee8099e26e3d0cdd7345d4636f455691f213992e968db4bed14566abd9')).toBe(
    true,
  );
});
