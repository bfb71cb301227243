import { describe, expect, test } from 'vitest';
import { arabic } from './problems.ar.ts';
import { describeProblem, type ProblemCode, problems } from './problems.ts';

/*
 * Every sentence in every language, with whatever its parameters can be: what a bookkeeper reads is a sentence, and its advice can be followed.
 */
const languages = ['en', 'fr', 'ar'];
const codes = Object.keys(problems) as ProblemCode[];
const wordsOf = (code: ProblemCode) =>
  [...problems[code].en, ...problems[code].fr, ...arabic[code]].join(' ');
const namesIn = (code: ProblemCode) =>
  [...new Set([...wordsOf(code).matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))].filter(
    (name) => name !== 'line',
  );

const long = 'Coffee beans of the far hills '.repeat(100);
const values: unknown[] = [
  'Ikawa',
  '0',
  '0.00',
  '-3.50',
  0,
  7,
  long,
  ' \n two\u000b  words ',
  '“x”',
];
const nothings: unknown[] = [undefined, null, '', '  ', '-', {}, Number.NaN];
const kinds = [
  {},
  { field: 'line_items[3].tax_id' },
  { module: 'invoices' },
  { module: 'creditnotes', field: 'line_items[0]' },
];

/** Every choice of what is known and what is not, each in several dresses. */
function* paramsOf(code: ProblemCode): Generator<Record<string, unknown>> {
  const names = namesIn(code);
  for (let known = 0; known < 2 ** names.length; known++)
    for (const dress of names.length === 0 ? [0] : [known, known + 4, known + 8]) {
      const of = (from: unknown[], at: number) => from[(at + dress) % from.length];
      yield Object.fromEntries(
        names.map((name, at) => [
          name,
          (known >> at) % 2 === 1 ? of(values, at) : of(nothings, at),
        ]),
      );
    }
}

const oddities: [RegExp, string][] = [
  [/undefined|\bnull\b|NaN|\[object/, 'a value that is none'],
  [/[{}[\]|]|\?\w+:/, 'something of the catalogue itself'],
  [/ {2}|^ | $|[\p{Cc}]/u, 'blanks where none belong'],
  [/“\s*”|«\s*»|"\s*"|\(\s*\)/, 'empty marks'],
  [/ [.,)]|[:;,]\.|[;,:] ?[;,:]|\.\./, 'marks that follow nothing'],
  [
    /\b(?:for one|under number|instead of|pour un|au lieu de|sous le numéro) ?(?:$|[.,;:)])/,
    'words that nothing follows',
  ],
];

describe.each(languages)('every sentence in %s', (language) => {
  test('is whole, whatever is known of what it names', () => {
    const found: string[] = [];
    for (const code of codes)
      for (const kind of kinds)
        for (const params of paramsOf(code)) {
          const { title, detail } = describeProblem(
            { ...kind, ...params, code } as never,
            language,
          );
          for (const said of [title, detail]) {
            const own = said
              .replaceAll(long.slice(0, 200).trimEnd(), 'Ikawa')
              .replaceAll('Ikawa…', 'Ikawa')
              .replaceAll('Ikawa …', 'Ikawa');
            for (const [odd, what] of oddities)
              if (odd.test(own)) found.push(`${code}: ${what}: ${own}`);
            if (own.includes('…')) found.push(`${code}: a gap: ${own}`);
            if (own.length < 4 || said.length > 2_000)
              found.push(`${code}: ${said.length} characters`);
            if (/^\p{Ll}/u.test(own) && !own.startsWith('two words'))
              found.push(`${code}: begins small: ${own}`);
          }
        }
    expect([...new Set(found)].slice(0, 20)).toEqual([]);
  });
});

test('what helps an invoice is not advised for a credit note: nothing of one is corrected with another', () => {
  for (const code of codes) {
    const { detail } = describeProblem({ code, module: 'creditnotes' }, 'en');
    expect(detail, code).not.toMatch(
      /with a credit note|or a credit note|Mark it as sent|refund the later one/,
    );
  }
  expect(describeProblem({ code: 'negative_line', name: 'Advance' }, 'en').detail).toContain(
    'or a credit note',
  );
  expect(describeProblem({ code: 'drift_void' }, 'en').detail).toContain('with a credit note');
});

test('where nothing is left, nothing is advised to be lowered to it', () => {
  const about = {
    code: 'refund_too_large',
    name: 'Ikawa',
    asked: '100.00',
    sold_quantity: '1',
    base_currency: 'RWF',
  } as const;
  for (const left of ['0', '0.00', '-0.01'])
    expect(describeProblem({ ...about, left }, 'en').detail).toMatch(/void or delete/);
  expect(describeProblem({ ...about, left: '0.01' }, 'en').detail).toMatch(/^Lower that line/);
});

test('a line without a name is called by its number, a document without one as that', () => {
  expect(
    describeProblem({ code: 'line_without_quantity', name: '-', field: 'line_items[4]' }, 'en')
      .title,
  ).toBe('Line 5 has an amount but no quantity.');
  expect(
    describeProblem({ code: 'not_before_production', document_number: '' }, 'en').title,
  ).toMatch(/^A document without a number cannot/);
});

test('a number of the buyer that is none is named as it stands', () => {
  for (const language of languages)
    for (const code of ['buyer_tin_malformed', 'purchase_code_malformed'] as const)
      expect(describeProblem({ code, value: '10123' }, language).title).toContain('10123');
});
