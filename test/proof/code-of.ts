import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { checkout } from '../world.ts';

/**
 * The files that a program is made of: its own, and whatever they import, step by step. A folder as
 * an entry stands for every file in it, since some are found and not named (dialects, migrations).
 * Packages from outside are the lockfile.
 */
export function filesOf(entries: readonly string[]): string[] {
  const found = new Set<string>();
  const left = entries.flatMap(filesUnder);
  for (let file = left.pop(); file; file = left.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    if (!/\.m?[jt]sx?$/.test(file)) continue;
    const text = readFileSync(join(checkout, file), 'utf8');
    for (const [, name] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)) {
      const path = name && pathOf(name, file);
      if (path) left.push(path);
    }
  }
  return [...found].toSorted();
}

/** One word for all of them: another word, another program. */
export function codeOf(entries: readonly string[]): string {
  const hash = createHash('sha256').update(readFileSync(join(checkout, 'pnpm-lock.yaml')));
  for (const file of filesOf(entries))
    hash.update(`\0${file}\0`).update(readFileSync(join(checkout, file)));
  return hash.digest('hex').slice(0, 12);
}

function filesUnder(entry: string): string[] {
  const path = join(checkout, entry);
  if (!statSync(path).isDirectory()) return [entry];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && !each.name.includes('.test.'))
    .map((each) => relative(checkout, join(each.parentPath, each.name)));
}

function pathOf(name: string, from: string): string | null {
  const own = /^@muhuri\/(server|shared)\/(.+)$/.exec(name);
  const path = own
    ? `${own[1]}/src/${own[2]}.ts`
    : name.startsWith('.')
      ? normalize(join(dirname(from), name))
      : null;
  return path && existsSync(join(checkout, path)) ? path : null;
}
