import { expect, test } from 'vitest';
import { failedAgain, isNeverGiven, type NotGiven } from './unreadable-document.model.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 26, 8, minutes));
const triedAt = (...minutes: number[]) =>
  minutes.reduce<NotGiven | null>((was, each) => failedAgain(was, at(each)), null) as NotGiven;

test('a document is never given after three tries over a quarter of an hour', () => {
  expect(isNeverGiven(triedAt(0, 7, 15), at(15))).toBe(true);
  expect(isNeverGiven(triedAt(0, 7, 14), at(14))).toBe(false);
  expect(isNeverGiven(triedAt(0, 15), at(15))).toBe(false);
});

test('looks that come at once are one try', () => {
  expect(triedAt(0, 0, 0, 15)).toMatchObject({ tries: 2 });
});

test('what failed on another day has ended meanwhile, for all that is known', () => {
  expect(triedAt(0, 5, 10, 24 * 60 + 10)).toEqual(triedAt(24 * 60 + 10));
  expect(triedAt(0, 5, 10, 24 * 60 + 9)).toMatchObject({ tries: 4 });
});
