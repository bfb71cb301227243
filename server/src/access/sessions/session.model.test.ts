import { describe, expect, test } from 'vitest';
import {
  afterZohoCheck,
  answeredLately,
  endOfPassed,
  idleMs,
  longestMs,
  type Renewable,
  renewability,
  sameAnswerMs,
  sessionMs,
  uncheckedMaxMs,
} from './session.model.ts';

const begun = new Date('2026-03-02T08:00:00Z');
const after = (ms: number) => new Date(begun.getTime() + ms);
const session: Renewable = {
  refreshHash: 'current',
  previousHash: 'previous',
  renewUntil: after(idleMs),
  createdAt: begun,
  renewedAt: begun,
};

describe('A refresh token', () => {
  test.each([
    ['current', 'renewable'],
    ['previous', 'renewable'],
    ['older', 'used_before'],
  ])('%s is %s', (presented, verdict) => {
    expect(renewability(session, presented, after(1))).toBe(verdict);
  });

  test('expires when it has lain unused, used before or not', () => {
    expect(renewability(session, 'current', after(idleMs - 1))).toBe('renewable');
    expect(renewability(session, 'current', after(idleMs))).toBe('expired');
    expect(renewability(session, 'older', after(idleMs))).toBe('expired');
  });

  test('expires at the end of the longest life of its session, however much it was used', () => {
    const used = { ...session, renewUntil: after(longestMs + idleMs) };
    expect(renewability(used, 'current', after(longestMs - 1))).toBe('renewable');
    expect(renewability(used, 'current', after(longestMs))).toBe('expired');
  });

  test('gets the same answer again for a moment, if it was the last one used', () => {
    expect(answeredLately(session, 'previous', after(sameAnswerMs))).toEqual(begun);
    expect(answeredLately(session, 'previous', after(sameAnswerMs + 1))).toBeNull();
    expect(answeredLately(session, 'current', after(1))).toBeNull();
    expect(answeredLately({ ...session, renewedAt: null }, 'previous', after(1))).toBeNull();
  });
});

test.each([
  [true, 0, 'checked'],
  [true, uncheckedMaxMs + 1, 'checked'],
  [false, 0, 'ended'],
  [null, uncheckedMaxMs, 'unchecked'],
  [null, uncheckedMaxMs + 1, 'unavailable'],
])('Where Zoho says %s after %i ms, the session is %s', (isThere, ms, verdict) => {
  expect(afterZohoCheck(isThere, ms)).toBe(verdict);
});

test('A session that is passed on lives no longer than the first one could', () => {
  expect(endOfPassed(begun, after(1000))).toEqual(after(1000 + sessionMs));
  expect(endOfPassed(begun, after(longestMs - 1000))).toEqual(after(longestMs));
});
