import { expect, test } from 'vitest';
import { isMark, isPlain, mapTexts, printable } from './printable-text.model.ts';

test.each([
  ['plain text as it is', 'Kigali 12 (a)', 'Kigali 12 (a)'],
  ['a blank for control characters', 'a\u0007\nb\u2028c', 'a b c'],
  ['nothing for what turns the text behind it round', '1\u202e00 RWF', '100 RWF'],
  ['nothing for what is invisible', 'a\u00adb\ufeff', 'ab'],
  ['what joins letters', 'می\u200cخواهم', 'می\u200cخواهم'],
  ['eight marks upon a letter', `é${'\u0301'.repeat(30)}`, `é${'\u0301'.repeat(8)}`],
  ['a hand without its colour', '👍🏿', '👍'],
  ['letters without their dress', '𝐀𝟙', 'A1'],
  ['the two parts of a Thai vowel', 'น\u0e49\u0e33', 'น\u0e4d\u0e49า'],
  ['the two parts of a Lao vowel', 'ນ\u0ec9\u0eb3', 'ນ\u0ecd\u0ec9າ'],
  ['a sign for half a letter', 'a\ud800', 'a\ufffd'],
])('on paper stands %s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('every text of a value is changed, and nothing else of it', () => {
  const value = { name: 'a', lines: [{ name: 'b', count: 1, none: null }], isFine: true };
  expect(mapTexts(value, (text) => text.toUpperCase())).toEqual({
    name: 'A',
    lines: [{ name: 'B', count: 1, none: null }],
    isFine: true,
  });
  expect(mapTexts(null, () => 'x')).toBeNull();
});

test('marks and plain letters are told from others', () => {
  expect(isMark(0x200e)).toBe(true);
  expect(isMark(0x41)).toBe(false);
  expect(isPlain('Crème brûlée – 5 €')).toBe(true);
  expect(isPlain('مرحبا')).toBe(false);
});
