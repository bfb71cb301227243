import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { findChromium } from './e2e/chromium.ts';

/** README's test command: verify, then every kind of test; ends with the count alone on a line. */
const results = '.data/test-results.json';
let passed = 0;
let failed = 0;

const check = (name: string, program: string, args: string[]) => {
  const started = performance.now();
  // A checker that hangs (seen once, idle after its work) is ended and run once more, so that it
  // cannot hold the whole run up.
  const run = () =>
    spawnSync(program, args, { stdio: 'inherit', timeout: 120_000, killSignal: 'SIGKILL' });
  const first = run();
  const { status } = first.signal === 'SIGKILL' ? run() : first;
  if (status === 0) passed += 1;
  else failed += 1;
  console.log(
    `${status === 0 ? '✓' : '✗'} ${name} (${Math.round(performance.now() - started)} ms)`,
  );
};

check('types', 'node_modules/.bin/tsc', ['-b', 'test']);
check('lint', 'node_modules/.bin/oxlint', ['--quiet', 'shared', 'server', 'widget', 'test']);
check('imports', process.execPath, ['test/verify/imports.mjs']);
check('top level', process.execPath, ['test/verify/top-level.ts']);
check('third parties', process.execPath, ['test/verify/third-parties.ts']);
check('unused', process.execPath, ['node_modules/knip/bin/knip.js']);
check('references', process.execPath, ['test/verify/check-doc-refs.ts']);
check('spelling', process.execPath, [
  'node_modules/cspell/bin.mjs',
  'lint',
  '--no-progress',
  '--no-summary',
  '--cache',
  '--cache-location',
  'node_modules/.cache/cspell',
]);
check('budgets', process.execPath, ['test/verify/check-budgets.ts']);
check('format', 'node_modules/.bin/biome', ['format', '.']);
if (process.argv.includes('--verify-only'))
  check('commit subject', process.execPath, ['test/verify/check-subject.ts']);

if (!process.argv.includes('--verify-only')) {
  check('widget builds', process.execPath, ['widget/build.ts']);
  const chromium = findChromium();
  if ('problem' in chromium) {
    console.error(chromium.problem);
    failed += 1;
  }
  rmSync(results, { force: true });
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/vitest.config.ts',
    ...process.argv.slice(2),
  ];
  const { status } = spawnSync(
    process.execPath,
    args.map((each) => each.replace('node_modules/vitest', 'test/node_modules/vitest')),
    { stdio: 'inherit', timeout: 20 * 60_000, killSignal: 'SIGKILL' },
  );
  const counts = existsSync(results)
    ? (JSON.parse(readFileSync(results, 'utf8')) as {
        numPassedTests: number;
        numFailedTests: number;
        numFailedTestSuites: number;
        numTotalTests: number;
      })
    : null;
  passed += counts?.numPassedTests ?? 0;
  failed += counts ? Math.max(counts.numFailedTests, status === 0 ? 0 : 1) : 1;
  if (counts?.numTotalTests === 0) failed += 1;
}

console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
