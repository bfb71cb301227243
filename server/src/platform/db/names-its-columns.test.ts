import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const sources = join(import.meta.dirname, '../..');
/** Not what a value of ours is unfolded into, nor what stands within a statement that names what it gives. */
const star = /\b(?:select|returning)\s+(?:\w+\.)?\*(?! from jsonb_populate_record| from given| from \$\{table\} x where)|,\s*\w+\.\*/g;

// A statement prepared with a star is refused once a migration has added a column beneath a server that runs.
test('every statement names the columns that it gives', () => {
  const files = globSync('**/*.ts', { cwd: sources }).filter((each) => !each.startsWith('migrations/') && !each.endsWith('.test.ts'));
  const found = files.flatMap((each) => Array.from(readFileSync(join(sources, each), 'utf8').matchAll(star), ([text]) => `${each}: ${text}`));
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
