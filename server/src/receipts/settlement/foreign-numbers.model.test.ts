import { expect, test } from 'vitest';
import { rangeOf } from './foreign-numbers.model.ts';

test.each<[string, bigint[], bigint | null, { first: bigint; most: bigint }]>([
  ['the one that a document has met', [7n], null, { first: 7n, most: 7n }],
  ['all from the first one met to the last', [9n, 7n, 8n], null, { first: 7n, most: 9n }],
  ['up to one that was found taken', [7n], 12n, { first: 7n, most: 12n }],
  ['no further than the last one met', [7n, 12n], 9n, { first: 7n, most: 12n }],
  ['what comes behind one that was found taken', [], 9n, { first: 10n, most: 9n }],
])('another program accounts for %s', (_, met, taken, expected) => {
  expect(rangeOf(met, taken)).toEqual(expected);
});
