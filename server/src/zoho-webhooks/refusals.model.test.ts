import { describe, expect, test } from 'vitest';
import { countRefusal, type RefusalCount } from './refusals.model.ts';

const hour = 3_600_000;
const minute = 60_000;
const begin = 100 * hour;

/** The fate of the last of these refusals, each so many ms after the beginning of an hour. */
function last(refusals: { verdict: string; at: number }[]) {
  let count: RefusalCount | undefined;
  let fate = countRefusal(undefined, 'repeated', begin - hour);
  for (const { verdict, at } of refusals) {
    fate = countRefusal(count, verdict, begin + at);
    count = fate.count;
  }
  return fate;
}
const times = (length: number, verdict: string, everyMs = 1_000) =>
  Array.from({ length }, (_, i) => ({ verdict, at: i * everyMs }));

describe('the fifth refusal of one kind within ten minutes makes a cluster', () => {
  test.each([
    ['forged', times(5, 'forged'), true],
    [
      'foreign and forged together',
      [...times(4, 'foreign'), { verdict: 'forged', at: 5_000 }],
      true,
    ],
    ['malformed', times(5, 'malformed'), true],
    ['only four', times(4, 'forged'), false],
    ['six: the cluster begins again', times(6, 'forged'), false],
    ['ten: a second cluster', times(10, 'forged'), true],
    ['five, but slower', times(5, 'forged', 3 * minute), false],
    ['of two kinds', [...times(4, 'forged'), { verdict: 'malformed', at: 5_000 }], false],
    ['repeated', times(5, 'repeated'), false],
    ['ping', times(5, 'ping'), false],
  ])('%s', (_what, refusals, isCluster) => {
    expect(last(refusals).isCluster).toBe(isCluster);
  });
});

describe('sixty an hour are kept', () => {
  test.each([
    ['the first', times(1, 'ping'), true],
    ['the sixtieth', times(60, 'ping'), true],
    ['the sixty-first', times(61, 'ping'), false],
    ['the first of the next hour', [...times(61, 'ping'), { verdict: 'ping', at: hour }], true],
    ['a cluster beyond them is told, and not kept', times(65, 'forged'), false],
  ])('%s', (_what, refusals, isKept) => {
    expect(last(refusals).isKept).toBe(isKept);
  });

  test('a cluster beyond them is told of', () => {
    expect(last(times(65, 'forged')).isCluster).toBe(true);
  });
});
