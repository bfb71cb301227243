import { expect, test } from 'vitest';
import { canBeNext, type Doubt, doubtExcluded, lastRefusal } from './counter-evidence.model.ts';

const known = { sdcId: 'SDC1', lastTotal: '40', isSignatureKnown: false };
const nextOne = { sdcId: 'SDC1', totalReceiptNumber: '41' };

test.each([
  ['the very next total of the SDC', {}, {}, true],
  ['a total further on: others have signed in between', {}, { totalReceiptNumber: '45' }, true],
  ['totals are numbers, not text', { lastTotal: '99' }, { totalReceiptNumber: '100' }, true],
  ['totals beyond what a number holds', { lastTotal: '9007199254740993' }, big('4'), true],
  ['the last total once more', {}, { totalReceiptNumber: '40' }, false],
  ['a total from before', {}, { totalReceiptNumber: '9' }, false],
  ['another SDC', {}, { sdcId: 'SDC2' }, false],
  ['a signature that a receipt has', { isSignatureKnown: true }, {}, false],
  ['a device that has signed nothing yet', { sdcId: null, lastTotal: null }, {}, true],
  ['its first total, whatever it is', { lastTotal: null }, { totalReceiptNumber: '7' }, true],
])('can be the next signature: %s', (_, device, signature, expected) => {
  expect(canBeNext({ ...known, ...device }, { ...nextOne, ...signature })).toBe(expected);
});

function big(last: string) {
  return { totalReceiptNumber: `900719925474099${last}` };
}

const doubt: Doubt & { id: string } = { id: 'a', code: 'maybe_signed', totalBefore: '40' };

test.each([
  ['a single doubt and the next total', [doubt], '40', '41', 'a'],
  ['no doubt', [], '40', '41', null],
  ['a jump by two: it may have been signed', [doubt], '40', '42', null],
  ['a total that has not grown', [doubt], '40', '40', null],
  ['two doubts: whose is the one in between?', [doubt, { ...doubt, id: 'b' }], '40', '41', null],
  ['one known to be signed', [{ ...doubt, code: 'signed_answer_lost' }], '40', '41', null],
  ['a number found taken', [{ ...doubt, code: 'number_collision' }], '40', '41', null],
  ['nothing known before it', [{ ...doubt, totalBefore: null }], '40', '41', null],
  ['something signed since it began', [doubt], '41', '42', null],
  ['a device without a total', [doubt], null, '41', null],
])('the counters exclude a doubt: %s', (_, doubts, lastTotal, totalReceiptNumber, expected) => {
  expect(doubtExcluded(doubts, { lastTotal }, { totalReceiptNumber })?.id ?? null).toBe(expected);
});

const sent = (invoiceNumber: string, outcome: string | null, isSocketClosed = true) => ({
  invoiceNumber,
  outcome,
  isSocketClosed,
});

test.each([
  ['refused by its last send', [sent('7', 'in_doubt'), sent('7', 'refused')], true],
  ['refused before its answer was lost', [sent('7', 'refused'), sent('7', 'in_doubt')], false],
  ['not served since', [sent('7', 'refused'), sent('7', 'not_served')], false],
  ['refused under another number', [sent('7', 'in_doubt'), sent('8', 'refused')], false],
  ['refused, and refused under another number', [sent('7', 'refused'), sent('8', 'refused')], true],
  ['an answer may still come', [sent('7', 'in_doubt', false), sent('7', 'refused')], false],
  ['never sent', [], false],
])('nothing of a doubt may come any more: %s', (_, attempts, expected) => {
  expect(lastRefusal(attempts, '7') !== null).toBe(expected);
});
