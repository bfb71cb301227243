import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { story } from '../verify/story.mjs';

const source = join(import.meta.dirname, '../../server/src');
const app = readFileSync(join(source, 'app.ts'), 'utf8');

/** The folders whose chapter.ts app.ts imports, by the name of what opens them. */
const openers = new Map(
  [...app.matchAll(/^import \{ (open\w+) \} from '\.\/([\w-]+)\/chapter\.ts';$/gm)].map(
    ([, opener, folder]) => [opener as string, folder as string],
  ),
);
const opened = [...app.matchAll(/\b(open\w+)\(/g)].flatMap(([, opener]) => {
  const folder = openers.get(opener as string);
  return folder ? [folder] : [];
});

test('app.ts opens each chapter of the story once, in the order in which it is read', () => {
  expect(opened).toEqual(story);
});

test('each chapter of the story composes itself, and nothing else does', () => {
  const composed = readdirSync(source, { withFileTypes: true })
    .filter(
      (each) => each.isDirectory() && readdirSync(join(source, each.name)).includes('chapter.ts'),
    )
    .map(({ name }) => name);
  expect(composed.toSorted()).toEqual(story.toSorted());
});
