import { describe, expect, test } from 'vitest';
import { type About, aboutOf, answersAbout } from './answers.model.ts';
import type { BooksDocument } from './document.model.ts';
import type { Filed } from './filing.model.ts';
import { document } from './make-sale.samples.ts';

const typed = { buyer_tin: '100600570', purchase_code: 'AB12CD', buyer_mobile: '0788000006' };
const said = { taxpayerId: '101234567', purchaseCode: null, mobile: '0788000000' };
const about = (more: Partial<BooksDocument> = {}) => aboutOf(document({ buyer: said, ...more }), { elsewhere: null, others: [] });
const kept = (then: About | Omit<About, 'buyer'>, now: About) =>
  Object.keys(answersAbout(now, { answers: { ...typed, about: then }, filed: null as unknown as Filed }, {})).filter((key) => key in typed);

describe('what was typed of a buyer', () => {
  test('holds while the books say of it what they said then', () => {
    expect(kept(about(), about({ number: 'INV-2', lines: [] }))).toEqual(Object.keys(typed));
  });

  test.each([
    ['buyer_tin', { taxpayerId: '100600571' }],
    ['purchase_code', { purchaseCode: 'ZX98YW' }],
    ['buyer_mobile', { mobile: null }],
  ])('gives way to what was changed in the books since, and nothing else does: %s', (key, mended) => {
    expect(kept(about(), about({ buyer: { ...said, ...mended } }))).toEqual(Object.keys(typed).filter((each) => each !== key));
  });

  test('goes with no other buyer, and holds for its own where nobody kept what the books said', () => {
    expect(kept(about(), about({ customer: { id: 'c2', name: 'Another' } }))).toEqual([]);
    const { buyer: _unknown, ...older } = about();
    expect(kept(older, about({ buyer: { ...said, purchaseCode: 'ZX98YW' } }))).toEqual(Object.keys(typed));
  });
});
