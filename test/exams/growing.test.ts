import { execFileSync } from 'node:child_process';
import {
  cp,
  link as hardLink,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/*
 * The product grows by folders: a copy of it is given one more chapter and one more authority, and
 * whatever judges chapters and authorities judges them too.
 */

const checkout = join(import.meta.dirname, '../..');
// Beside the checkout's own files, so that what is installed can be linked and need not be copied.
const copy = join(checkout, '.data/growing');
const caches = new Set(['.types', '.vite-temp', '.vitest-cache', '.cache']);
const skipped = new Set(['node_modules', '.git', '.data', 'app']);

beforeAll(async () => {
  await rm(copy, { recursive: true, force: true });
  for (const each of await readdir(checkout))
    await cp(join(checkout, each), join(copy, each), {
      recursive: true,
      filter: (from) => !skipped.has(basename(from)),
    });
  for (const each of ['.', 'shared', 'server', 'widget', 'test'])
    await link(join(checkout, each, 'node_modules'), join(copy, each, 'node_modules'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Links whatever a folder holds; its symbolic links are relative, and lead into the copy there. */
async function link(from: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const each of await readdir(from, { withFileTypes: true })) {
    const [here, there] = [join(from, each.name), join(into, each.name)];
    // What tools keep there for themselves changes while it is read.
    if (caches.has(each.name)) continue;
    if (each.isDirectory()) await link(here, there);
    else if (each.isSymbolicLink()) await symlink(await readlink(here), there);
    else await hardLink(here, there);
  }
}

const run = (...command: string[]): string => {
  const [file = '', ...rest] = command;
  try {
    return execFileSync(file, rest, { cwd: copy, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
};

const edit = async (file: string, change: (text: string) => string): Promise<void> =>
  writeFile(join(copy, file), change(await readFile(join(copy, file), 'utf8')));

/** A chapter that counts what was signed, in the way in which every chapter is written. */
async function addChapter(): Promise<void> {
  const folder = join(copy, 'server/src/tallies');
  await mkdir(folder);
  await writeFile(
    join(folder, 'chapter.ts'),
    `import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';

/** Opens the chapter that counts what was signed since the server began. */
export function openTallies({ log }: Runtime) {
  let signed = 0;
  return chapter({
    auditListeners: [
      async (_tx, _ctx, entries) => {
        signed += entries.filter((entry) => entry.action === 'receipt.signed').length;
      },
    ],
    jobs: [{ name: 'tallies', everyMs: 60_000, run: async () => log.info({ signed }, 'tally') }],
  });
}
`,
  );
  await edit('server/src/app.ts', (text) =>
    text
      .replace(/^import \{ openVsdc \}/m, "import { openTallies } from './tallies/chapter.ts';\n$&")
      .replace(/^ *add\(openActivity\(/m, '  add(openTallies(runtime));\n$&'),
  );
}

/** An authority that is Rwanda's in everything but its name, and somebody to play it. */
async function addAuthority(): Promise<void> {
  for (const folder of ['server/src/dialects', 'test/authorities'])
    await cp(join(copy, folder, 'rw-vsdc'), join(copy, folder, 'zz-vsdc'), {
      recursive: true,
      filter: (file) => !file.endsWith('.test.ts'),
    });
  for (const file of [
    'server/src/dialects/zz-vsdc/index.ts',
    'test/authorities/zz-vsdc/authority.ts',
  ])
    await edit(file, (text) => text.replaceAll("'rw-vsdc'", "'zz-vsdc'"));
}

/** The files outside the new folders that are not as they are here, with their changed lines. */
async function changedOutside(): Promise<Record<string, string[]>> {
  const changed: Record<string, string[]> = {};
  const files = (await readdir(join(copy, 'server'), { recursive: true, withFileTypes: true }))
    .filter((each) => each.isFile() && !each.parentPath.includes('node_modules'))
    .map((each) => relative(copy, join(each.parentPath, each.name)))
    .filter(
      (file) =>
        !['server/src/tallies', 'server/src/dialects/zz-vsdc'].some((own) =>
          file.startsWith(`${own}/`),
        ),
    );
  for (const file of files) {
    const [here, there] = await Promise.all(
      [checkout, copy].map((root) => readFile(join(root, file), 'utf8')),
    );
    if (here === there) continue;
    const lines = new Set((here as string).split('\n'));
    changed[file] = (there as string).split('\n').filter((line) => !lines.has(line));
  }
  return changed;
}

test('a new chapter is one place in app.ts, with its import, and a new authority nothing outside its folder', async () => {
  await addChapter();
  await addAuthority();
  const bin = join(copy, 'node_modules/.bin');
  run(join(bin, 'tsc'), '-b', 'server');
  run(process.execPath, 'test/verify/imports.mjs');
  const config = join(copy, 'test/growing.config.mjs');
  await writeFile(
    config,
    `export default { test: { root: ${JSON.stringify(copy)}, include: ['test/exams/{chapters,dialects}.test.ts'], reporters: ['verbose'] } };\n`,
  );
  const vitest = join(copy, 'test/node_modules/vitest/vitest.mjs');
  const report = run(process.execPath, vitest, 'run', '--config', config);
  expect(report).toContain('zz-vsdc');
  expect(report).toContain('app.ts opens each folder that composes itself');
  expect(await changedOutside()).toEqual({
    'server/src/app.ts': [
      "import { openTallies } from './tallies/chapter.ts';",
      '  add(openTallies(runtime));',
    ],
  });
});
