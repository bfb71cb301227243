import { expect, test } from 'vitest';
import { isOfFormerPassword, objectionMs, operatorFrom, unnotifiedMs } from './way-back.model.ts';

const askedAt = new Date('2026-03-02T08:00:00Z');
const after = (ms: number) => new Date(askedAt.getTime() + ms);

test('An operator decides a day after every admin was notified', () => {
  expect(operatorFrom({ askedAt, notifiedAt: after(5000) })).toEqual(after(5000 + objectionMs));
});

test('An operator decides after three days where an admin takes no mail', () => {
  expect(operatorFrom({ askedAt, notifiedAt: null })).toEqual(after(unnotifiedMs));
});

test.each([
  ['never changed', null, false],
  ['changed before the request', after(-1), false],
  ['changed with the request', askedAt, false],
  ['changed since the request', after(1), true],
])('A password that was %s makes the request void: %s %s', (_, passwordChangedAt, isFormer) => {
  expect(isOfFormerPassword({ passwordChangedAt }, { askedAt })).toBe(isFormer);
});
