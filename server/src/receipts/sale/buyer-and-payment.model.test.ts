import { describe, expect, test } from 'vitest';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import { buyerOf, foreignOf, paymentMethodOf } from './buyer-and-payment.model.ts';
import type { Draft } from './sale-draft.model.ts';
import { document, setup } from './make-sale.samples.ts';
import type { Answers } from './sale-setup.model.ts';

const sale = (more: Partial<Sale>) => more as Sale;

describe('how a document is paid', () => {
  const asked = (
    more: Partial<BooksDocument>,
    answers: Answers = {},
    refunded: Sale | null = null,
  ) => {
    const findings: StoredProblem[] = [];
    const known = { ...setup, hasCode: (_: string, code: string) => code !== '99' };
    const draft = { document: document(more), setup: known, answers, refunded, findings };
    return [paymentMethodOf(draft as unknown as Draft), findings.map(({ code }) => code)];
  };
  const missing = [null, ['payment_method_missing']];

  test.each<[string, Partial<BooksDocument>, unknown]>([
    ['not at all is credit', {}, ['02', []]],
    ['by one way that is mapped', { balance: '0', paymentModes: ['Cash'] }, ['01', []]],
    ['by one way in two parts', { balance: '0', paymentModes: ['Cash', 'Cash'] }, ['01', []]],
    ['by a way nobody mapped', { balance: '0', paymentModes: ['Shells'] }, missing],
    ['by two ways', { balance: '0', paymentModes: ['Cash', 'Shells'] }, missing],
    ['in part', { balance: '1', paymentModes: ['Cash'] }, missing],
    ['by nothing, and nothing is owed', { balance: '0', paymentModes: [] }, missing],
    ['by what the books failed to give', { unread: ['payments'] }, missing],
  ])('%s', (_, more, expected) => {
    expect(asked(more)).toEqual(expected);
  });

  test('is what a person says, where the authority knows it', () => {
    expect(asked({}, { payment_method: '05' })).toEqual(['05', []]);
    expect(asked({}, { payment_method: '99' })).toEqual([null, ['payment_method_unknown']]);
  });

  test('is of a refund what it is of its sale', () => {
    expect(asked({}, {}, sale({ paymentMethod: '06' }))).toEqual(['06', []]);
  });
});

describe('the buyer', () => {
  const of = (answers: Answers, buyer: Partial<BooksDocument['buyer']> = {}) =>
    buyerOf(
      document({ buyer: { taxpayerId: '100', purchaseCode: 'AB', mobile: '0788', ...buyer } }),
      { ...setup, readPhone: (text) => (/^\d+$/.test(text) ? `+${text}` : null) },
      answers,
      null,
    );

  test('is whom the books name, but for what a person has typed', () => {
    expect(of({})).toEqual({
      name: 'Buyer',
      taxpayerId: '100',
      purchaseCode: 'AB',
      mobile: '+0788',
    });
    const typed = { buyer_tin: '200', purchase_code: 'CD', buyer_mobile: '0789' };
    expect(of(typed)).toEqual({
      name: 'Buyer',
      taxpayerId: '200',
      purchaseCode: 'CD',
      mobile: '+0789',
    });
    expect(of({ buyer_tin: '', purchase_code: '', buyer_mobile: '' })).toEqual(of({}));
  });

  test('has a number that is none left out where it is not needed, and shown where it is', () => {
    expect(of({ buyer_mobile: 'ask him' }).mobile).toBeNull();
    expect(of({ buyer_mobile: 'ask him' }, { taxpayerId: null }).mobile).toBe('ask him');
    expect(of({}, { mobile: null }).mobile).toBeNull();
  });

  test('is of a refund who bought', () => {
    const buyer = { name: 'Then', taxpayerId: null, purchaseCode: null, mobile: null };
    expect(buyerOf(document(), setup, { buyer_tin: '200' }, sale({ buyer }))).toBe(buyer);
  });
});

describe('the currency of a document', () => {
  const dollars = document({ currency: 'USD', exchangeRate: '1400', total: '10' });

  test('is told with its rate where it is not the device’s own', () => {
    expect(foreignOf(document(), setup, null)).toBeNull();
    expect(foreignOf(dollars, setup, sale({ foreign: null }))).toEqual({
      currency: 'USD',
      exchangeRate: '1400',
      total: '10',
      rateDate: '2026-11-20',
      rateSource: 'document',
    });
  });

  test('is of a refund at the rate of its sale, of the day that was of', () => {
    const foreign = { currency: 'USD', exchangeRate: '1300', total: '10' };
    const sold = (rateDate?: string) =>
      sale({ documentDate: '2026-10-01', foreign: { ...foreign, rateDate } as Sale['foreign'] });
    expect(foreignOf(dollars, setup, sold())).toEqual({
      ...foreign,
      rateDate: '2026-10-01',
      rateSource: 'sale',
    });
    expect(foreignOf(dollars, setup, sold('2026-09-30'))?.rateDate).toBe('2026-09-30');
  });
});
