import { isRightToLeft, type Run, visualRuns } from './bidi-text.ts';
import { type Face, type Fonts, latin, usualFont } from './fonts.ts';
import { isPlain } from '../sale/printable-text.model.ts';
import type { Surface } from './surface.ts';

export type Style = {
  size: number;
  face?: Face;
  color?: string;
  align?: 'left' | 'right' | 'center';
  leading?: number;
  direction?: 'ltr' | 'rtl';
};

const ink = '#1f2329';

export type Typesetter = {
  widthOf(text: string, style: Style): number;
  /** One line at a place; answers nothing, because the caller owns the layout. */
  put(text: string, x: number, y: number, width: number, style: Style): void;
  /**
   * Text in lines that fit; words longer than a line are cut where they must, between what a reader
   * takes for letters.
   */
  broken(text: string, width: number, style: Style): string[];
  /** Lines one below the other; answers where they end. */
  paragraph(text: string, x: number, y: number, width: number, style: Style): number;
};

/**
 * Advance of a letter, in parts of the font size; asked of the font once per letter for the life of
 * the thread.
 */
const advances = new Map<string, number>();
function advanceOf(face: Face, letter: string): number {
  const key = face + letter;
  let advance = advances.get(key);
  if (advance === undefined) {
    const { file } = usualFont(latin, face);
    advance =
      file.glyphForCodePoint(letter.codePointAt(0) as number).advanceWidth / file.unitsPerEm;
    if (advances.size < 5_000) advances.set(key, advance);
  }
  return advance;
}

export function typesetter(surface: Surface, fonts: Fonts): Typesetter {
  const runsOf = (text: string, style: Style) => visualRuns(text, fonts.keyOf, style.direction);

  /**
   * Latin is the sum of its letters: kerning is worth less than laying every text out twice. What
   * joins is laid out.
   */
  const runWidth = (run: Run, style: Style): number => {
    const face = style.face ?? 'body';
    if (run.font !== latin) {
      const { file } = fonts.font(run.font, face);
      return (file.layout(run.text, {}).advanceWidth / file.unitsPerEm) * style.size;
    }
    let width = 0;
    for (const letter of run.text) width += advanceOf(face, letter);
    return width * style.size;
  };

  const widthOf = (text: string, style: Style): number =>
    runsOf(text, style).reduce((sum, run) => sum + runWidth(run, style), 0);

  const put = (text: string, x: number, y: number, width: number, style: Style): void => {
    const runs = runsOf(text, style);
    const align = style.align ?? (isRightToLeft(text) ? 'right' : 'left');
    const widths =
      align === 'left' && runs.length === 1 ? [] : runs.map((run) => runWidth(run, style));
    const total = widths.reduce((sum, each) => sum + each, 0);
    let at =
      align === 'right' ? x + width - total : align === 'center' ? x + (width - total) / 2 : x;
    for (const [index, run] of runs.entries()) {
      surface.text({
        text: run.text,
        font: fonts.font(run.font, style.face ?? 'body'),
        size: style.size,
        color: style.color ?? ink,
        x: at,
        top: y,
      });
      at += widths[index] ?? 0;
    }
  };

  /**
   * How many letters of a word fit from there on; at least one. Only as many are measured as a line
   * can hold, however long the word is.
   */
  const fitting = (letters: string[], from: number, width: number, style: Style): number => {
    const left = letters.length - from;
    const fit = (count: number) =>
      widthOf(letters.slice(from, from + count).join(''), style) <= width;
    let [fits, tooMany] = [1, 8];
    while (tooMany <= left && fit(tooMany)) [fits, tooMany] = [tooMany, tooMany * 2];
    if (tooMany > left) {
      if (fit(left)) return left;
      tooMany = left;
    }
    while (tooMany - fits > 1) {
      const middle = (fits + tooMany) >> 1;
      if (fit(middle)) fits = middle;
      else tooMany = middle;
    }
    return fits;
  };

  /**
   * Of what is longer no line can hold all, and measuring it whole would take as long as setting
   * it.
   */
  const isShort = (text: string, width: number, style: Style) =>
    text.length * style.size < width * 40;

  const broken = (text: string, width: number, style: Style): string[] => {
    const fits = (given: string) => isShort(given, width, style) && widthOf(given, style) <= width;
    if (fits(text)) return text ? [text] : [];
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(/\s+/)) {
      const longer = line ? `${line} ${word}` : word;
      if (fits(longer)) {
        line = longer;
        continue;
      }
      if (line) lines.push(line);
      line = word;
      if (fits(word)) continue;
      const letters = lettersOf(word);
      let from = 0;
      for (;;) {
        const count = fitting(letters, from, width, style);
        line = letters.slice(from, from + count).join('');
        from += count;
        if (from >= letters.length) break;
        lines.push(line);
      }
    }
    if (line) lines.push(line);
    return lines;
  };

  const paragraph = (text: string, x: number, y: number, width: number, style: Style): number => {
    const leading = style.leading ?? style.size * 1.42;
    const direction = isRightToLeft(text) ? 'rtl' : 'ltr';
    const align = style.align ?? (direction === 'rtl' ? 'right' : 'left');
    for (const line of broken(text, width, { ...style, direction })) {
      put(line, x, y, width, { ...style, align, direction });
      y += leading;
    }
    return y;
  };

  return { widthOf, put, broken, paragraph };
}

let graphemes: Intl.Segmenter | undefined;
/**
 * What a reader takes for letters: an accent or a vowel sign is never torn from what it stands on.
 */
function lettersOf(word: string): string[] {
  if (isPlain(word)) return [...word];
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  return [...graphemes.segment(word)].map(({ segment }) => segment);
}
