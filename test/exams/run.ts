import { spawnSync } from 'node:child_process';

/**
 * `npm run exams`: every exam at full size; what follows the command is handed to the test runner
 * (a file, a name).
 */
const { status } = spawnSync(
  process.execPath,
  [
    'test/node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/vitest.config.ts',
    '--project',
    'exam',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, MUHURI_EXAMS: 'whole' } },
);
process.exit(status ?? 1);
