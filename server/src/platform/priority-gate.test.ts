import { expect, test } from 'vitest';
import { openPriorityGate } from './priority-gate.ts';

/** Work that ends when it is told to. */
const held = () => {
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => done, end };
};
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('background work goes by any number where nobody waits, and one at a time while several do', async () => {
  const way = openPriorityGate();
  let begun = 0;
  const behind = Array.from({ length: 3 }, held);
  const all = behind.map((each) =>
    way.behind(() => {
      begun += 1;
      return each.work();
    }),
  );
  await settled();
  expect(begun, 'nobody waits').toBe(3);
  for (const each of behind) each.end();
  await Promise.all(all);

  const ahead = Array.from({ length: 4 }, held);
  const waited = ahead.map((each) => way.ahead(each.work));
  const more = Array.from({ length: 3 }, held);
  const later = more.map((each) =>
    way.behind(() => {
      begun += 1;
      return each.work();
    }),
  );
  await settled();
  expect(begun, 'one goes on, or it would never be done').toBe(4);
  more[0]?.end();
  await settled();
  expect(begun).toBe(5);
  ahead[0]?.end();
  await settled();
  expect(begun, 'there is room again').toBe(6);
  for (const each of [...ahead, ...more]) each.end();
  await Promise.all([...waited, ...later]);
});

test('what fails makes room like what succeeds', async () => {
  const way = openPriorityGate();
  await expect(way.ahead(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(way.behind(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(way.behind(() => Promise.resolve(1))).resolves.toBe(1);
});
