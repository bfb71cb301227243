import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { filesOf } from './measure.ts';

/**
 * `npm run mutate -- server/src/receipts/sale`: changes the code of a folder in small ways, one at
 * a time, and lists each change that no unit test notices. What survives is either a test that is
 * missing or code that does nothing. A file is begun only within the first half hour, and what is
 * under way then is ended: call it again with what was not reached. Never part of `npm test`.
 */
const longestMs = 30 * 60_000;
const [given = ''] = process.argv.slice(2);
if (!existsSync(given)) {
  console.error('Name a folder or a file: npm run mutate -- server/src/receipts/sale');
  process.exit(1);
}
const files = statSync(given).isDirectory() ? filesOf(given) : [given];
const began = performance.now();
setTimeout(() => {
  console.log('Half an hour is over; the file under way and those after it were not judged.');
  process.exit();
}, longestMs);

/** The runner's own settings, which the type of the options does not know. */
const vitest = { vitest: { configFile: 'test/mutation.config.ts', related: true } };
/** Every change that a test noticed, and how many there were. */
const total = { noticed: 0, made: 0 };
for (const file of files) {
  // Stores and routes are tried through a real server: no unit test could notice anything there.
  if (!file.endsWith('.model.ts') && !existsSync(file.replace(/\.ts$/, '.test.ts'))) continue;
  const mutants = await new Stryker({
    mutate: [file],
    testRunner: 'vitest',
    plugins: [fileURLToPath(import.meta.resolve('@stryker-mutator/vitest-runner'))],
    ...vitest,
    concurrency: 2,
    reporters: [],
    logLevel: 'error' as never,
    // The copy that is changed holds what tests may read, and nothing that a run has left.
    tempDirName: '.data/mutants',
    ignorePatterns: ['.data', 'app', '*.png'],
    // TypeScript is only taken away by whoever runs the tests; nothing of its settings is needed.
    tsconfigFile: 'none',
    timeoutMS: 10_000,
  })
    .runMutationTest()
    .catch((error: Error) => (/No tests were executed/.test(error.message) ? null : raise(error)));
  if (!mutants) {
    console.log(`${file}: no unit test reaches it`);
    continue;
  }
  const judged = mutants.filter(({ status }) => status !== 'Ignored' && status !== 'CompileError');
  const survived = judged.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  total.made += judged.length;
  total.noticed += judged.length - survived.length;
  console.log(`${file}: ${judged.length - survived.length} of ${judged.length} noticed`);
  for (const { location, replacement, status } of survived)
    console.log(
      `  line ${location.start.line}: ${(replacement ?? '').replaceAll(/\s+/g, ' ').slice(0, 80)}${status === 'NoCoverage' ? ' (no test comes here)' : ''}`,
    );
}
const minutes = (performance.now() - began) / 60_000;
console.log(`\n${total.noticed} of ${total.made} changes noticed in ${minutes.toFixed(1)} min`);
process.exit();

function raise(error: Error): never {
  throw error;
}
