import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, referencesIn } from './doc-refs.ts';

const known = {
  root: join(import.meta.dirname, '../..'),
  files: ['server/src/app.ts', 'test/verify/doc-refs.ts', 'test/verify/doc-refs.test.ts'],
  commands: ['verify'],
};
const missing = (text: string) =>
  referencesIn(text)
    .filter((each) => !exists(each, 'test/verify/README.md', known))
    .map(({ to, line }) => `${line} ${to}`);

describe('a reference in a document or a comment', () => {
  it('leads to a file by its whole path, its last folders, its name, or from where it stands', () => {
    const text = 'See `server/src/app.ts`, src/app.ts, `app.ts` and `../verify/doc-refs.ts`.';
    expect(referencesIn(text)).toHaveLength(4);
    expect(missing(text)).toEqual([]);
  });

  it('is missing where the file is gone, moved or misspelled', () => {
    expect(
      missing('// Why: see\n// end-attempt.ts, lane/app.ts and `../../server/app.ts`.'),
    ).toEqual(['2 lane/app.ts', '2 ../../server/app.ts', '2 end-attempt.ts']);
  });

  it('is missing where a folder or the target of a link is', () => {
    expect(
      missing('`test/verify`, `test/gone`, `../gone`, [a](doc-refs.ts#b), [c](gone.md)'),
    ).toEqual(['1 gone.md', '1 test/gone', '1 ../gone']);
  });

  it('is missing where a command is not one of ours', () => {
    expect(missing('`npm run verify -- x`, `npx pnpm polish`')).toEqual(['1 polish']);
  });

  it('is no reference: an address, a placeholder, a package, a number', () => {
    expect(
      referencesIn(
        'https://example.com/a.ts [x](https://a.b/c.md) dialects/<key>/index.ts **/*.ts node:fs 1.5',
      ),
    ).toEqual([]);
  });
});
