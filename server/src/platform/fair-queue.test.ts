import { expect, test } from 'vitest';
import { openFairQueue } from './fair-queue.ts';

const held = () => {
  let release = (): void => {};
  const done = new Promise<void>((resolve) => (release = resolve));
  return { done, release };
};

test('one key has so many places, in the order in which they were asked for, and never one of another key’s', async () => {
  const shares = openFairQueue({ atOnce: 2, waitMs: 10_000, lineMost: 3 });
  const order: string[] = [];
  const gates = Array.from({ length: 5 }, held);
  const works = gates.map((gate, i) =>
    shares('a', async () => {
      order.push(`a${i}`);
      await gate.done;
    }),
  );
  await expect(shares('a', () => Promise.resolve())).rejects.toMatchObject({
    code: 'business_busy',
  });
  await shares('b', async () => void order.push('b'));
  expect(order).toEqual(['a0', 'a1', 'b']);
  for (const { release } of gates) release();
  await Promise.all(works);
  expect(order).toEqual(['a0', 'a1', 'b', 'a2', 'a3', 'a4']);
  await shares('a', () => Promise.reject(new Error('x'))).catch(() => {});
  await Promise.all(Array.from({ length: 2 }, () => shares('a', () => Promise.resolve())));
});

test('nobody waits longer than is bearable, and who gave up takes no place', async () => {
  const shares = openFairQueue({ atOnce: 1, waitMs: 5, lineMost: 9 });
  const gate = held();
  const first = shares('a', () => gate.done);
  await expect(shares('a', () => Promise.resolve('late'))).rejects.toMatchObject({
    code: 'business_busy',
  });
  gate.release();
  await first;
  expect(await shares('a', () => Promise.resolve('next'))).toBe('next');
});
