import { expect, test } from 'vitest';
import { whyNotItsReceipt } from './late-signature.model.ts';

type Send = Parameters<typeof whyNotItsReceipt>[2][number];
const send = (invoiceNumber: string, outcome: Send['outcome']): Send => ({
  invoiceNumber,
  outcome,
  resolution: null,
});

test.each<[string, string | null, Send[], string | null]>([
  ['its document holds no number', null, [send('7', 'in_doubt')], null],
  ['its document holds its own number', '7', [send('7', 'in_doubt')], null],
  [
    'nothing has left under the number its document holds',
    '9',
    [send('7', 'in_doubt'), send('9', 'unreachable')],
    null,
  ],
  [
    'the document may be signed under another number',
    null,
    [send('7', 'refused'), send('9', 'in_doubt')],
    'it may be signed under another number as well',
  ],
  [
    'the document was sent under another number',
    '9',
    [send('7', 'refused'), send('9', 'not_served')],
    'something of it has left under another number',
  ],
])('a late signature is the receipt or not when %s', (_, own, attempts, expected) => {
  expect(whyNotItsReceipt(own, '7', attempts)).toBe(expected);
});
