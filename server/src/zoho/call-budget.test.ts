import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Purpose } from '../ports/books.ts';
import { type CallBudget, openCallBudget, defaultCallBudget } from './call-budget.ts';

let limits: CallBudget;
let started: { at: number; purpose: Purpose }[];
let failed: string[];
beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-20T08:00:00Z') });
  limits = openCallBudget({ now: () => new Date(Date.now()) });
  started = [];
  failed = [];
});
afterEach(() => {
  limits.close();
  vi.useRealTimers();
});

/** One call that takes a fifth of a second, as Zoho does. */
const call = (purpose: Purpose, organization = 'a') =>
  limits.turn(organization, purpose).then(
    (done) => {
      started.push({ at: Date.now(), purpose });
      setTimeout(done, 200);
    },
    (error: { code: string }) => failed.push(error.code),
  );
const heard = (more: object) =>
  limits.heard('a', {
    status: 200,
    code: '0',
    limit: 10_000,
    remaining: 9_000,
    resetSeconds: 40_000,
    retryAfterSeconds: null,
    ...more,
  });
const mostInAMinute = () =>
  Math.max(
    ...started.map(
      ({ at }) => started.filter((each) => each.at > at - 60_000 && each.at <= at).length,
    ),
  );

describe('the call budget of an organization', () => {
  test('never lets more than our share start in any sixty seconds, and leaves none of it unused while there is work', async () => {
    heard({});
    // A worker per place: each asks again as soon as it was served.
    const worker = async () => {
      for (;;) {
        const done = await limits.turn('a', 'sign').catch(() => null);
        if (!done) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        }
        started.push({ at: Date.now(), purpose: 'sign' });
        await new Promise((resolve) => setTimeout(resolve, 200));
        done();
      }
    };
    for (let i = 0; i < 12; i++) void worker();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(mostInAMinute()).toBeLessThanOrEqual(80);
    expect(started.length).toBeGreaterThanOrEqual(80 * 10 * 0.98);
  });

  test('serves signing before write-back before sync, and keeps a part of the minute from the less urgent', async () => {
    for (let i = 0; i < 70; i++) void call('sync');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(started).toHaveLength(60);
    for (let i = 0; i < 20; i++) void call('sign');
    for (let i = 0; i < 15; i++) void call('write_back');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(started.slice(60, 80).every((each) => each.purpose === 'sign')).toBe(true);
    expect(started).toHaveLength(80);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(started.slice(80, 95).every((each) => each.purpose === 'write_back')).toBe(true);
  });

  test('lets no more run at once than the plan allows, and one organization never waits for another', async () => {
    for (let i = 0; i < 30; i++) void call('sign');
    void call('sign', 'b');
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toHaveLength(6);
    heard({});
    await vi.advanceTimersByTimeAsync(250);
    expect(started).toHaveLength(16);
  });

  test('stays away for as long as Zoho said after a refusal, and comes back one by one', async () => {
    heard({ status: 429, code: '44', retryAfterSeconds: 30 });
    for (let i = 0; i < 40; i++) void call('write_back');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(started).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(started.length).toBeGreaterThan(2);
    expect(started.length).toBeLessThan(7);
  });

  test('tells a person within seconds, with the moment, where a turn would take too long', async () => {
    heard({ status: 429, code: '44', retryAfterSeconds: 50 });
    void call('sign');
    await vi.advanceTimersByTimeAsync(10);
    expect(failed).toEqual(['books_limit']);
  });

  test('yields when another program of the customer spends, and counts what other processes did', async () => {
    heard({ remaining: 9_000 });
    heard({ remaining: 8_950 });
    for (let i = 0; i < 100; i++) void call('sign');
    await vi.advanceTimersByTimeAsync(7_000);
    expect(started).toHaveLength(50);
    limits.others('b', 75, 100);
    for (let i = 0; i < 20; i++) void call('sign', 'b');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(started).toHaveLength(55);
  });

  test('leaves the rest of the day to signing once our half of it is used, or little is left', async () => {
    limits.others('a', 0, 5_000);
    heard({ remaining: 4_900 });
    void call('sync');
    void call('sign');
    await vi.advanceTimersByTimeAsync(100);
    expect(started.map((each) => each.purpose)).toEqual(['sign']);
    expect(failed).toEqual(['books_limit']);
    expect(defaultCallBudget.ofDay).toBe(0.5);
  });
});
