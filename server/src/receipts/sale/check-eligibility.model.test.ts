import { describe, expect, test } from 'vitest';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { checkState, keptBack } from './check-eligibility.model.ts';
import { document, setup } from './make-sale.samples.ts';
import type { Answers, Setup } from './sale-setup.model.ts';

type Confirmed = NonNullable<Answers['confirm']>;

describe('kept back, whatever anybody confirms', () => {
  test.each<[Partial<BooksDocument>, boolean, string | null]>([
    [{}, false, null],
    [{ kind: 'debit_note' }, false, 'debit_note'],
    [{ kind: 'other', kindInBooks: 'bill' }, false, 'document_kind_unknown'],
    [{ status: 'void' }, false, 'document_void'],
    [{ status: 'draft' }, true, 'document_draft'],
    [{ status: 'approved' }, false, 'document_draft'],
    [{ status: 'approved' }, true, null],
    [{ status: 'overdue' }, false, null],
    [{ status: 'dreamt' }, false, 'document_status_unknown'],
  ])('%o, where what is approved may be sealed: %s', (more, sealsApproved, code) => {
    expect(keptBack(document(more), { sealsApproved })?.code ?? null).toBe(code);
  });

  test('says of a credit note that it is one', () => {
    expect(keptBack(document({ module: 'creditnotes', status: 'draft' }), setup)).toEqual({
      code: 'document_draft',
      field: 'status',
      module: 'creditnotes',
    });
  });

  test('is all that is said then', () => {
    const old = document({ status: 'void', date: '2020-01-01' });
    expect(checkState(old, setup, {}).map(({ code }) => code)).toEqual(['document_void']);
  });
});

const elsewhere = { reason: 'old system', by: 'Ada', by_id: 'per_1', at: '2026-11-19T00:00:00Z' };
const production = (more: Partial<NonNullable<Setup['production']>> = {}) => ({
  production: { since: new Date('2026-11-01T00:00:00Z'), isRehearsed: false, ...more },
});

describe('asked of a person', () => {
  test.each<[string, Partial<BooksDocument>, Partial<Setup>, Confirmed, string[]]>([
    ['nothing of the usual', {}, {}, [], []],
    ['the future cannot be confirmed', { date: '2026-11-21' }, {}, [], ['document_future']],
    ['before go-live', { date: '2025-12-31' }, {}, [], ['before_go_live']],
    ['before go-live, confirmed', { date: '2025-12-31' }, {}, ['before_go_live'], []],
    [
      'before go-live, confirmed, and old',
      { date: '2025-01-01' },
      {},
      ['before_go_live'],
      ['document_old'],
    ],
    ['old', { date: '2026-09-30' }, { documentAgeDaysMax: 50 }, [], ['document_old']],
    ['as old as may be', { date: '2026-10-01' }, { documentAgeDaysMax: 50 }, [], []],
    ['old, confirmed', { date: '2026-09-30' }, { documentAgeDaysMax: 50 }, ['document_old'], []],
    ['said to be sealed elsewhere', {}, { elsewhere }, [], ['sealed_elsewhere']],
    [
      'said so, and said not to be, which answers the others as well',
      {},
      { elsewhere, wasExempt: true, ...production({ isRehearsed: true }) },
      ['sealed_elsewhere'],
      [],
    ],
    ['created since the branch seals for real', {}, production(), [], []],
    ['signed at the rehearsal', {}, production({ isRehearsed: true }), [], ['before_production']],
    [
      'sealed for real since nobody knows when',
      {},
      production({ since: null }),
      [],
      ['before_production'],
    ],
    ['created nobody knows when', { createdAt: null }, production(), [], ['before_production']],
    [
      'created in the moment it began',
      { createdAt: new Date('2026-11-01T00:00:00Z') },
      production(),
      [],
      ['before_production'],
    ],
    ['before production, confirmed', { createdAt: null }, production(), ['before_production'], []],
    ['exempt once', {}, { wasExempt: true }, [], ['was_exempt']],
    ['exempt once, confirmed', {}, { wasExempt: true }, ['was_exempt'], []],
  ])('%s', (_, more, known, confirm, codes) => {
    const found = checkState(document(more), { ...setup, ...known }, { confirm });
    expect(found.map(({ code }) => code)).toEqual(codes);
    if (confirm.length === 0)
      expect(checkState(document(more), { ...setup, ...known }, {})).toEqual(found);
  });
});
