import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttemptFact, isDoubtful, provablyNotLeft, stateOf } from './receipt.model.ts';

const attempt = fc.record<AttemptFact>({
  outcome: fc.constantFrom(
    'signed',
    'refused',
    'number_taken',
    'not_served',
    'unreachable',
    'in_doubt',
    null,
  ),
  settled: fc.constantFrom(null, null, null, 'signed', 'not_signed', 'not_ours', 'doubtful'),
  isWorkerGone: fc.boolean(),
});
const facts = fc.record({
  isSigned: fc.boolean(),
  isWithdrawn: fc.boolean(),
  attempts: fc.array(attempt, { maxLength: 6 }),
});

test('a signature wins over everything, and nothing else makes a receipt signed', () => {
  fc.assert(
    fc.property(facts, (given) => (stateOf(given) === 'signed') === given.isSigned),
    { numRuns: 5_000 },
  );
});

test('an open doubt outlives whatever came after it', () => {
  fc.assert(
    fc.property(facts, attempt, (given, later) => {
      if (given.isSigned || !given.attempts.some(isDoubtful)) return true;
      return (
        stateOf({
          ...given,
          attempts: [...given.attempts, { ...later, settled: null, outcome: 'refused' }],
        }) === 'in_doubt'
      );
    }),
    { numRuns: 5_000 },
  );
});

test('an attempt without an outcome is a doubt only once its worker is gone', () => {
  const begun = { outcome: null, settled: null } as const;
  expect(
    stateOf({ isSigned: false, isWithdrawn: false, attempts: [{ ...begun, isWorkerGone: false }] }),
  ).toBe('queued');
  expect(
    stateOf({ isSigned: false, isWithdrawn: false, attempts: [{ ...begun, isWorkerGone: true }] }),
  ).toBe('in_doubt');
});

test('bytes may change only while nothing has left since the last definite refusal', () => {
  const attempt = (outcome: AttemptFact['outcome'], settled: AttemptFact['settled'] = null) => ({
    outcome,
    settled,
  });
  expect(provablyNotLeft([])).toBe(true);
  expect(provablyNotLeft([attempt('unreachable'), attempt('unreachable')])).toBe(true);
  expect(provablyNotLeft([attempt('not_served'), attempt('refused'), attempt('unreachable')])).toBe(
    true,
  );
  expect(provablyNotLeft([attempt('refused'), attempt('not_served')])).toBe(false);
  expect(provablyNotLeft([attempt('in_doubt'), attempt('unreachable')])).toBe(false);
  expect(provablyNotLeft([attempt(null)])).toBe(false);
});
