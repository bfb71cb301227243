import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const sources = join(import.meta.dirname, '../..');
/** Not what stands within a statement that names what it gives. */
const star = /\b(?:select|returning)\s+(?:\w+\.)?\*(?! from \$\{table\} x where)|,\s*\w+\.\*/g;

// A statement prepared with a star is refused once a migration has added a column beneath a server
// that runs.
test('every statement names the columns that it gives', () => {
  const files = globSync('**/*.ts', { cwd: sources }).filter(
    (each) => !each.startsWith('migrations/') && !each.endsWith('.test.ts'),
  );
  const found = files.flatMap((each) =>
    Array.from(
      readFileSync(join(sources, each), 'utf8').matchAll(star),
      ([text]) => `${each}: ${text}`,
    ),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});

/**
 * An insert that leaves it to the table which columns there are; what it unfolds is then null where
 * the table has one more, whatever its default says.
 */
const unnamed =
  /\binsert\s+into\s+[\w."${}]+\s+(?:as\s+\w+\s+)?(?:select|values|table|with)\b[^\n]*/gi;

// A column that may not be null, added beneath a server that runs, refused every row of such an
// insert, although it has a default.
test('every insert names the columns that it fills', () => {
  const files = globSync('**/*.ts', { cwd: sources }).filter(
    (each) => !each.startsWith('migrations/') && !each.endsWith('.test.ts'),
  );
  const texts = files.map((each) => ({
    file: each,
    text: readFileSync(join(sources, each), 'utf8'),
  }));
  expect(
    texts.flatMap((each) => Array.from(each.text.matchAll(/\binsert\s+into\b/gi))).length,
  ).toBeGreaterThan(50);
  expect(
    texts.flatMap((each) =>
      Array.from(each.text.matchAll(unnamed), ([found]) => `${each.file}: ${found}`),
    ),
  ).toEqual([]);
});
