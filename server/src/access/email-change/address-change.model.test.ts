import { describe, expect, test } from 'vitest';
import {
  appliesFrom,
  type ChangeTimes,
  isExpired,
  isForEverybody,
  isMailDue,
} from './address-change.model.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const askedAt = new Date('2026-03-02T08:00:00Z');
const after = (ms: number) => new Date(askedAt.getTime() + ms);
const fresh: ChangeTimes = { askedAt, notifiedAt: null, mailsSent: 0, lastMailedAt: null };
const told = (mailsSent: number, lastMailedAt: Date): ChangeTimes => ({
  askedAt,
  notifiedAt: askedAt,
  mailsSent,
  lastMailedAt,
});

describe('A change of address', () => {
  test('applies seven days after everybody was mailed', () => {
    expect(appliesFrom(told(1, askedAt))).toEqual(after(7 * dayMs));
  });

  test('applies after fourteen days if somebody takes no mail', () => {
    expect(appliesFrom(fresh)).toEqual(after(14 * dayMs));
  });

  test('expires after thirty days', () => {
    expect(isExpired(fresh, after(30 * dayMs))).toBe(false);
    expect(isExpired(fresh, after(30 * dayMs + 1))).toBe(true);
  });

  test.each([
    ['at first, an hour later', fresh, after(hourMs), true],
    ['at first, sooner', fresh, after(hourMs - 1), false],
    ['a day after the last mail', told(1, askedAt), after(dayMs), true],
    ['sooner than a day after it', told(1, askedAt), after(dayMs - 1), false],
    ['for the seventh time', told(6, after(5 * dayMs)), after(6 * dayMs), true],
    ['for the eighth time', told(7, after(6 * dayMs)), after(8 * dayMs), false],
    ['after its end', fresh, after(31 * dayMs), false],
  ])('is mailed %s: %s', (_, change, now, isDue) => {
    expect(isMailDue(change, now)).toBe(isDue);
  });

  test.each([
    ['first', fresh, true],
    ['second', told(1, askedAt), false],
    ['seventh', told(6, askedAt), true],
  ])('is mailed to everybody with the %s mail: %s', (_, change, isForAll) => {
    expect(isForEverybody(change)).toBe(isForAll);
  });
});
