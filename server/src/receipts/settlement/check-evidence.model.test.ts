import { expect, test } from 'vitest';
import {
  checkClaim,
  checkNotFound,
  type Claim,
  type DoubtFacts,
  isUnasked,
  needsSecondWord,
} from './check-evidence.model.ts';

const at = new Date('2026-11-27T10:00:00Z');
const ago = (hours: number) => new Date(at.getTime() - hours * 3_600_000);
const send = (given: Partial<DoubtFacts['attempts'][number]> = {}) => ({
  outcome: 'in_doubt' as const,
  resolution: null,
  invoiceNumber: '7',
  isSocketClosed: true,
  startedAt: ago(1),
  ...given,
});
const refused = send({ outcome: 'refused' });
const open = send({ isSocketClosed: false });
const doubt = (given: Partial<DoubtFacts> = {}): DoubtFacts => ({
  code: 'maybe_signed',
  invoiceNumber: '7',
  isDeviceRetired: false,
  isContested: false,
  total: '1180',
  buyerTin: '',
  attempts: [send(), refused],
  ...given,
});
const lost = { code: 'signed_answer_lost' };
const either = { code: 'maybe_signed_under_either', attempts: [send({ startedAt: ago(50) })] };
const retired = { isDeviceRetired: true, attempts: [send({ startedAt: ago(50) })] };
const listed = (hours: number) => ({ listed_at: ago(hours).toISOString() });
const ended = { cannot_upload: true as const };
const wrongState = (reason: string) => ({ code: 'wrong_state', reason });
const tooEarly = (after: Date) => ({
  code: 'evidence_too_early',
  field: 'listed_at',
  after: after.toISOString(),
});

test.each<[string, Partial<DoubtFacts>, object, object | null]>([
  ['the device has refused it since', {}, {}, null],
  [
    'the device has not refused it',
    { attempts: [refused, send()] },
    {},
    wrongState('the device has not refused the document after the doubt'),
  ],
  [
    'the device says that it is used',
    lost,
    {},
    wrongState('the device has not refused the document after the doubt'),
  ],
  ['an answer may still come', { attempts: [open, refused] }, {}, { code: 'answer_may_come' }],
  ['a late list shows it', either, listed(1), null],
  ['a list is from before the device uploads', either, listed(3), tooEarly(ago(2))],
  ['a list is of tomorrow', either, listed(-24), tooEarly(ago(2))],
  [
    'nobody says when the list was taken',
    either,
    {},
    {
      code: 'malformed',
      field: 'listed_at',
      reason: 'when the list was taken has to be said',
    },
  ],
  ['the device was retired, and can upload nothing', retired, { ...listed(1), ...ended }, null],
  [
    'the device was retired, and may upload',
    retired,
    listed(1),
    {
      code: 'malformed',
      field: 'cannot_upload',
      reason: 'that the device cannot upload anything any more has to be said',
    },
  ],
  [
    'the device was retired, and says that it is used',
    { ...retired, ...lost },
    { ...listed(1), ...ended },
    wrongState('the device may have signed it'),
  ],
  [
    'the device was retired, and an answer may still come',
    { ...retired, attempts: [open] },
    { ...listed(1), ...ended },
    { code: 'answer_may_come' },
  ],
])('that nothing stands under the number: %s', (_, given, more, expected) => {
  const evidence = { found: false, source: 'the portal', ...more } as const;
  expect(checkNotFound(evidence, doubt(given), at)).toEqual(expected);
});

test.each<[string, Partial<DoubtFacts>, object, object | null]>([
  ['the device says that it is used', lost, {}, null],
  [
    'the device has said nothing of it',
    {},
    {},
    wrongState('the device has not said that the number is taken'),
  ],
  ['an answer may still come', { ...lost, attempts: [open] }, {}, { code: 'answer_may_come' }],
  ['a late list shows it', either, listed(1), null],
  ['a list is from before the device uploads', either, listed(3), tooEarly(ago(2))],
  ['the device was retired, and can upload nothing', retired, { ...listed(1), ...ended }, null],
  ['the device was retired, and had said that it is used', { ...retired, ...lost }, {}, null],
])('that the number is another’s: %s', (_, given, more, expected) => {
  const evidence = { found: 'other', source: 'the portal', ...more } as const;
  expect(checkNotFound(evidence, doubt(given), at)).toEqual(expected);
});

test.each<[string, Partial<DoubtFacts>, boolean]>([
  ['may be signed under another number', { ...either, attempts: [send()] }, true],
  ['has a late signature', { isContested: true, attempts: [send()] }, true],
  ['was refused after all', { isContested: true }, false],
  ['is like any other', { attempts: [send()] }, false],
  ['is known to be signed', { ...lost, isContested: true, attempts: [send()] }, false],
])('nobody asks about a doubt, or somebody does, when it %s', (_, given, expected) => {
  expect(isUnasked(doubt(given))).toBe(expected);
});

test.each<[string, false | true | 'other', Partial<DoubtFacts>, boolean]>([
  ['a signature', true, retired, false],
  ['that the number is another’s', 'other', {}, true],
  ['that nothing was signed, where the device was retired', false, retired, true],
  ['that nothing was signed, where the device is not asked', false, either, true],
  ['that nothing was signed, where the device has refused it', false, {}, false],
])('two persons say %s, or one does', (_, found, given, expected) => {
  const evidence = { found, source: 'the portal' } as Parameters<typeof needsSecondWord>[0];
  expect(needsSecondWord(evidence, doubt(given))).toBe(expected);
});

type Changes = Partial<Omit<Claim, 'evidence' | 'signature' | 'doubt'>> & {
  evidence?: object;
  signature?: object;
  doubt?: Partial<DoubtFacts>;
};
const claim = ({ evidence, signature, doubt: given, ...rest }: Changes): Claim => ({
  evidence: { found: true, ...evidence } as Claim['evidence'],
  signature: { sdcId: 'SDC1', signedAt: ago(1), ...signature } as Claim['signature'],
  isWellFormed: true,
  sdcId: 'SDC1',
  doubt: doubt(given),
  at,
  ...rest,
});
const mismatch = (field: string) => ({ code: 'evidence_mismatch', field });
const unsaid = {
  code: 'malformed',
  field: 'invoice_number',
  reason: 'under which of its numbers has to be said',
};
const other = { attempts: [send(), send({ invoiceNumber: '5' })] };

test.each<[string, Changes, object | null]>([
  ['fits', {}, null],
  [
    'fits with all that the page says',
    {
      evidence: { invoice_number: '7', buyer_tin: '100', total: '1180.00' },
      doubt: { buyerTin: '100' },
    },
    null,
  ],
  ['may be of another of its numbers', { doubt: other }, unsaid],
  ['may be of either of its numbers', { doubt: either }, unsaid],
  ['says which of its numbers', { doubt: other, evidence: { invoice_number: '7' } }, null],
  ['is of another number', { evidence: { invoice_number: '8' } }, mismatch('invoice_number')],
  ['is of another buyer', { evidence: { buyer_tin: '100' } }, mismatch('buyer_tin')],
  ['is of another total', { evidence: { total: '1180.01' } }, mismatch('total')],
  ['is not well formed', { isWellFormed: false }, mismatch('receipt_signature')],
  ['is of another device', { signature: { sdcId: 'SDC2' } }, mismatch('sdc_id')],
  ['is of a device that nobody has named', { sdcId: null, signature: { sdcId: 'SDC2' } }, null],
  ['is of before it was sent', { signature: { signedAt: ago(2) } }, mismatch('signed_at')],
  ['is of a clock that goes a little slow', { signature: { signedAt: ago(1.1) } }, null],
  ['is of the future', { signature: { signedAt: ago(-1) } }, mismatch('signed_at')],
])('a signature that a person brings %s', (_, changes, expected) => {
  expect(checkClaim(claim(changes))).toEqual(expected);
});
