/**
 * Text as it can stand on paper: no control characters (blanks stand for them), nothing that is
 * invisible by itself and would be drawn as an empty box, nothing that turns what stands behind it
 * round: a price must not be read backwards because of a name. The marks that join letters and say
 * which way a blank belongs stay; they do their work before anything is drawn.
 */
export function printable(text: string): string {
  if (/^[\u0020-\u007e]*$/.test(text)) return text;
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, (mark) => (kept.test(mark) ? mark : ''))
    .replace(heaped, '$1')
    .replace(skin, '')
    .replace(dressed, (letter) => letter.normalize('NFKC'))
    .replace(/([\u0e48-\u0e4b])\u0e33/g, '\u0e4d$1\u0e32')
    .replace(/([\u0ec8-\u0ecb])\u0eb3/g, '\u0ecd$1\u0eb2');
}

/**
 * No script writes more signs upon a letter; heaped up, they would be drawn over the lines above
 * and below.
 */
const heaped = /(\p{M}{8})\p{M}+/gu;
/** No font of ours draws a hand in its colour: it would stand beside it as a square. */
const skin = /(?<=\p{Emoji_Modifier_Base})\p{Emoji_Modifier}/gu;
/**
 * Letters and digits in a dress that formulas need and people put on names (bold, script,
 * double-struck): no font has them all, and they say the same.
 */
const dressed = /[\u{1d400}-\u{1d7ff}]/gu;

/** Joiners and direction marks. */
const kept = /[\u061c\u200c-\u200f]/;

/** Marks without a glyph of their own, whatever the font. */
export const isMark = (code: number): boolean =>
  /[\u061c\u200c-\u200f\u202a-\u202e\u2066-\u2069]/.test(String.fromCodePoint(code));

/** Every text of a value made of lists and objects, through `change`. */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, mapTexts(each, change)]),
  ) as T;
}

/** What Noto Sans has whole, seen at a glance: Latin with its accents, punctuation, currencies. */
export const isPlain = (text: string): boolean =>
  /^[\u0020-\u007e\u00a0-\u024f\u2000-\u2027\u202f-\u205f\u20a0-\u20c0]*$/.test(text);
