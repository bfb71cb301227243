import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { exists, type Known, referencesIn } from './doc-refs.ts';

/** What documents and comments refer to has to be there: files, folders, links and commands. */
const root = join(import.meta.dirname, '../..');
const left = /^(?:node_modules|\.git|\.data|app|dist)$/;

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (left.test(entry.name)) return [];
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** The comments of a source file at their lines, everything else empty. */
function commentsOf(path: string, text: string): string {
  const { comments } = parseSync(path, text);
  const bare = text.replace(/[^\n]/g, ' ').split('');
  for (const { start, end } of comments)
    for (let at = start; at < end; at += 1) bare[at] = text[at] as string;
  return bare.join('');
}

const files = filesUnder('');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const known: Known = { root, files, commands: [...Object.keys(scripts), 'install'] };
// The changelog tells what was: it may name what is gone.
const texts = files
  .filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md')
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const sources = files
  .filter((path) => /\.(?:tsx?|mjs)$/.test(path))
  .map((path) => ({ path, text: commentsOf(path, readFileSync(join(root, path), 'utf8')) }));

let isWrong = false;
for (const { path, text } of [...texts, ...sources])
  for (const reference of referencesIn(text)) {
    if (exists(reference, path, known)) continue;
    isWrong = true;
    console.error(`${path}:${reference.line} refers to ${reference.to}, which does not exist`);
  }
process.exit(isWrong ? 1 : 0);
