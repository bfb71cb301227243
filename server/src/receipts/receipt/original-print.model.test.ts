import { describe, expect, test } from 'vitest';
import { fileNameOf, isOriginal, type OriginalPaper, type Wish } from './original-print.model.ts';

describe('a print is the original', () => {
  test.each<[Wish, OriginalPaper | null, boolean, boolean]>([
    ['original', null, false, true],
    ['original', 'zoho', false, true],
    ['original', 'a4', true, false],
    ['copy', 'a4', false, false],
    ['asked', null, false, true],
    ['asked', 'a4', false, true],
    ['asked', '80mm', false, false],
    ['asked', 'a4', true, false],
    ['read', null, false, false],
    ['read', 'a4', false, true],
    ['read', 'mail', false, false],
    ['read', 'a4', true, false],
  ])('wished as %s on A4, chosen %s, one given out %s: %s', (wish, choice, hasOriginal, is) => {
    expect(isOriginal(wish, 'a4', { choice, hasOriginal })).toBe(is);
  });
});

test.each([
  ['INV-1001', 'a4', 0, 'INV-1001 receipt A4.pdf'],
  ['INV-1001', '80mm', 2, 'INV-1001 receipt 80mm COPY 2.pdf'],
  ['INV/2026 №7', 'a5', 0, 'INV-2026-7 receipt A5.pdf'],
  ['', '58mm', 0, 'receipt receipt 58mm.pdf'],
  ['9'.repeat(80), 'a4', 0, `${'9'.repeat(60)} receipt A4.pdf`],
] as const)('the file of %s on %s, print %i', (documentNumber, paper, number, name) => {
  expect(fileNameOf(documentNumber, { paper, number })).toBe(name);
  expect(fileNameOf(documentNumber, { paper, number }, 'svg')).toBe(name.replace('.pdf', '.svg'));
});
