import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AttemptFact,
  isDoubtful,
  isFoundTaken,
  lastUnder,
  provablyNotLeft,
  type ReceiptFacts,
  type ReceiptState,
  requireState,
  retryDelayMs,
  sendInDoubt,
  stateOf,
  type Wish,
} from './receipt.model.ts';

const attempt = fc.record<ReceiptFacts['attempts'][number]>({
  outcome: fc.constantFrom(
    'signed',
    'refused',
    'number_taken',
    'not_served',
    'unreachable',
    'in_doubt',
    null,
  ),
  resolution: fc.constantFrom(null, null, null, 'signed', 'not_signed', 'not_ours', 'doubtful'),
  invoiceNumber: fc.constantFrom('7', '8'),
});
const facts = fc.record<ReceiptFacts>({
  isSigned: fc.boolean(),
  isMoved: fc.boolean(),
  choice: fc.constantFrom('queued', 'refused', 'withdrawn'),
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
      if (given.isSigned || given.isMoved || !given.attempts.some(isDoubtful)) return true;
      return (
        stateOf({
          ...given,
          attempts: [...given.attempts, { ...later, resolution: null, outcome: 'refused' }],
        }) === 'in_doubt'
      );
    }),
    { numRuns: 5_000 },
  );
});

test('without signature and doubt a receipt is what was chosen for it', () => {
  fc.assert(
    fc.property(facts, (given) => {
      if (given.isSigned || given.isMoved || given.attempts.some(isDoubtful)) return true;
      return stateOf(given) === given.choice;
    }),
    { numRuns: 5_000 },
  );
});

const sent = (
  outcome: AttemptFact['outcome'],
  resolution: AttemptFact['resolution'] = null,
  invoiceNumber = '7',
) => ({ outcome, resolution, invoiceNumber });
const lost = sent('in_doubt');
const elsewhere = sent('refused', 'doubtful', '8');

test.each<[string, Partial<ReceiptFacts>, ReceiptState]>([
  ['nothing of it was sent', {}, 'queued'],
  ['refused before it was sent', { choice: 'refused' }, 'refused'],
  ['queued again after a refusal', { attempts: [sent('refused')] }, 'queued'],
  ['taken out by a person', { choice: 'withdrawn', attempts: [sent('refused')] }, 'withdrawn'],
  ['on its way', { attempts: [sent(null)] }, 'queued'],
  ['not served, or not reached', { attempts: [sent('not_served'), sent('unreachable')] }, 'queued'],
  ['its answer was lost', { attempts: [lost] }, 'in_doubt'],
  ['its answer was lost, and it is asked again', { attempts: [lost, sent(null)] }, 'in_doubt'],
  ['refused after its answer was lost', { attempts: [lost, sent('refused')] }, 'in_doubt'],
  ['its number was taken', { attempts: [sent('number_taken')] }, 'in_doubt'],
  ['the number it gave back was taken', { attempts: [sent('refused', 'doubtful')] }, 'in_doubt'],
  ['doubtful and withdrawn', { choice: 'withdrawn', attempts: [lost] }, 'in_doubt'],
  [
    'resolution as not signed',
    { choice: 'refused', attempts: [sent('in_doubt', 'not_signed')] },
    'refused',
  ],
  ['the number is not its own', { attempts: [sent('number_taken', 'not_ours')] }, 'queued'],
  ['undone by a refund', { attempts: [sent('number_taken', 'reversed')] }, 'queued'],
  ['signed after all', { isSigned: true, attempts: [lost] }, 'signed'],
  ['closed for another receipt', { isMoved: true, attempts: [lost] }, 'withdrawn'],
  ['closed and signed, which cannot be', { isMoved: true, isSigned: true }, 'signed'],
  [
    'let go from one number, in doubt about another',
    { about: '7', attempts: [sent('refused'), elsewhere] },
    'queued',
  ],
  ['let go from a number that it is in doubt about', { about: '7', attempts: [lost] }, 'in_doubt'],
  ['let go without a number, in doubt about one', { about: null, attempts: [lost] }, 'queued'],
  [
    'doubted about a number that another doubt is about',
    { about: '7', attempts: [elsewhere] },
    'queued',
  ],
  ['let go from a number, and signed', { about: '7', isSigned: true }, 'signed'],
])('the state of a receipt: %s', (_, given, expected) => {
  const ordinary = { isSigned: false, isMoved: false, choice: 'queued' as const, attempts: [] };
  expect(stateOf({ ...ordinary, ...given })).toBe(expected);
});

test.each<[Wish, Partial<ReceiptFacts>, ReceiptState]>([
  ['queued', { attempts: [lost] }, 'in_doubt'],
  ['withdrawn', { attempts: [sent('refused', 'doubtful')] }, 'in_doubt'],
  ['refused', { about: '7', attempts: [sent('number_taken')] }, 'in_doubt'],
  ['queued', { isSigned: true }, 'signed'],
  ['in_doubt', { isSigned: true, attempts: [lost] }, 'signed'],
  ['in_doubt', { attempts: [sent('refused')] }, 'queued'],
  ['queued', { isMoved: true }, 'withdrawn'],
])('nobody writes %s against the facts', (wish, given, state) => {
  const facts = { isSigned: false, isMoved: false, attempts: [], ...given };
  expect(() => requireState('rcp_1', wish, facts)).toThrow(
    `receipt rcp_1 was to be ${wish}, and by its facts it is ${state}`,
  );
});

test('what the facts say is written', () => {
  const facts = { isSigned: false, isMoved: false, attempts: [lost] };
  expect(requireState('rcp_1', 'in_doubt', facts)).toBe('in_doubt');
  expect(requireState('rcp_1', 'refused', { ...facts, attempts: [] })).toBe('refused');
});

test('bytes may change only while nothing has left since the last definite refusal', () => {
  const attempt = (
    outcome: AttemptFact['outcome'],
    resolution: AttemptFact['resolution'] = null,
  ) => ({
    outcome,
    resolution,
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

test('a doubt is about the last send under its number that may have made a receipt', () => {
  const sends = [
    { id: 1, invoiceNumber: '7', outcome: 'in_doubt', resolution: null },
    { id: 2, invoiceNumber: '8', outcome: 'in_doubt', resolution: null },
    { id: 3, invoiceNumber: '7', outcome: 'in_doubt', resolution: 'not_signed' },
    { id: 4, invoiceNumber: '7', outcome: 'refused', resolution: null },
  ] as const;
  expect(sendInDoubt([...sends], '7')?.id).toBe(1);
  expect(sendInDoubt([...sends], '9')).toBeUndefined();
  expect(lastUnder([...sends], '7')?.id).toBe(4);
  expect(lastUnder([...sends], null)).toBeUndefined();
});

test.each<[AttemptFact['outcome'], AttemptFact['resolution'], boolean, boolean]>([
  ['in_doubt', null, true, false],
  ['number_taken', null, true, true],
  ['number_taken', 'not_ours', false, false],
  ['refused', 'doubtful', true, true],
  ['refused', null, false, false],
  [null, null, false, false],
])('a send that ended as %s and was resolution as %s', (outcome, resolution, doubtful, taken) => {
  expect(isDoubtful({ outcome, resolution })).toBe(doubtful);
  expect(isFoundTaken({ outcome, resolution })).toBe(taken);
});

test('the next try of what a device did not take is later each time, and has a bound', () => {
  expect([0, 1, 2, 3, 60].map((tries) => retryDelayMs(tries, 100, 500))).toEqual([
    100, 200, 400, 500, 500,
  ]);
});
