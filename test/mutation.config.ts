import { defineConfig } from 'vitest/config';

/** What `npm run mutate` runs against each mutant: the tests that need no server. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['server/src/**/*.test.ts', 'shared/src/**/*.test.ts'],
  },
});
