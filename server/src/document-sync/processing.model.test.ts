import { describe, expect, test } from 'vitest';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../model/books-document.model.ts';
import { isExpected, isPassing, knownAt, processedAs } from './processing.model.ts';

const changed = new Date('2026-11-20T10:00:00Z');
const document = {
  number: 'INV-1',
  date: '2026-11-21',
  status: 'sent',
  customer: { id: '5', name: 'A shop' },
  currency: 'RWF',
  total: '1180',
  locationId: '9',
  createdAt: new Date('2026-11-19T08:00:00Z'),
  modifiedAt: changed,
} as unknown as BooksDocument;
const receipt = {
  state: 'signed',
  documentNumber: 'INV-1',
  documentDate: '2026-11-21',
  sale: { customerId: '5', buyer: { name: 'A buyer' }, currency: 'RWF', total: '1180.00' },
};
const none = { isExempt: false, isLeft: false };
const heard = { source: 'webhook' as const, begunAt: new Date('2026-11-20T10:05:00Z') };
const future: StoredProblem = { code: 'document_future' };

describe('a document that was read', () => {
  const read = { document, receipt: null, problem: null };

  test('is seen as the books say it', () => {
    expect(processedAs(read, none, heard)).toEqual({
      seen: {
        number: 'INV-1',
        date: '2026-11-21',
        status: 'sent',
        customerId: '5',
        customerName: 'A shop',
        currency: 'RWF',
        total: '1180',
        locationId: '9',
        createdAt: document.createdAt,
        modifiedAt: changed,
      },
      gone: false,
      exempt: false,
      problem: null,
      lookAgainAt: null,
    });
  });

  test.each([
    ['a webhook', 'webhook', changed],
    ['the poll', 'poll', changed],
    ['a hint, which may be anybody’s', 'hint', null],
  ] as const)('heard of by %s is known as of its change, or not at all', (_what, source, known) => {
    expect(processedAs(read, none, { ...heard, source }).seen?.modifiedAt).toEqual(known);
  });

  test.each([
    ['of tomorrow is read again when its day has begun', future, new Date('2026-11-21T00:00:00Z')],
    ['with another problem is not', { code: 'document_unreadable' } as StoredProblem, null],
  ])('%s', (_what, problem, lookAgainAt) => {
    expect(processedAs({ ...read, problem }, none, heard)).toMatchObject({ problem, lookAgainAt });
  });

  test.each([
    ['is exempt', { isExempt: true, isLeft: false }, { exempt: true, problem: null }],
    ['was exempt', { isExempt: false, isLeft: true }, { problem: { code: 'was_exempt' } }],
  ])('that %s stands so', (_what, exemption, expected) => {
    expect(processedAs(read, exemption, heard)).toMatchObject(expected);
  });

  test('keeps its own problem before that it was exempt', () => {
    const left = { isExempt: false, isLeft: true };
    expect(processedAs({ ...read, problem: future }, left, heard).problem).toEqual(future);
  });
});

describe('a document that was not read', () => {
  test.each([
    ['without a receipt is gone', null, true],
    ['with a signed receipt is gone', receipt, true],
    ['with a receipt in the queue is not', { ...receipt, state: 'queued' }, false],
    ['with a receipt in doubt is not', { ...receipt, state: 'in_doubt' }, false],
  ])('%s', (_what, own, gone) => {
    const found = processedAs({ document: null, receipt: own, problem: null }, none, heard);
    expect(found.gone).toBe(gone);
    expect(found.seen?.customerName).toBe(gone ? undefined : 'A buyer');
  });
});

test.each([
  ['a minute ago', '2026-11-20T09:59:00Z', '2026-11-20T09:59:00Z'],
  ['two seconds ago', '2026-11-20T09:59:58Z', '2026-11-20T09:59:58Z'],
  ['in the second that was read', '2026-11-20T10:00:00Z', '2026-11-20T09:59:59Z'],
])('a change made %s may not be the last of its second', (_what, modifiedAt, known) => {
  expect(knownAt(new Date(modifiedAt), new Date('2026-11-20T10:00:00.500Z'))).toEqual(
    new Date(new Date(known).getTime()),
  );
});

test.each([
  ['books_limit', true, true],
  ['device_switched', true, true],
  ['document_of_other_books', false, true],
  ['document_unreadable', false, true],
  ['internal', false, false],
])('%s passes by itself: %s; nobody has to be told in the log: %s', (code, passes, expected) => {
  expect(isPassing(code)).toBe(passes);
  expect(isExpected(code)).toBe(expected);
});
