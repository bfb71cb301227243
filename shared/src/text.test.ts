import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clean,
  code,
  cut,
  firstNul,
  lengthOf,
  mapStrings,
  purchaseCode,
  storable,
} from './text.ts';

/** Any sequence of code units, halves of pairs among them. */
const anything = fc.array(
  fc.oneof(
    fc.constantFrom(0, 9, 10, 13, 0x1b, 0x85, 0x9f, 0x2028, 0xd83d, 0xde00, 0xfeff, 0x202e),
    fc.nat(0xffff),
  ),
  { maxLength: 40 },
);
const text = anything.map((units) => String.fromCharCode(...units));

describe('text from outside', () => {
  test('is well-formed and on one line once cleaned, whatever it was, and cleaning it again changes nothing', () => {
    fc.assert(
      fc.property(text, (given) => {
        const ours = clean(given);
        expect(ours.isWellFormed()).toBe(true);
        expect(ours).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(clean(ours)).toBe(ours);
        expect(code(given)).not.toMatch(/\s/);
      }),
    );
  });

  test('can be stored once it is made storable, and is otherwise as it was', () => {
    fc.assert(
      fc.property(text, (given) => {
        const kept = storable(given);
        expect(kept.isWellFormed() && !kept.includes('\u0000')).toBe(true);
        expect(kept).toHaveLength(given.length);
        if (given.isWellFormed() && !given.includes('\u0000')) expect(kept).toBe(given);
      }),
    );
  });

  test('is counted and cut in characters, never in halves of them', () => {
    expect(lengthOf('a😀é')).toBe(3);
    expect(cut('a😀é', 2)).toBe('a😀');
    fc.assert(
      fc.property(
        text,
        fc.nat(50),
        (given, length) => lengthOf(cut(given.toWellFormed(), length)) <= length,
      ),
    );
  });

  test.each([
    ['Bread\u000bwhole', 'Bread whole'],
    ['line one\r\nline two\ttab', 'line one line two tab'],
    ['Bread \ud83d', 'Bread \ufffd'],
    ['Bread \u0000', 'Bread  '],
    ['قهوة\u200f رواندية', 'قهوة\u200f رواندية'],
  ])('%j becomes %j', (given, ours) => expect(clean(given)).toBe(ours));

  test.each([
    ['purchase code 123456', '123456'],
    ['Order code: 123456', '123456'],
    ['PO 7781, 123456', '123456'],
    ['PO 123456; K7T2Q9', 'K7T2Q9'],
    ['K7T2Q9 (LPO 778899)', 'K7T2Q9'],
    ['REF K7T2Q9', 'K7T2Q9'],
    ['K7T-2Q9', 'K7T2Q9'],
  ])('the purchase code in %j is %s', (given, ours) => expect(purchaseCode(given)).toBe(ours));

  test.each([
    'PO 123456',
    'LPO No. 123456',
    'P.O. 123456',
    'P/O: 123456',
    'Order number 123456',
    'your order of 12 May: 123456',
    'Bon de commande n° 123456',
    'Réf. 123456',
    'invoice #123456',
    'PO 1234',
    'LPO-123',
    'Ref: 123',
  ])('no number of an order is taken for a purchase code: %s', (given) =>
    expect(purchaseCode(given)).not.toMatch(/^[A-Za-z0-9]{6}$/),
  );

  test('says where U+0000 stands', () => {
    expect(firstNul({ a: [{ name: 'x' }, { name: 'y\u0000' }] })).toBe('a.1.name');
    expect(firstNul({ 'k\u0000': 1 })).toBe('k\ufffd');
    expect(firstNul(['a', null, 3, true])).toBeNull();
    expect(mapStrings({ a: ['\ud83d', 1] }, storable)).toEqual({ a: ['\ufffd', 1] });
  });
});
