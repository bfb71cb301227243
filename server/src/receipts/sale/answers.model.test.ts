import { describe, expect, test } from 'vitest';
import { type About, aboutOf, answersAbout } from './answers.model.ts';
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
