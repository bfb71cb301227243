import bidiFactory from 'bidi-js';
import { arabic, latin } from './fonts.ts';
import { isMark } from '../sale/printable-text.model.ts';

type Bidi = {
  getEmbeddingLevels(
    text: string,
    base: 'ltr' | 'rtl' | 'auto',
  ): { levels: Uint8Array; paragraphs: { level: number }[] };
  getMirroredCharactersMap(text: string, levels: Uint8Array): Map<number, string>;
};
const bidi = (bidiFactory as unknown as () => Bidi)();

/** `font`: the key of the font that has every letter of it. */
export type Run = { text: string; font: string };

const plain = /^[\u0020-\u024f\u2000-\u206f\u20a0-\u20cf]*$/;

/** Direction marks do their work in the algorithm; joiners stay where letters join. */
const withoutMarks = (text: string) =>
  text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
const turnedByShaper = /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}]/u;
const withoutJoiners = (text: string) => text.replace(/[\u200c\u200d]/g, '');

/**
 * The runs of one line in the order they are seen, left to right, each in one direction and one
 * font. Letters within a run stay in logical order: the shaper turns them itself. `direction`: of
 * the paragraph that the line is a part of.
 */
export function visualRuns(
  line: string,
  keyOf: (code: number) => string | undefined,
  direction: 'ltr' | 'rtl' | 'auto' = 'auto',
): Run[] {
  if (plain.test(line) && direction !== 'rtl')
    return [{ text: withoutJoiners(withoutMarks(line)), font: latin }];
  const embedding = bidi.getEmbeddingLevels(line, direction);
  const { levels, paragraphs } = embedding;
  const mirrored = bidi.getMirroredCharactersMap(line, levels);
  const base = paragraphs[0]?.level ?? 0;
  const runs: { text: string; level: number; font: string }[] = [];
  for (let i = 0; i < line.length; i++) {
    const code = line.codePointAt(i) as number;
    const character = mirrored.get(i) ?? String.fromCodePoint(code);
    const level = levels[i] ?? base;
    const last = runs.at(-1);
    const font = fontOf(character, level, last?.font, keyOf);
    if (last && last.level === level && last.font === font) last.text += character;
    else runs.push({ text: character, level, font });
    if (code > 0xffff) i += 1;
  }
  return reordered(runs)
    .map(({ text, font, level }) => {
      const seen = font === latin ? withoutJoiners(withoutMarks(text)) : withoutMarks(text);
      // Brackets and blanks between words that run from the right belong to no script, so that no
      // shaper turns them.
      return {
        text: level % 2 === 1 && !turnedByShaper.test(seen) ? [...seen].reverse().join('') : seen,
        font,
      };
    })
    .filter((run) => run.text !== '');
}

/**
 * Blanks in Arabic, marks and accents take the font of what stands before them, so that a phrase
 * stays one run and joins as it should.
 */
function fontOf(
  character: string,
  level: number,
  before: string | undefined,
  keyOf: (code: number) => string | undefined,
): string {
  const code = character.codePointAt(0) as number;
  if (before !== undefined && isMark(code)) return before;
  if (before === arabic && level % 2 === 1 && /[\s\p{M}]/u.test(character)) return arabic;
  return keyOf(code) ?? latin;
}

/**
 * Rule L2 of the bidirectional algorithm over whole runs: from the highest level down, reverse what
 * stands at it or above.
 */
function reordered<R extends { level: number }>(runs: R[]): R[] {
  const result = [...runs];
  const highest = Math.max(0, ...runs.map((run) => run.level));
  for (let level = highest; level > 0; level--) {
    for (let from = 0; from < result.length; from++) {
      if ((result[from] as R).level < level) continue;
      let to = from;
      while (to + 1 < result.length && (result[to + 1] as R).level >= level) to++;
      result.splice(from, to - from + 1, ...result.slice(from, to + 1).reverse());
      from = to;
    }
  }
  return result;
}

export const isRightToLeft = (text: string): boolean =>
  !plain.test(text) && (bidi.getEmbeddingLevels(text, 'auto').paragraphs[0]?.level ?? 0) % 2 === 1;
