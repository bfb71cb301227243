import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test.each([
  [0, 15],
  [1, 30],
  [4, 240],
  [5, 300],
  [1_000_000, 300],
])('after %i failures before this one the wait is %i', (failuresBefore, ms) => {
  expect(backoffMs(failuresBefore, { firstMs: 15, maxMs: 300 })).toBe(ms);
});
