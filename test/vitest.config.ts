import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], more: object = {}) => ({
  test: {
    name,
    include,
    testTimeout: 120_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 20_000 } },
    ...more,
  },
});

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    globalSetup: ['test/global-setup.ts'],
    projects: [
      project('unit', [
        'shared/src/**/*.test.ts',
        'server/src/**/*.test.ts',
        'widget/src/**/*.test.{ts,tsx}',
        'test/simulators/**/*.test.ts',
        'test/authorities/**/*.test.ts',
        'test/verify/**/*.test.ts',
        'test/proof/code-of.test.ts',
        'test/proof/attempt-after-send.test.ts',
      ]),
      // At full size an exam takes its time.
      project(
        'exam',
        ['test/exams/**/*.test.ts'],
        process.env.MUHURI_EXAMS === 'whole' ? { testTimeout: 30 * 60_000 } : {},
      ),
      project('scenario', ['test/scenarios/**/*.test.ts']),
      // After everything else and one by one: they kill servers, and measure how long it takes to
      // come back.
      project('proof', ['test/proof/**/*.proof.test.ts'], {
        fileParallelism: false,
        sequence: { groupOrder: 1 },
      }),
      project('e2e', ['test/e2e/**/*.e2e.test.ts'], { fileParallelism: false }),
    ],
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: '.data/test-results.json' }]],
  },
});
