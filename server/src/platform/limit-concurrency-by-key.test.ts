import { AsyncLocalStorage } from 'node:async_hooks';
import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { limitConcurrencyByKey } from './limit-concurrency-by-key.ts';

type Limit = (atOnce: number) => <T>(work: () => Promise<T>) => Promise<T>;

const inAll: Limit = pLimit;
const ofOneKey: Limit = (atOnce) => {
  const turn = limitConcurrencyByKey(atOnce);
  return (work) => turn('one', work);
};

// Lanes rest on the library alone, and keys on it as well: what it promises is tried for both.
describe.each([
  ['in all', inAll],
  ['of one key', ofOneKey],
])('%s', (_what, limit) => {
  test('no more than so many run at once, and the others follow in the order in which they asked', async () => {
    const turn = limit(2);
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3, 4].map((each) =>
      turn(async () => {
        begun.push(each);
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running -= 1;
        return each;
      }),
    );
    for (let done = 0; done < 5; done++) {
      await expect.poll(() => ends.length).toBeGreaterThan(0);
      ends.shift()?.();
    }
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  test('work that fails frees its place, and its failure reaches only who asked for it', async () => {
    const turn = limit(1);
    await expect(turn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turn(async () => 'yes')).toBe('yes');
  });

  test('what waited runs as whoever asked for it, not as who was before', async () => {
    const turn = limit(1);
    const asker = new AsyncLocalStorage<string>();
    const asked = ['first', 'second', 'third'].map((name) =>
      asker.run(name, () => turn(async () => asker.getStore())),
    );
    expect(await Promise.all(asked)).toEqual(['first', 'second', 'third']);
  });
});

test('one key waits for its own work, and for no other’s', async () => {
  const turn = limitConcurrencyByKey(1);
  let end = () => {};
  const held = turn('one', () => new Promise<void>((resolve) => (end = resolve)));
  expect(await turn('another', async () => 'done')).toBe('done');
  end();
  await held;
  expect(await turn('one', async () => 'done')).toBe('done');
});
