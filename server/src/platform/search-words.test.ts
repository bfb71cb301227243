import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prefixesOf, endOfPrefix, searchWordsOf } from './search-words.ts';

const isFound = (search: string, ...texts: string[]) => {
  const beginnings = prefixesOf(search);
  return (
    beginnings.length > 0 &&
    beginnings.every((each) => searchWordsOf(...texts).includes(` ${each}`))
  );
};

test('a row is found by the beginnings of its words, whatever their case and accents, and by a number without its zeros', () => {
  const row = ['INV-000123', 'Café Kivu (Huye) Ltd.', '11800.00'] as const;
  for (const search of [
    'inv-000123',
    'INV-0001',
    '000123',
    '123',
    'cafe',
    'CAFÉ',
    'huye kivu',
    'ltd',
    '11800',
    '11,800.00',
    '118',
    '(huye)',
  ])
    expect(isFound(search, ...row), search).toBe(true);
  for (const search of ['vu', '23', 'cafes', 'kivu goma', '%', '_', '-', '11800.5'])
    expect(isFound(search, ...row), search).toBe(false);
});

test('whatever a text holds, its every word finds it, and every word that begins like that lies in the range of the index', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      for (const token of text.split(/\s+/u).filter((each) => prefixesOf(each).length > 0))
        expect(isFound(token, text)).toBe(true);
      for (const word of searchWordsOf(text).split(' ').filter(Boolean)) {
        const [one] = prefixesOf(word);
        if (one !== undefined)
          expect(Buffer.compare(Buffer.from(`${one}zz`), Buffer.from(endOfPrefix(one)))).toBe(-1);
      }
    }),
    { numRuns: 2_000 },
  );
});
