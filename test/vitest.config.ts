import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], more: object = {}) => ({ test: { name, include, testTimeout: 60_000, hookTimeout: 90_000, ...more } });

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    globalSetup: ['test/global-setup.ts'],
    projects: [
      project('unit', ['shared/src/**/*.test.ts', 'server/src/**/*.test.ts', 'widget/src/**/*.test.{ts,tsx}']),
      project('exam', ['test/exams/**/*.test.ts']),
      project('scenario', ['test/scenarios/**/*.test.ts']),
      project('proof', ['test/proof/**/*.proof.test.ts']),
      project('e2e', ['test/e2e/**/*.e2e.test.ts'], { fileParallelism: false }),
    ],
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: '.data/test-results.json' }]],
  },
});
