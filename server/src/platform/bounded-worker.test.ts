import { afterEach, expect, test } from 'vitest';
import {
  openBoundedWorker,
  type BoundedWorker,
  type Task,
  type WorkLimits,
} from './bounded-worker.ts';
import type * as samples from './bounded-worker.samples.ts';

const task = <N extends keyof typeof samples>(
  name: N,
  timeMs = 10_000,
): Task<(typeof samples)[N]> => ({
  module: new URL('./bounded-worker.samples.ts', import.meta.url),
  name,
  timeMs,
});

const opened: BoundedWorker[] = [];
const open = (limits: Partial<WorkLimits> = {}) => {
  const worker = openBoundedWorker({ threads: 1, heapMb: 32, bytesMb: 32, ...limits });
  opened.push(worker);
  return worker;
};
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

test('a function is called in another thread, without our environment, and answers plain data or bytes', async () => {
  const worker = open();
  expect(await worker.run('a', task('add'), 2, 3)).toBe(5);
  expect(await worker.run('a', task('threadOf'))).toBeGreaterThan(0);
  expect(await worker.run('a', task('environment'))).toEqual([]);
  const bytes = await worker.run('a', task('bytes'), 100_000);
  expect(Buffer.isBuffer(bytes) && bytes.equals(Buffer.alloc(100_000, 7))).toBe(true);
});

test('what a function throws comes back: a problem with its code, a mistake as it is', async () => {
  const worker = open();
  await expect(worker.run('a', task('refuse'))).rejects.toMatchObject({
    code: 'image_refused',
    problem: { field: 'logo' },
  });
  await expect(worker.run('a', task('fail'))).rejects.toThrow('an ordinary mistake');
});

test.for([
  ['an endless loop', 'loopForever'],
  ['objects without end', 'fillHeap'],
  ['bytes without end', 'fillBytes'],
  ['an error thrown in a callback', 'throwLater'],
  ['an end of the process', 'endProcess'],
] as const)('%s ends its thread and nothing else: the next call is answered', async ([, name]) => {
  const worker = open();
  await expect(
    worker.run('a', task(name, name === 'loopForever' ? 300 : 10_000) as Task<() => void>),
  ).rejects.toMatchObject({ code: 'work_stopped' });
  expect(await worker.run('b', task('add'), 1, 1)).toBe(2);
});

test('what an earlier job left behind in a thread does not fail the job of another business', async () => {
  const worker = open();
  expect(await worker.run('a', task('leaveBomb'), 100)).toBe('done');
  expect(await worker.run('b', task('waitFor'), 300)).toBe(300);
});

test('one business never has every thread, and those that wait take turns', async () => {
  const worker = open({ threads: 2 });
  const stuck = worker.run('a', task('waitFor'), 60_000).catch(() => {});
  const order: string[] = [];
  const asked = [
    ['a', 1],
    ['b', 1],
    ['b', 2],
    ['b', 3],
    ['c', 1],
  ] as const;
  const others = asked.map(async ([businessId, nth]) => {
    await worker.run(businessId, task('add'), nth, 0).catch(() => {});
    order.push(`${businessId}${nth}`);
  });
  await Promise.all(others.slice(1));
  expect(order).toEqual(['b1', 'b2', 'c1', 'b3']);
  await worker.close();
  await stuck;
});

test('what waits is bounded for each business, and a refusal of one is not a refusal of another', async () => {
  const worker = open({ waitingOfOneMax: 2 });
  const stuck = ['a', 'a', 'a'].map((id) => worker.run(id, task('waitFor'), 200));
  await expect(worker.run('a', task('add'), 1, 1)).rejects.toMatchObject({ code: 'business_busy' });
  expect(await worker.run('b', task('add'), 1, 1)).toBe(2);
  await Promise.all(stuck);
});

test('a thread with nothing to do ends, and a new one answers', async () => {
  const worker = open({ idleMs: 1 });
  const first = await worker.run('a', task('threadOf'));
  await expect.poll(() => worker.run('a', task('threadOf'))).not.toBe(first);
});

test('closing ends what runs and what waits', async () => {
  const worker = open();
  const running = [
    worker.run('a', task('loopForever', 60_000)),
    worker.run('a', task('add'), 1, 1),
  ];
  const both = Promise.allSettled(running);
  await worker.close();
  expect(
    (await both).map((each) =>
      each.status === 'rejected' ? (each.reason as { code: string }).code : 'answered',
    ),
  ).toEqual(['work_stopped', 'work_stopped']);
  await expect(worker.run('a', task('add'), 1, 1)).rejects.toMatchObject({ code: 'work_stopped' });
});
