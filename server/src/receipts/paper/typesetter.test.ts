import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fontsFor } from './fonts.ts';
import { isPlain, printable } from '../sale/printable-text.model.ts';
import { type Piece, measure } from './surface.ts';
import { typesetter } from './typesetter.ts';

const drawn = async (text: string, width = 400) => {
  const pieces: Piece[] = [];
  const clean = printable(text);
  const fonts = await fontsFor([clean]);
  typesetter({ ...measure, text: (piece) => pieces.push(piece) }, fonts).paragraph(
    clean,
    0,
    0,
    width,
    { size: 10 },
  );
  return pieces;
};
const seen = async (text: string) =>
  (await drawn(text))
    .toSorted((a, b) => a.x - b.x)
    .map((piece) => piece.text)
    .join('');
/** Glyph 0 is the box that stands for a letter the font lacks. */
const boxes = (pieces: Piece[]) =>
  pieces
    .filter(({ text, font }) => font.file.layout(text, {}).glyphs.some((glyph) => glyph.id === 0))
    .map(({ text }) => text);

describe('text on paper', () => {
  test('never holds a control character, an unpaired surrogate, or what is invisible by itself', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const on = printable(text);
        expect(on.isWellFormed()).toBe(true);
        expect(on).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(on.replace(/[\u061c\u200c-\u200f\u202a-\u202e\u2066-\u2069]/g, '')).not.toMatch(
          /\p{Default_Ignorable_Code_Point}/u,
        );
      }),
    ));

  test('has no more signs upon one letter than any script writes, so that none is drawn over other lines', () => {
    expect(printable(`Z${'\u0301\u0302\u0303'.repeat(40)}algo`)).toMatch(/^Z\p{M}{8}algo$/u);
    for (const word of ['ที่', 'བརྒྱུད', 'בְּרֵאשִׁ֖ית', 'ệ'.normalize('NFD')])
      expect(printable(word).match(/\p{M}/gu)?.length).toBe(word.match(/\p{M}/gu)?.length);
  });

  test('shows an emoji without the colour of its skin, which would stand beside it as a sign of its own', () => {
    expect(printable('👍🏽 ok 👩🏿‍🍳')).toBe('👍 ok 👩\u200d🍳');
  });

  test('never turns what stands behind it round, and says letters in mathematical dress as the letters they are', () => {
    expect(printable('\u202eAmazi\u202c 500 \u2067ml')).toBe('Amazi 500 ml');
    expect(printable('𝐁𝐨𝐮𝐭𝐢𝐪𝐮𝐞 𝕏 𝟙𝟚')).toBe('Boutique X 12');
  });

  test('is drawn without a box for every letter of the scripts it is written in', async () => {
    const samples = `Ikawa é ß Ωμέγα Кофе قهوة ‏(500 مل)‏ קפה ירושלים 咖啡豆 臺灣 コーヒー豆 한국어 ቡና हिन्दी বাংলা ਪੰਜਾਬੀ ગુજરાતી தமிழ் తెలుగు ಕನ್ನಡ മലയാളം සිංහල
      ไทยน้ำ ລາວ ខ្មែរ မြန်မာ ქართული Հայերեն བོད ދިވެހި ⵣⴰ ߒߞߏ 𞤀𞤣 ᏣᎳᎩ 𝓑𝓸𝓾𝓽𝓲𝓺𝓾𝓮 𝟙𝟚 🍞☕👨‍👩‍👧 → ≤ ★ ✓ ℃ ½ № € ₦`;
    for (const sample of samples.split(/\s+/).filter(Boolean))
      expect(boxes(await drawn(sample)), sample).toEqual([]);
    expect(boxes(await drawn('clay \u{12000}')), 'a box is known when it is seen').not.toEqual([]);
  });

  test('is never drawn as a box where it was said that a font has it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0x20, max: 0x2ffff }), { maxLength: 12 }),
        async (codes) => {
          const letters = codes
            .filter((code) => code < 0xd800 || code > 0xdfff)
            .map((code) => printable(String.fromCodePoint(code)))
            .filter((letter) => letter.trim());
          const fonts = await fontsFor(letters);
          const had = letters.filter(
            (letter) =>
              fonts.keyOf(letter.codePointAt(0) as number) !== undefined && !/\p{M}/u.test(letter),
          );
          for (const letter of had) expect(boxes(await drawn(letter)), letter).toEqual([]);
        },
      ),
      { numRuns: 30, seed: 16 },
    );
  });

  test('runs from the right where its words do, brackets and blanks turned with them', async () => {
    expect(await seen('מלון ירושלים (1)')).toBe('(1) ירושלים מלון');
    expect(await seen('Client: מלון (1)')).toBe('Client: (1) מלון');
  });

  test('is broken between what a reader takes for letters, and none is lost', async () => {
    for (const text of [
      '咖啡'.repeat(60),
      'क्षत्रिय'.repeat(20),
      'x'.repeat(300),
      '👨‍👩‍👧'.repeat(30),
    ]) {
      const pieces = await drawn(text, 80);
      expect(pieces.map((piece) => piece.text).join('')).toBe(
        isPlain(text) ? text : printable(text),
      );
      for (const { text: line, x, font } of pieces)
        expect(
          x + (font.file.layout(line, {}).advanceWidth / font.file.unitsPerEm) * 10,
        ).toBeLessThan(81);
    }
  });

  test('takes time in proportion to its length, in whatever script and without any blank', async () => {
    // Of what is measured at once nothing is longer than a line or two: twenty times the text is no
    // more than twenty times the work.
    for (const unit of ['客', 'قهوة', 'aق', 'नी', 'x']) {
      const asked: number[] = [];
      const text = unit.repeat(5_000 / unit.length);
      const fonts = await fontsFor([text]);
      const counting = { ...fonts, keyOf: (code: number) => (asked.push(code), fonts.keyOf(code)) };
      const lines = typesetter(measure, counting).broken(text, 120, { size: 10 });
      expect(lines.join('')).toBe(text);
      expect(asked.length, unit).toBeLessThan(5_000 * 20);
    }
  });
});
