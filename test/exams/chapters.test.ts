import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { story } from '../verify/story.mjs';

const source = join(import.meta.dirname, '../../server/src');

test('app.ts opens each folder that composes itself, and each of them once', () => {
  const composed = readdirSync(source, { withFileTypes: true })
    .filter(
      (each) => each.isDirectory() && readdirSync(join(source, each.name)).includes('chapter.ts'),
    )
    .map(({ name }) => name);
  expect(composed.length).toBeGreaterThan(15);
  expect(story.toSorted()).toEqual(composed.toSorted());
});
