import { expect, test } from 'vitest';
import { AppError } from './app-error.ts';
import { silentLog } from './log.ts';
import { retry, type RetryPorts } from './retry.ts';

/** Fails so often, as told; `waits` are what was waited between the tries. */
function failing(times: number, failure: (tries: number) => Error, more: Partial<RetryPorts> = {}) {
  const waits: number[] = [];
  let tries = 0;
  const wait = async (ms: number) => void waits.push(ms);
  const ended = retry({ wait, log: silentLog, maxMs: 5_000, ...more }, {}, async (before) => {
    expect(before).toBe(tries);
    tries += 1;
    if (tries <= times) throw failure(tries);
    return tries;
  });
  return { ended, waits, tries: () => tries };
}
const away = () => Promise.reject(new Error('away'));
const there = () => Promise.resolve();

test('what cannot be written because nothing can is tried for as long as that lasts, with longer and longer waits up to a bound', async () => {
  const { ended, waits } = failing(500, () => new Error('away'), { look: away });
  expect(await ended).toBe(501);
  expect(waits.slice(0, 7)).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(Math.max(...waits)).toBe(5_000);
});

test('what is refused although something can be written is given up after a few tries', async () => {
  const { ended, tries } = failing(500, () => new Error('refused'), { look: there });
  await expect(ended).rejects.toThrow('refused');
  expect(tries()).toBe(8);
});

test.each(['08006', '25006', '40001', '53100', '55P03', '57014', '58030', 'XX000'])(
  'what PostgreSQL calls trouble of its own (%s) is tried for as long as that lasts, whatever else it can do meanwhile',
  async (code) => {
    const trouble = () =>
      new Error('could not be written', { cause: Object.assign(new Error('trouble'), { code }) });
    expect(await failing(100, trouble, { look: there }).ended).toBe(101);
  },
);

test.each(['22003', '23514', '42501', 'P0001', '25P02'])(
  'what was wrong with what it was given (%s), or says nothing, is given up after a few tries',
  async (code) => {
    const { ended, tries } = failing(100, () => Object.assign(new Error('refused'), { code }), {
      look: there,
    });
    await expect(ended).rejects.toThrow('refused');
    expect(tries()).toBe(8);
  },
);

test('what comes back now and then, just after it was tried, is not taken for what refuses', async () => {
  let looks = 0;
  const { ended } = failing(100, () => new Error('away'), {
    look: () => ((looks += 1) % 3 === 0 ? away() : there()),
  });
  expect(await ended).toBe(101);
});

test('what somebody has to act upon is given up at once; what passes by itself is not', async () => {
  const final = failing(1, () => new AppError('wrong_state'), { look: there });
  await expect(final.ended).rejects.toThrow(AppError);
  expect(final.tries()).toBe(1);
  expect(
    await failing(3, () => new AppError('took_too_long', { retry_after_s: 5 }), { look: there })
      .ended,
  ).toBe(4);
});

test('once the process ends it waits no longer, and tries once more', async () => {
  const ending = new AbortController();
  let tries = 0;
  const ended = retry(
    { wait: () => new Promise(() => {}), log: silentLog, look: away, ending: ending.signal },
    {},
    async () => {
      tries += 1;
      if (tries === 1) queueMicrotask(() => ending.abort());
      throw new Error(`away ${tries}`);
    },
  );
  await expect(ended).rejects.toThrow('away 2');
  expect(tries).toBe(2);
});

test('what hangs when the process ends is given up, and not tried once more', async () => {
  const ending = new AbortController();
  let tries = 0;
  const ended = retry(
    { wait: async () => {}, log: silentLog, look: away, ending: ending.signal, lastMs: 1 },
    {},
    () => {
      tries += 1;
      queueMicrotask(() => ending.abort());
      return new Promise(() => {});
    },
  );
  await expect(ended).rejects.toThrow('has not answered');
  expect(tries).toBe(1);
});
