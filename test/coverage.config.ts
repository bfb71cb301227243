import { defineConfig } from 'vitest/config';

/**
 * `npm run coverage`: how many of the branches of the models are reached by what tests them alone,
 * without a server: the unit tests, and the exams that only reckon.
 */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: [
      'server/src/**/*.test.ts',
      'shared/src/**/*.test.ts',
      'test/exams/{arithmetic,refunds,dialects}.test.ts',
    ],
    testTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['dot'],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['**/*.model.ts'],
      reporter: ['text'],
      reportsDirectory: '.data/coverage',
      // It only rises: where a table of tests is added, write its number here.
      thresholds: { branches: 95 },
    },
  },
});
