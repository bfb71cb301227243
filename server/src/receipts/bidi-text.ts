import bidiFactory from 'bidi-js';

type Bidi = {
  getEmbeddingLevels(text: string, base: 'ltr' | 'rtl' | 'auto'): { levels: Uint8Array; paragraphs: { level: number }[] };
  getMirroredCharactersMap(text: string, levels: Uint8Array): Map<number, string>;
};
const bidi = (bidiFactory as unknown as () => Bidi)();

export type Run = { text: string; isArabic: boolean };

// Arabic, its supplements and presentation forms. Everything else is drawn with the Latin face.
const arabic = /[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]/;
const plain = /^[\u0020-\u024f\u2000-\u206f\u20a0-\u20cf]*$/;

/** Invisible direction marks do their work in the algorithm and have no glyph. */
const withoutMarks = (text: string) => text.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');

/**
 * The runs of one line in the order they are seen, left to right, each in one direction and one face. Letters within a run stay in
 * logical order: the shaper turns them itself.
 */
export function visualRuns(line: string): Run[] {
  if (plain.test(line)) return [{ text: withoutMarks(line), isArabic: false }];
  const embedding = bidi.getEmbeddingLevels(line, 'auto');
  const { levels, paragraphs } = embedding;
  const mirrored = bidi.getMirroredCharactersMap(line, levels);
  const base = paragraphs[0]?.level ?? 0;
  const runs: { text: string; level: number; isArabic: boolean }[] = [];
  for (let i = 0; i < line.length; i++) {
    const character = mirrored.get(i) ?? (line[i] as string);
    const level = levels[i] ?? base;
    const last = runs.at(-1);
    // Blanks and marks take the face of their neighbours, so that a phrase stays one run.
    const isArabic = arabic.test(character) || (/\s/.test(character) && (last?.isArabic ?? false) && level % 2 === 1);
    if (last && last.level === level && last.isArabic === isArabic) last.text += character;
    else runs.push({ text: character, level, isArabic });
  }
  return reordered(runs)
    .map((run) => ({ text: withoutMarks(run.text), isArabic: run.isArabic }))
    .filter((run) => run.text !== '');
}

/** Rule L2 of the bidirectional algorithm over whole runs: from the highest level down, reverse what stands at it or above. */
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

export const isRightToLeft = (text: string): boolean => !plain.test(text) && (bidi.getEmbeddingLevels(text, 'auto').paragraphs[0]?.level ?? 0) % 2 === 1;

/** Keeps a Latin or numeric piece whole inside text of the other direction: a date after Arabic would otherwise be shown backwards. */
export const isolated = (text: string): string => `\u2068${text}\u2069`;
