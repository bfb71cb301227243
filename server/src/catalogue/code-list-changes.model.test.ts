import { describe, expect, test } from 'vitest';
import { changeOf, keepRates, rateChanges, waitBeforeRefresh } from './code-list-changes.model.ts';

const code = (code: string, name: string, data: Record<string, string> = {}) => ({
  code,
  name,
  data,
});

describe('A list', () => {
  const before = [code('1', 'One'), code('2', 'Two')];

  test('that is the same in another order has not changed', () => {
    expect(changeOf(before, [code('2', 'Two'), code('1', 'One')])).toBeNull();
  });

  test('says how many codes came, went and have another name', () => {
    const after = [code('2', 'Zwei'), code('3', 'Three'), code('4', 'Four')];
    expect(changeOf(before, after)).toEqual({ added: 2, removed: 1, renamed: 1 });
  });

  test('has changed where the data of a code has', () => {
    const after = [code('1', 'One', { unit: 'kg' }), code('2', 'Two')];
    expect(changeOf(before, after)).toEqual({ added: 0, removed: 0, renamed: 1 });
  });
});

describe('A rate', () => {
  const before = [code('A', 'A', { percent: '0' }), code('B', 'B', { percent: '18' })];

  test('that cannot be read stays as it was', () => {
    expect(keepRates(before, [code('B', 'B'), code('C', 'C')])).toEqual([
      code('B', 'B', { percent: '18' }),
      code('C', 'C'),
    ]);
  });

  test('has changed by its value, not by how it is written', () => {
    const after = [code('A', 'A', { percent: '0.00' }), code('B', 'B', { percent: '16' })];
    expect(rateChanges(before, after)).toEqual([
      { taxClass: 'B', percent: { before: '18', after: '16' } },
    ]);
  });

  test('of a class that is new has not changed', () => {
    expect(rateChanges(before, [code('D', 'D', { percent: '5' })])).toEqual([]);
  });
});

test.each([
  [0, 24 * 60],
  [1, 15],
  [2, 30],
  [4, 120],
  [5, 240],
  [9, 240],
])('After %i failed tries the next refresh comes in %i minutes', (tries, minutes) => {
  expect(waitBeforeRefresh(tries)).toBe(minutes * 60_000);
});
