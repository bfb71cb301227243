import { describe, expect, test } from 'vitest';
import { dueOf, dueOfUnbegun, type Watched } from './deadlines.model.ts';

const now = new Date('2026-11-21T20:00:00Z');
const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const quiet: Watched = {
  deviceId: 'd',
  dialect: 'zz-test',
  branchName: 'Kigali',
  lastContactAt: ago(0.1),
  lastUpstreamAt: ago(2),
  oldest: null,
  doubts: [],
  difference: null,
  clockAheadMs: 300,
};
const codes = (more: Partial<Watched>) =>
  dueOf({ ...quiet, ...more }, 24, now).map(({ problem }) =>
    [problem.code, problem.hours].filter((each) => each !== undefined).join(' '),
  );

describe('what a business is told of in time', () => {
  test('nothing while everything is well', () => expect(codes({})).toEqual([]));

  test.each([
    [0.9, []],
    [1, ['oldest_unsigned 1']],
    [11.9, ['oldest_unsigned 1']],
    [12, ['oldest_unsigned 12']],
    [18.5, ['oldest_unsigned 18']],
    [50, ['oldest_unsigned 22']],
  ])('a document that waits for %s hours', (hours, told) => {
    expect(codes({ oldest: { documentNumber: 'INV-1', since: ago(hours), count: 3 } })).toEqual(
      told,
    );
  });

  test.each([
    [11.9, []],
    [12, ['offline_clock 12']],
    [18, ['offline_clock 18']],
    [22.1, ['offline_clock 22']],
  ])('a device without its authority for %s hours', (hours, told) =>
    expect(codes({ lastUpstreamAt: ago(hours) })).toEqual(told),
  );

  test.each([
    [48, 23.9, []],
    [48, 24, ['offline_clock 24']],
    [48, 36, ['offline_clock 36']],
    [48, 46.1, ['offline_clock 46']],
    [null, 500, []],
  ])('a device that may be without its authority for %s hours, after %s', (max, hours, told) =>
    expect(
      dueOf({ ...quiet, lastUpstreamAt: ago(hours) }, max, now).map(
        ({ problem }) => `${problem.code} ${problem.hours}`,
      ),
    ).toEqual(told),
  );

  test('a device nobody has heard of for a while, only while something waits for it', () => {
    expect(codes({ lastContactAt: ago(60) })).toEqual([]);
    expect(
      codes({
        lastContactAt: ago(13),
        oldest: { documentNumber: 'INV-1', since: ago(0.5), count: 1 },
      }),
    ).toEqual(['device_silent 12']);
    expect(
      codes({
        lastContactAt: null,
        oldest: { documentNumber: 'INV-1', since: ago(0.5), count: 1 },
      }),
    ).toEqual([]);
  });

  test('a doubt older than an hour, and a clock ten minutes off in either direction', () => {
    const doubt = (hours: number) => ({
      doubts: [{ receiptId: 'r', documentNumber: 'INV-1', since: ago(hours) }],
    });
    expect(codes(doubt(0.99))).toEqual([]);
    expect(codes(doubt(1))).toEqual(['doubt_old']);
    expect(codes({ clockAheadMs: 599_000 })).toEqual([]);
    expect(codes({ clockAheadMs: 601_000 })).toEqual(['device_clock']);
    expect(codes({ clockAheadMs: -86_400_000 })).toEqual(['device_clock']);
    // “… minutes away”, whichever of the two is ahead.
    expect(dueOf({ ...quiet, clockAheadMs: -86_400_000 }, 24, now)).toMatchObject([
      { problem: { code: 'device_clock', minutes: 1440 } },
    ]);
  });

  test.each([
    ['by itself', true, 0.9, []],
    ['by itself', true, 1, ['unsealed_old 1']],
    ['by itself', true, 23, ['unsealed_old 22']],
    ['by hand', false, 11.9, []],
    ['by hand', false, 12.1, ['unsealed_old 12']],
  ] as const)(
    'a document that should be sealed %s (%s) and has waited for %s hours',
    (_how, isAutomatic, hours, told) => {
      const documents = {
        number: 'INV-1',
        since: ago(hours),
        count: 2,
        problem: { code: 'item_unmapped' as const },
        isAutomatic,
      };
      const due = dueOfUnbegun('b', { documents, writes: null }, now);
      expect(due.map(({ problem }) => `${problem.code} ${problem.hours}`)).toEqual(told);
      for (const { problem } of due)
        expect(problem).toMatchObject({ because: 'item_unmapped', count: 2 });
    },
  );

  test('a seal that Zoho does not take', () => {
    const writes = (hours: number) => ({
      documents: null,
      writes: { documentNumber: 'INV-1', since: ago(hours), count: 4 },
    });
    expect(dueOfUnbegun('b', writes(0.5), now)).toEqual([]);
    expect(dueOfUnbegun('b', writes(13), now)).toMatchObject([
      { problem: { code: 'write_back_waits', hours: 12, count: 4 } },
    ]);
  });

  test('a device that tells another taxpayer', () => {
    expect(codes({ difference: { code: 'taxpayer_name_differs' } })).toEqual([
      'taxpayer_name_differs',
    ]);
  });
});
