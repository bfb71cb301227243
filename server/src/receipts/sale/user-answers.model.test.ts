import { describe, expect, test } from 'vitest';
import { type About, aboutOf, answersAbout, type KeptAnswers } from './user-answers.model.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { SigningInput } from './signing-input.model.ts';
import { document } from './make-sale.samples.ts';

const typed = { buyer_tin: '100600570', purchase_code: 'AB12CD', buyer_mobile: '0788000006' };
const said = { taxpayerId: '101234567', purchaseCode: null, mobile: '0788000000' };
const about = (more: Partial<BooksDocument> = {}) =>
  aboutOf(document({ buyer: said, ...more }), { elsewhere: null, since: null, others: [] });
const kept = (then: About | Omit<About, 'buyer'>, now: About) =>
  Object.keys(
    answersAbout(
      now,
      { answers: { ...typed, about: then }, filed: null as unknown as SigningInput },
      {},
    ),
  ).filter((key) => key in typed);

describe('what was typed of a buyer', () => {
  test('holds while the books say of it what they said then', () => {
    expect(kept(about(), about({ number: 'INV-2', lines: [] }))).toEqual(Object.keys(typed));
  });

  test.each([
    ['buyer_tin', { taxpayerId: '100600571' }],
    ['purchase_code', { purchaseCode: 'ZX98YW' }],
    ['buyer_mobile', { mobile: null }],
  ])(
    'gives way to what was changed in the books since, and nothing else does: %s',
    (key, mended) => {
      expect(kept(about(), about({ buyer: { ...said, ...mended } }))).toEqual(
        Object.keys(typed).filter((each) => each !== key),
      );
    },
  );

  test('goes with no other buyer, and holds for its own where nobody kept what the books said', () => {
    expect(kept(about(), about({ customer: { id: 'c2', name: 'Another' } }))).toEqual([]);
    const { buyer: _unknown, ...older } = about();
    expect(kept(older, about({ buyer: { ...said, purchaseCode: 'ZX98YW' } }))).toEqual(
      Object.keys(typed),
    );
  });
});

describe('that no other system sealed it', () => {
  const began = '2026-11-01T00:00:00.000Z';
  const asked = (since: string | null): About => ({ ...about(), since });
  const { since: _unsaid, ...older } = asked(began);

  test.each(['before_production', 'sealed_elsewhere'] as const)(
    'was said (%s) of the time until its place began to seal for real, and is asked anew where that began later',
    (confirmed) => {
      const isKept = (then: Omit<About, 'since'>, now: About) =>
        answersAbout(
          now,
          {
            answers: { confirm: [confirmed], about: then as About },
            filed: null as unknown as SigningInput,
          },
          {},
        ).confirm?.includes(confirmed) ?? false;
      expect(isKept(asked(began), asked(began))).toBe(true);
      expect(
        isKept(asked(began), asked('2026-10-01T00:00:00.000Z')),
        'of less than it was said of',
      ).toBe(true);
      expect(isKept(asked(began), asked('2026-11-20T00:00:00.000Z'))).toBe(false);
      expect(isKept(asked(null), asked(began)), 'nobody was asked then').toBe(false);
      expect(isKept(asked(began), asked(null)), 'where nothing is asked, nothing is lost').toBe(
        true,
      );
      expect(isKept(older, asked(began)), 'nobody kept until when').toBe(false);
    },
  );
});

describe('what was confirmed or answered', () => {
  const holds = (answers: KeptAnswers, then: Partial<About> = {}, now: Partial<About> = {}) => {
    const { about: _now, ...kept } = answersAbout(
      { ...about(), ...now },
      {
        answers: { ...answers, about: { ...about(), ...then } },
        filed: null as unknown as SigningInput,
      },
      {},
    );
    return Object.keys(kept).length > 0;
  };
  const corrects = { invoiceIds: ['1', '2'], reference: 'INV-1' };

  test.each<[KeptAnswers, Partial<About>, Partial<About>, boolean]>([
    [{ reason_code: '01' }, {}, { number: 'INV-2', customer_id: 'c2' }, true],
    [{ payment_method: '01' }, {}, { customer_id: 'c2' }, true],
    [{ sale_receipt_id: 'r' }, { corrects }, { corrects }, true],
    [
      { sale_receipt_id: 'r' },
      { corrects },
      { corrects: { ...corrects, invoiceIds: ['2', '1'] } },
      true,
    ],
    [
      { sale_receipt_id: 'r' },
      { corrects },
      { corrects: { ...corrects, invoiceIds: ['1'] } },
      false,
    ],
    [{ sale_receipt_id: 'r' }, { corrects }, { corrects: { ...corrects, reference: null } }, false],
    [{ sale_receipt_id: 'r' }, { corrects }, { corrects, customer_id: 'c2' }, false],
    [{ confirmed_rate: '1400' }, {}, { number: 'INV-2' }, true],
    [{ confirmed_rate: '1400' }, {}, { currency: 'USD' }, false],
    [{ confirm: ['before_go_live', 'document_old'] }, {}, { number: 'INV-2' }, true],
    [{ confirm: ['before_go_live', 'document_old'] }, {}, { date: '2026-11-19' }, false],
    [{ confirm: ['before_production'] }, {}, { number: 'INV-2' }, false],
    [{ confirm: ['was_exempt'] }, {}, { date: '2026-11-19' }, true],
    [{ confirm: ['was_exempt'] }, {}, { number: 'INV-2' }, false],
    [{ confirm: ['sealed_elsewhere'] }, { elsewhere: 'mon' }, { elsewhere: 'mon' }, true],
    [{ confirm: ['sealed_elsewhere'] }, { elsewhere: 'mon' }, { elsewhere: 'tue' }, false],
    [{ confirm: ['sealed_elsewhere'] }, { elsewhere: 'mon' }, {}, true],
    [{ confirm: ['sealed_elsewhere'] }, {}, { number: 'INV-2' }, false],
    [{ confirm: ['exchange_rate_unlikely'] }, {}, { currency: 'USD' }, false],
    [{ confirm: ['buyer_name_damaged'] }, {}, { date: '2026-11-19' }, true],
    [{ confirm: ['buyer_name_damaged'] }, {}, { customer_name: 'Other' }, false],
    [{ confirm: ['number_sealed_before'] }, { others: ['1', '2'] }, { others: ['2'] }, true],
    [{ confirm: ['number_sealed_before'] }, { others: ['1'] }, { others: ['1', '3'] }, false],
    [{ confirm: ['number_sealed_before'] }, { others: [] }, { number: 'INV-2' }, false],
  ])('%o, given of %o, holds of %o: %s', (answers, then, now, isKept) => {
    expect(holds(answers, then, now)).toBe(isKept);
  });

  test('is added to, and anything else that is said again is said anew', () => {
    const own = {
      answers: { reason_code: '01', confirm: ['was_exempt' as const], about: about() },
      filed: null as unknown as SigningInput,
    };
    expect(
      answersAbout(about(), own, { reason_code: '02', confirm: ['document_old', 'was_exempt'] }),
    ).toEqual({ reason_code: '02', confirm: ['was_exempt', 'document_old'], about: about() });
    expect(answersAbout(about(), null, {})).toEqual({ about: about() });
  });

  test('is measured by what was filed where nobody kept what it was about', () => {
    const filed = {
      sale: {
        customerId: 'c1',
        buyer: { name: 'Buyer' },
        documentNumber: 'INV-1',
        documentDate: '2026-11-20',
        currency: 'RWF',
        foreign: null,
      },
    } as unknown as SigningInput;
    const answers: KeptAnswers = {
      buyer_tin: '100600570',
      sale_receipt_id: 'r',
      confirmed_rate: '1400',
      confirm: ['was_exempt', 'number_sealed_before', 'document_old'],
    };
    expect(answersAbout(about(), { answers, filed }, {})).toEqual({
      buyer_tin: '100600570',
      confirmed_rate: '1400',
      confirm: ['was_exempt', 'number_sealed_before', 'document_old'],
      about: about(),
    });
    const others = { ...about(), others: ['2'] };
    expect(answersAbout(others, { answers, filed }, {}).confirm).toEqual([
      'was_exempt',
      'document_old',
    ]);
    const { sale } = filed;
    const inDollars = {
      ...filed,
      sale: { ...sale, foreign: { ...sale.foreign, currency: 'USD' } },
    };
    expect(
      answersAbout(about(), { answers, filed: inDollars as SigningInput }, {}).confirmed_rate,
    ).toBeUndefined();
  });
});
