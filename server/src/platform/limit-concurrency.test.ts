import { expect, test } from 'vitest';
import { limitConcurrency } from './limit-concurrency.ts';

test('no more than so many run at once, and the others follow in the order in which they asked', async () => {
  const turn = limitConcurrency(2);
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
  const turn = limitConcurrency(1);
  await expect(turn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turn(async () => 'yes')).toBe('yes');
});
