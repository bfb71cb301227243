import { expect, test } from 'vitest';
import { countLookups } from './lookup-allowance.model.ts';

test.each([
  ['the first of an actor are kept', undefined, 20, 20, 20, false],
  ['those up to the limit are kept', { minute: 5, count: 100 }, 20, 120, 20, false],
  ['of those across it the first are kept', { minute: 5, count: 110 }, 20, 130, 10, true],
  ['the first beyond it are told of', { minute: 5, count: 120 }, 1, 121, 0, true],
  ['those after are not told of again', { minute: 5, count: 121 }, 20, 141, 0, false],
  ['a new minute begins at nothing', { minute: 4, count: 500 }, 20, 20, 20, false],
])('%s', (_what, before, wanted, count, allowed, isFirstBeyond) => {
  expect(countLookups(before, 5, wanted)).toEqual({
    count: { minute: 5, count },
    allowed,
    isFirstBeyond,
  });
});
