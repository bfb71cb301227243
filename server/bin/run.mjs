// Runs on any Node from 20 on; everything else runs on the project's own Node 24, which the install
// brings.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [command = 'start', ...rest] = process.argv.slice(2);

install();
const node = nodeOf();
const programs = {
  start: ['test/demo.ts'],
  test: ['test/run-tests.ts'],
  verify: ['test/run-tests.ts', '--verify-only'],
  format: ['test/verify/format.ts'],
  house: ['test/verify/house.ts'],
  coverage: ['test/node_modules/vitest/vitest.mjs', 'run', '--config', 'test/coverage.config.ts'],
  mutate: ['test/verify/mutate.ts'],
  exams: ['test/exams/run.ts'],
  prove: ['test/proof/index.ts'],
  bench: ['test/bench/index.ts'],
  'third-parties': ['test/verify/third-parties.ts', '--write'],
  'build:widget': ['widget/build.ts'],
  'package:zoho': ['widget/package.ts'],
  serve: ['server/src/main.ts', 'serve'],
  migrate: ['server/src/main.ts', 'migrate'],
  'keys:rotate': ['server/src/main.ts', 'keys:rotate'],
  'trail:verify': ['server/src/main.ts', 'trail:verify'],
  'operator:invite': ['server/src/main.ts', 'operator:invite'],
  'evidence:key': ['server/src/main.ts', 'evidence:key'],
  'evidence:verify': ['server/src/main.ts', 'evidence:verify'],
  'business:add': ['server/src/main.ts', 'business:add'],
};
const program = programs[command];
if (!program) fail(`There is no "${command}". Known: ${Object.keys(programs).join(', ')}.`);

const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'];
if (
  [
    'serve',
    'migrate',
    'business:add',
    'trail:verify',
    'keys:rotate',
    'operator:invite',
    'evidence:key',
  ].includes(command)
)
  flags.push(`--env-file-if-exists=${join(root, '.env')}`);
// What was compiled once is kept: a later start reads it instead of compiling again.
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'), ...process.env };
const child = spawn(node, [...flags, ...program, ...rest], { cwd: root, stdio: 'inherit', env });
// Ctrl-C reaches the child by itself; a signal sent to this process alone is handed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));

/** Installs once, and again when the lockfile is newer than what is installed. */
function install() {
  const lock = join(root, 'pnpm-lock.yaml');
  const done = join(root, 'node_modules/.modules.yaml');
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return;
  console.info('Installing …');
  const result = spawnSync(
    'npx',
    ['--yes', 'pnpm@12.21.0', 'install', '--frozen-lockfile', '--reporter=silent'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    },
  );
  if (result.status !== 0) fail('The installation did not work; npm’s own words stand above.');
}

function nodeOf() {
  const own = join(root, 'node_modules/.bin/node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  fail(
    `There is no packaged Node 24 for ${process.platform}-${process.arch}. Install Node 24 and run this again with it.`,
  );
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
