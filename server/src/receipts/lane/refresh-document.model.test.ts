import { expect, test } from 'vitest';
import { judgeDevice, judgeFinding, judgeUnread } from './refresh-document.model.ts';

const usual = { firstMs: 5_000, maxMs: 300_000 };

test.each([
  [
    'is gone: it leaves the lane',
    { code: 'document_unknown' } as const,
    { do: 'leave', state: 'withdrawn', problem: { code: 'document_deleted' } },
  ],
  [
    'cannot be read for now: it stands aside',
    { code: 'books_unavailable' } as const,
    { do: 'set_aside', problem: { code: 'books_unavailable' }, pace: usual },
  ],
])('a document that %s', (_, problem, expected) => {
  expect(judgeUnread(problem)).toEqual(expected);
});

test.each([
  ['nothing: it goes on', undefined, null],
  ['what is judged with all the rest', { code: 'document_future' } as const, null],
  [
    'that it is void: it leaves the lane',
    { code: 'document_void' } as const,
    { do: 'leave', state: 'withdrawn', problem: { code: 'document_void' } },
  ],
  [
    'that its device has yet to take it over: it waits long for a person',
    { code: 'refund_needs_takeover' } as const,
    {
      do: 'set_aside',
      problem: { code: 'refund_needs_takeover' },
      pace: { firstMs: 60_000, maxMs: 3_600_000 },
    },
  ],
])('a document is read, and what is found is %s', (_, finding, expected) => {
  expect(judgeFinding(finding)).toEqual(expected);
});

test.each([
  ['goes on at its own device', 'one', 'sandbox', null],
  ['moves to another device of its kind', 'two', 'sandbox', 'move'],
  [
    'leaves when its branch has gone to production',
    'two',
    'production',
    { do: 'leave', state: 'withdrawn', problem: { code: 'device_switched' } },
  ],
])('a document that was read again %s', (_, id, environment, expected) => {
  const receipt = { deviceId: 'one', environment: 'sandbox' };
  expect(judgeDevice({ id, environment }, receipt)).toEqual(expected);
});
