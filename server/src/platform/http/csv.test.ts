import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvOf, plainCell } from './csv.ts';

const whole = async (rows: unknown[][]) => {
  let text = '';
  async function* pages() {
    for (const row of rows) yield [row];
  }
  for await (const part of csvOf(['a', 'b'], pages())) text += part;
  return text;
};

test('no cell is a formula, however a spreadsheet cuts the line: at commas, semicolons, tabs or line ends, with blanks before', async () => {
  const openings = ['=', '+', '-', '@', '\uFF1D', '\uFF0B', '\uFE66', '\uFE6B', '\u2212'];
  const before = [
    '',
    ' ',
    '\n',
    '\r\n',
    '\t',
    '\u00a0',
    '\ufeff',
    '\u200b',
    'x;',
    'x,',
    'x\t',
    'x\n',
    'x; ',
    'x|',
    '"',
    '""',
    'x;"',
    'x; " ',
    'x\n""',
  ];
  for (const lead of before)
    for (const opening of openings) {
      const cell = plainCell(`${lead}${opening}1+1`);
      for (const part of cell.split(/[;,|\t\r\n]/))
        expect(part.replace(/^[\s\p{C}"]+/u, ''), JSON.stringify(cell)).not.toMatch(
          /^[=+\-@\uFF1D\uFF0B\uFE66\uFE6B\u2212]/u,
        );
      const line = (await whole([[`${lead}${opening}1+1`, 'y']])).split('\n').slice(1).join('\n');
      expect(line.startsWith('"')).toBe(true);
      expect(line.trimEnd().endsWith('"')).toBe(true);
    }
  expect(plainCell('-12.50')).toBe('-12.50');
  expect(plainCell('a=b, -c')).toBe("a=b, '-c");
  expect(plainCell('INV-1')).toBe('INV-1');
});

test('whatever text it holds, no part of it begins as a formula', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'=+-@;,|\t\r\n "\'ax1\u00a0') }), (text) => {
      const cell = plainCell(text);
      if (/^-\d+(\.\d+)?$/.test(cell)) return;
      for (const part of cell.split(/[;,|\t\r\n]/))
        expect(part.replace(/^[\s\p{C}"]+/u, '')).not.toMatch(/^[=+\-@]/);
    }),
    { numRuns: 3_000 },
  );
});
