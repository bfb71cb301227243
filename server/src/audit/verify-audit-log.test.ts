import { describe, expect, test } from 'vitest';
import { hashOfEntry } from './chain-audit-log.ts';
import { compareWithHead, follow, type Followed } from './verify-audit-log.ts';

const businessId = 'biz_1';
const start: Followed = { expected: 1n, previousHash: '', brokenAt: null };

/** A chain of so many entries that fits. */
function chainOf(length: number) {
  let previousHash = '';
  return Array.from({ length }, (_, i) => {
    const entry = {
      id: `aud_${i}`,
      at: '2026-11-20T10:00:00.000000Z',
      actor_type: 'person',
      actor_id: 'per_1',
      origin: null,
      action: 'settings.changed',
      subject: 'biz_1',
      before: null,
      after: '{"a": 1}',
      request_id: null,
      place: String(i + 1),
      previous_hash: previousHash,
    };
    previousHash = hashOfEntry(businessId, entry.place, previousHash, entry);
    return { ...entry, hash: previousHash };
  });
}
const chain = chainOf(4);
const hashAt = (place: number): string => (chain[place - 1] as (typeof chain)[number]).hash;
/** The chain with its third entry changed. */
const changed = (change: object) =>
  chain.map((entry, i) => (i === 2 ? { ...entry, ...change } : entry));

test('a chain that fits is followed to its end, and on from there', () => {
  const half = follow(start, chain.slice(0, 2), businessId);
  expect(half).toEqual({ expected: 3n, previousHash: hashAt(2), brokenAt: null });
  const whole = { expected: 5n, previousHash: hashAt(4), brokenAt: null };
  expect(follow(half, chain.slice(2), businessId)).toEqual(whole);
});

describe('a chain breaks at an entry', () => {
  test.each([
    ['that was changed', changed({ subject: 'biz_2' })],
    ['whose hash was changed', changed({ hash: 'another' })],
    ['that names another hash before it', changed({ previous_hash: 'another' })],
    ['that was moved', changed({ place: '9' })],
    ['that was taken out', chain.filter((_, i) => i !== 2)],
  ])('%s', (_what, entries) => {
    expect(follow(start, entries, businessId)).toEqual({
      expected: 3n,
      previousHash: hashAt(2),
      brokenAt: '3',
    });
  });

  test('of another business', () => {
    expect(follow(start, chain, 'biz_2').brokenAt).toBe('1');
  });
});

test.each([
  ['that ends where it was followed to fits', '4', hashAt(4), 'fits'],
  ['of another hash differs', '4', hashAt(3), 'differs'],
  ['that ends before it differs', '3', hashAt(3), 'differs'],
  ['that goes on behind it is longer', '5', 'another', 'longer'],
])('a head %s', (_what, position, hash, is) => {
  const followed = { expected: 5n, previousHash: hashAt(4), brokenAt: null };
  expect(compareWithHead({ position, hash }, followed)).toBe(is);
});
