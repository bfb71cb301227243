import { expect, test } from 'vitest';
import { sentAfterError } from './http-exchange.ts';

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

test.each([
  ['before it left', { left: false, isTooLate: false }, false, 'unreachable', 'ECONNRESET'],
  ['after it left', { left: true, isTooLate: false }, false, 'in_doubt', 'ECONNRESET'],
  [
    'inside, before it left',
    { left: false, isTooLate: false },
    true,
    'unreachable',
    'no connection',
  ],
  [
    'inside, after it left',
    { left: true, isTooLate: false },
    true,
    'in_doubt',
    'the connection was lost',
  ],
  [
    'by ourselves, too late to send',
    { left: false, isTooLate: true },
    false,
    'unreachable',
    'too long ago since it was written down: it was not sent',
  ],
] as const)('a connection lost %s', (_what, mark, isInner, is, reason) => {
  expect(sentAfterError(reset, mark, isInner)).toMatchObject({ is, reason });
});

test('an error without a code is told by its words', () => {
  const mark = { left: false, isTooLate: false };
  expect(sentAfterError(new Error('other side closed'), mark, false)).toMatchObject({
    reason: 'other side closed',
  });
});
