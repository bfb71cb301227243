import { expect, test } from 'vitest';
import { usualTiming } from './lane-timing.model.ts';
import type { LaneDoubt, LaneHead } from './lane.model.ts';
import { type Decision, decide, giveNumber, type Situation } from './next-step.model.ts';

const now = new Date('2026-11-27T10:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const { settleQuietMs, doubtWaitMs, readAgainMs, retryMaxMs } = usualTiming;
const filed = (terms: object = {}) =>
  ({
    sale: { documentNumber: 'INV-1', customerId: 'c1', locationId: null },
    terms,
  }) as unknown as LaneHead['filed'];

const head = (given: Partial<LaneHead> = {}): LaneHead => ({
  id: 'head',
  kind: 'sale',
  module: 'invoices',
  documentId: 'd1',
  documentHash: '',
  invoiceNumber: null,
  filed: filed(),
  readAt: now,
  nextTryAt: null,
  hasUnregisteredItems: false,
  isDoubted: false,
  fixedRequest: null,
  byItself: null,
  ...given,
});
/** In doubt for an hour, and asked about as soon as somebody looks. */
const doubt = (given: Partial<LaneDoubt> = {}): LaneDoubt => ({
  id: 'doubt',
  documentNumber: 'INV-0',
  invoiceNumber: '7',
  nextTryAt: null,
  since: at(-3_600_000),
  lastEndedAt: at(-3_600_000),
  hasOpenSocket: false,
  isContested: false,
  isAsked: true,
  otherNumber: null,
  tries: 0,
  ...given,
});
/** In doubt for long enough to pass, and asked about in so many milliseconds. */
const resting = (ms = 5_000, given: Partial<LaneDoubt> = {}) =>
  doubt({ nextTryAt: at(ms), ...given });

type Given = Partial<Omit<Situation, 'lane' | 'queue' | 'rules'>> & {
  lane?: Partial<Situation['lane']>;
  rules?: Partial<Situation['rules']>;
  doubts?: LaneDoubt[];
  head?: LaneHead | null;
};
const situation = ({ lane, rules, doubts = [], head = null, ...given }: Given): Situation => ({
  lane: { state: 'active', isOtherTaxpayer: false, openAttempt: null, ...lane },
  holder: 'this_worker',
  hasJustEnded: false,
  isClosing: false,
  queue: { doubts, head },
  underWay: [],
  listening: new Map(),
  done: new Set(),
  isServing: false,
  rules: { resend: 'refused_by_device', passesDoubt: true, ...rules },
  timing: usualTiming,
  now,
  ...given,
});

const stop = (endsLease: boolean): Decision => ({ do: 'stop', endsLease });
const release = (until: Date | null): Decision => ({ do: 'release', until });
const prepare = (first: Extract<Decision, { do: 'prepare' }>['first']): Decision => ({
  do: 'prepare',
  first,
});
const withHead = (what: 'probe' | 'read' | 'register' | 'freeze', given?: Partial<LaneHead>) =>
  ({ do: what, head: head(given) }) satisfies Decision;
const nobody = { customer_ids: [], location_ids: [], number_prefixes: [] };
const exempt: LaneHead['byItself'] = {
  auto_seal: 'sent',
  exempt: { ...nobody, customer_ids: ['c1'] },
};
const switchedOff: LaneHead['byItself'] = { auto_seal: 'off', exempt: nobody };
const reversing = filed({ reverses: { receiptId: 'lost', invoiceNumber: '7' } });

const cases: [string, Given & { queue?: null }, Decision][] = [
  // The lease.
  ['another worker has the lane', { holder: 'another' }, stop(false)],
  [
    'the lane was stopped and a send is open',
    { holder: 'stopped', lane: { openAttempt: 'a' } },
    stop(false),
  ],
  ['the lane was stopped and no send is open', { holder: 'stopped' }, stop(true)],
  [
    'the lane was stopped and its send has just ended',
    { holder: 'stopped', hasJustEnded: true, lane: { openAttempt: 'a' } },
    stop(true),
  ],
  ['the device is paused', { lane: { state: 'paused' }, head: head() }, release(null)],
  ['the process ends', { isClosing: true, head: head() }, release(now)],
  ['the queue was not read yet', { queue: null }, prepare({ do: 'read_queue' })],
  // Whether a doubt is asked about.
  [
    'a doubt that is due may be signed under another number',
    { doubts: [doubt({ otherNumber: '3' })] },
    prepare({ do: 'change_asking', doubt: doubt({ otherNumber: '3' }) }),
  ],
  [
    'a doubt that may be signed under another number is not due',
    { doubts: [resting(5_000, { otherNumber: '3' })] },
    { do: 'release', until: at(5_000), orWhenDue: true },
  ],
  [
    'nothing keeps a doubt from being asked about any more',
    { doubts: [doubt({ isAsked: false })] },
    prepare({ do: 'change_asking', doubt: doubt({ isAsked: false }) }),
  ],
  [
    'a doubt is not asked about because of another number',
    { doubts: [doubt({ isAsked: false, otherNumber: '3' })] },
    { do: 'release', until: null, orWhenDue: true },
  ],
  [
    'a doubt is not asked about because a late signature waits for a person',
    { doubts: [doubt({ isAsked: false, isContested: true })] },
    { do: 'release', until: null, orWhenDue: true },
  ],
  // What is still heard.
  [
    'this process has something under way, and a doubt is due by the clock',
    { doubts: [doubt()], underWay: ['x'] },
    prepare({ do: 'find_listening', receiptIds: ['doubt'] }),
  ],
  [
    'this process still listens for a doubt that is due by the clock',
    { doubts: [doubt()], underWay: ['doubt'], listening: new Map([['doubt', true]]) },
    { do: 'release', until: at(settleQuietMs), orWhenDue: true },
  ],
  [
    'this process listens for nothing of a doubt that is due',
    { doubts: [doubt()], underWay: ['x'], listening: new Map([['doubt', false]]) },
    { do: 'resend', doubt: doubt() },
  ],
  // Doubts.
  ['a doubt is due', { doubts: [doubt()], head: head() }, { do: 'resend', doubt: doubt() }],
  [
    'a doubt is due just now',
    { doubts: [doubt({ lastEndedAt: at(-settleQuietMs) })] },
    { do: 'resend', doubt: doubt({ lastEndedAt: at(-settleQuietMs) }) },
  ],
  [
    'a quiet time has not passed since the last send ended',
    { doubts: [doubt({ lastEndedAt: at(-1) })] },
    { do: 'release', until: at(settleQuietMs - 1), orWhenDue: true },
  ],
  [
    'no send of a doubt has ended, and it has just begun',
    { doubts: [doubt({ lastEndedAt: null, since: at(-1) })] },
    { do: 'release', until: at(settleQuietMs - 1), orWhenDue: true },
  ],
  [
    'the first socket of a doubt is open',
    { doubts: [doubt({ hasOpenSocket: true })] },
    { do: 'release', until: at(settleQuietMs), orWhenDue: true },
  ],
  [
    'a late signature of a doubt waits for a person',
    { doubts: [doubt({ isContested: true })] },
    { do: 'release', until: null, orWhenDue: true },
  ],
  [
    'the device might sign the same number once more',
    { doubts: [doubt()], rules: { resend: 'may_sign_again' } },
    { do: 'release', until: null, orWhenDue: true },
  ],
  [
    'two documents may be signed',
    { doubts: [doubt(), doubt({ id: 'other', documentNumber: 'INV-00' })] },
    prepare({ do: 'alert_open_doubts', documentNumbers: ['INV-0', 'INV-00'] }),
  ],
  [
    'two documents may be signed, one is due, and people have been told',
    { doubts: [resting(), doubt({ id: 'other' })], done: new Set(['alert_open_doubts']) },
    { do: 'resend', doubt: doubt({ id: 'other' }) },
  ],
  [
    'two documents may be signed, none is due, and another waits',
    {
      doubts: [resting(5_000), resting(4_000, { id: 'other' })],
      head: head(),
      done: new Set(['alert_open_doubts']),
    },
    release(at(4_000)),
  ],
  [
    'the authority wants a strict sequence',
    { doubts: [resting()], head: head(), rules: { passesDoubt: false } },
    release(at(5_000)),
  ],
  [
    'a doubt is too young to be passed',
    { doubts: [resting(5_000, { since: at(1_000 - doubtWaitMs) })], head: head() },
    release(at(1_000)),
  ],
  [
    'a young doubt is asked about before it may be passed',
    { doubts: [resting(500, { since: at(1_000 - doubtWaitMs) })], head: head() },
    release(at(500)),
  ],
  [
    'a doubt may be passed once the device has answered',
    { doubts: [resting()], head: head() },
    withHead('probe'),
  ],
  [
    'the device has answered, and the lane passes a doubt',
    { doubts: [resting()], head: head(), isServing: true },
    withHead('freeze'),
  ],
  // The head.
  ['nothing waits', {}, { do: 'release', until: null, orWhenDue: true }],
  [
    'the head may be signed under another number',
    { head: head({ isDoubted: true }) },
    prepare({ do: 'doubt_another', head: head({ isDoubted: true }) }),
  ],
  [
    'the head is not in doubt after all',
    { head: head({ isDoubted: true }), done: new Set(['doubt_another']) },
    withHead('freeze', { isDoubted: true }),
  ],
  [
    'the device tells another taxpayer',
    { lane: { isOtherTaxpayer: true }, head: head() },
    release(at(retryMaxMs)),
  ],
  [
    'the device tells another taxpayer, and bytes of the head may have left',
    { lane: { isOtherTaxpayer: true }, head: head({ fixedRequest: '{}' }) },
    withHead('freeze', { fixedRequest: '{}' }),
  ],
  ['the head waits for its next try', { head: head({ nextTryAt: at(1) }) }, release(at(1))],
  [
    'the time of the next try has come',
    { head: head({ nextTryAt: now }) },
    withHead('freeze', { nextTryAt: now }),
  ],
  [
    'a doubt is asked about before the head is tried again',
    { doubts: [resting(3_000)], isServing: true, head: head({ nextTryAt: at(60_000) }) },
    release(at(3_000)),
  ],
  [
    'a send of the head is under way in this process',
    { head: head(), underWay: ['head'] },
    prepare({ do: 'find_listening', receiptIds: ['head'] }),
  ],
  [
    'this process still listens for an answer to the head',
    { head: head(), underWay: ['head'], listening: new Map([['head', true]]) },
    release(at(settleQuietMs)),
  ],
  [
    'this process listens for no answer to the head any more',
    { head: head(), underWay: ['head'], listening: new Map([['head', false]]) },
    withHead('freeze'),
  ],
  [
    'something else is under way in this process',
    { head: head(), underWay: ['x'] },
    withHead('freeze'),
  ],
  [
    'the head undoes a sale whose data were lost',
    { head: head({ filed: reversing }) },
    prepare({ do: 'withdraw_overtaken', head: head({ filed: reversing }) }),
  ],
  [
    'the sale is still lost, and its refund was read long ago',
    {
      head: head({ filed: reversing, readAt: null }),
      done: new Set(['withdraw_overtaken']),
    },
    withHead('freeze', { filed: reversing, readAt: null }),
  ],
  // What the head needs before its number.
  [
    'the document was never read',
    { head: head({ readAt: null }) },
    withHead('read', { readAt: null }),
  ],
  [
    'the document was read too long ago',
    { head: head({ readAt: at(-readAgainMs - 1), hasUnregisteredItems: true }) },
    withHead('read', { readAt: at(-readAgainMs - 1), hasUnregisteredItems: true }),
  ],
  [
    'the document was read just long enough ago',
    { head: head({ readAt: at(-readAgainMs) }) },
    withHead('freeze', { readAt: at(-readAgainMs) }),
  ],
  [
    'the document has been exempted since',
    { head: head({ byItself: exempt }) },
    withHead('read', { byItself: exempt }),
  ],
  [
    'nothing is signed automatically any more, and this was opened so',
    { head: head({ byItself: switchedOff, filed: filed({ openedByItself: true }) }) },
    withHead('read', { byItself: switchedOff, filed: filed({ openedByItself: true }) }),
  ],
  [
    'nothing is signed automatically any more, and a program may have asked for this',
    { head: head({ byItself: switchedOff }) },
    withHead('freeze', { byItself: switchedOff }),
  ],
  [
    'the device does not know an item yet',
    { head: head({ hasUnregisteredItems: true }) },
    withHead('register', { hasUnregisteredItems: true }),
  ],
  [
    'bytes of the head may have left: they are fixed',
    { head: head({ fixedRequest: '{}', readAt: null, hasUnregisteredItems: true }) },
    withHead('freeze', { fixedRequest: '{}', readAt: null, hasUnregisteredItems: true }),
  ],
  ['nothing stands in the way', { head: head() }, withHead('freeze')],
];

test.each(cases)('a lane knows what to do when %s', (_, given, expected) => {
  expect(decide(situation(given))).toEqual(expected);
});

test.each([
  ['the one it holds', '5', ['3'], { invoiceNumber: '5', counters: { next: '9', free: ['3'] } }],
  [
    'the one that came back first',
    null,
    ['3', '4'],
    { invoiceNumber: '3', counters: { next: '9', free: ['4'] } },
  ],
  ['the next one', null, [], { invoiceNumber: '9', counters: { next: '10', free: [] } }],
])('a document gets the number that is its: %s', (_, invoiceNumber, freeNumbers, expected) => {
  expect(giveNumber({ invoiceNumber }, { nextInvoiceNumber: '9', freeNumbers })).toEqual(expected);
});
