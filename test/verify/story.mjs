// The story: the chapters of the product in reading order, as app.ts opens them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const app = readFileSync(join(import.meta.dirname, '../../server/src/app.ts'), 'utf8');
const imported = /^import \{ (open\w+) \} from '\.\/([\w-]+)\/chapter\.ts';$/gm;
const folders = new Map([...app.matchAll(imported)].map(([, open, folder]) => [open, folder]));

/** Each folder as often as app.ts opens it: a chapter uses only those before it. */
export const story = [...app.matchAll(/\b(open\w+)\(/g)].flatMap(([, open]) =>
  folders.has(open) ? [folders.get(open)] : [],
);
