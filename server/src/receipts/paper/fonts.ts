import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as fontkit from 'fontkit';
import { isPlain } from '../sale/printable-text.model.ts';

/**
 * A font file as it is read; measures are in its own units, `unitsPerEm` of them to the size of the
 * letters.
 */
type FontFile = {
  unitsPerEm: number;
  ascent: number;
  characterSet: number[];
  hasGlyphForCodePoint(code: number): boolean;
  glyphForCodePoint(code: number): { advanceWidth: number };
  layout(
    text: string,
    features?: object,
  ): {
    advanceWidth: number;
    glyphs: { id: number; path: { toSVG(): string } }[];
    positions: Position[];
  };
};
type Position = { xAdvance: number; xOffset: number; yOffset: number };

export type Face = 'body' | 'strong';
export type Font = { id: string; file: FontFile };

/**
 * The two that nearly every receipt needs; everything else is looked for where a receipt has such
 * letters.
 */
export const latin = 'latin';
export const arabic = 'arabic';

const resolve = createRequire(import.meta.url).resolve;
const usual = {
  latin: ['noto-sans', 'NotoSans'],
  arabic: ['noto-naskh-arabic', 'NotoNaskhArabic'],
} as const;
const weights = { body: ['400Regular', 400], strong: ['700Bold', 700] } as const;
const opened = new Map<string, Font>();

/**
 * Parsed once: a font given as bytes is parsed anew for every document, which costs twenty times
 * the drawing.
 */
export function usualFont(name: keyof typeof usual, face: Face): Font {
  const id = `${name} ${face}`;
  let font = opened.get(id);
  if (!font) {
    const [pack, file] = usual[name];
    const [weight] = weights[face];
    const bytes = readFileSync(
      resolve(`@expo-google-fonts/${pack}/${weight}/${file}_${weight}.ttf`),
    );
    font = { id, file: opening(bytes) };
    opened.set(id, font);
  }
  return font;
}

/**
 * The library gives up on a few rare combinations of letters and signs (fontkit 2.0.4: an anchor
 * that a font leaves out). Then they are set without moving signs to their letters, which reads
 * worse and is not lost.
 */
function opening(bytes: Buffer): FontFile {
  const file = fontkit.create(bytes as never) as unknown as FontFile;
  const layout = file.layout.bind(file);
  file.layout = (text, features) => {
    try {
      return layout(text, features);
    } catch {
      return layout(text, {
        ...features,
        mark: false,
        mkmk: false,
        abvm: false,
        blwm: false,
        curs: false,
      });
    }
  };
  return file;
}

/**
 * Where letters are looked for that neither of the two has, the first that has one wins. Each comes
 * in slices of a few dozen to a few hundred letters, and only the slices that a receipt needs are
 * opened: the four East Asian ones together have 60,000 letters.
 */
const families = [
  ...'adlam armenian bengali cherokee devanagari ethiopic georgian gujarati gurmukhi hebrew kannada khmer lao malayalam myanmar sinhala tamil telugu thaana thai'
    .split(' ')
    .map((script) => `@fontsource-variable/noto-sans-${script}`),
  '@fontsource-variable/noto-serif-tibetan',
  '@fontsource/noto-sans-nko',
  '@fontsource/noto-sans-tifinagh',
  '@fontsource/noto-sans-math',
  '@fontsource/noto-sans-symbols-2',
  '@fontsource-variable/noto-sans-symbols',
];
const lastResort = ['@fontsource-variable/noto-emoji'];
const eastAsian = ['sc', 'tc', 'jp', 'kr'] as const;

/**
 * Chinese characters look a little different in each country; what stands beside them says which is
 * meant.
 */
function familiesFor(texts: string[]): string[] {
  const has = (letters: RegExp) => texts.some((text) => letters.test(text));
  const first = has(/[\p{scx=Hira}\p{scx=Kana}]/u)
    ? 'jp'
    : has(/\p{sc=Hang}/u)
      ? 'kr'
      : has(/\p{sc=Bopo}/u)
        ? 'tc'
        : 'sc';
  const ordered = [first, ...eastAsian.filter((each) => each !== first)].map(
    (each) => `@fontsource-variable/noto-sans-${each}`,
  );
  return [...families, ...ordered, ...lastResort];
}

/** Latin, Greek and Cyrillic come with every family, and are not taken from it. */
const notTaken = /^(?:latin|greek|cyrillic|vietnamese)(?:-ext)?$/;
const tables = new Map<string, Map<number, string>>();

/** Which slice of a family says it has a letter. What it really has is known once it is opened. */
function tableOf(family: string): Map<number, string> {
  let table = tables.get(family);
  if (!table) {
    table = new Map();
    const slices = JSON.parse(readFileSync(resolve(`${family}/unicode.json`), 'utf8')) as Record<
      string,
      string
    >;
    for (const [name, ranges] of Object.entries(slices)) {
      if (notTaken.test(name)) continue;
      for (const range of ranges.split(',')) {
        const [from, to] = range.slice(2).split('-') as [string, string?];
        for (let code = Number.parseInt(from, 16); code <= Number.parseInt(to ?? from, 16); code++)
          if (!table.has(code)) table.set(code, name.replace(/[[\]]/g, ''));
      }
    }
    tables.set(family, table);
  }
  return table;
}

/** Opened slices are kept, up to so many: a page of Chinese takes some thirty. */
const slicesMax = 120;
const slices = new Map<string, Promise<Font>>();

function openSlice(family: string, slice: string, face: Face): Promise<Font> {
  const id = `${family.split('/')[1]}/${slice} ${face}`;
  let font = slices.get(id);
  if (!font) {
    if (slices.size >= slicesMax) slices.delete(slices.keys().next().value as string);
    font = unpacked(family, slice, face).then((file) => ({ id, file }));
    slices.set(id, font);
  }
  return font;
}

/**
 * As a plain TrueType font of one weight: what draws can neither unpack the web's format nor embed
 * a font of many weights.
 */
async function unpacked(family: string, slice: string, face: Face): Promise<FontFile> {
  const isVariable = family.startsWith('@fontsource-variable/');
  const name = family.split('/')[1] as string;
  const folder = join(dirname(resolve(`${family}/package.json`)), 'files');
  const bytes = readFileSync(
    join(folder, `${name}-${slice}-${isVariable ? 'wght' : '400'}-normal.woff2`),
  );
  const axes = isVariable ? { variationAxes: { wght: weights[face][1] } } : {};
  // Brings a program of its own along, which most receipts never need.
  const { default: subsetFont } = await import('subset-font');
  const all: object = { targetFormat: 'truetype', keepAllGlyphs: true, ...axes };
  return opening(await subsetFont(bytes, '', all));
}

const isOfLatin = (code: number) => usualFont(latin, 'body').file.hasGlyphForCodePoint(code);
const isOfArabic = (code: number) => usualFont(arabic, 'body').file.hasGlyphForCodePoint(code);

/** Every letter of one receipt with the font that has it. */
export type Fonts = {
  /** The key of the font a letter is drawn with; nothing where no font has it. */
  keyOf(code: number): string | undefined;
  font(key: string, face: Face): Font;
};

/**
 * Opens what these texts need. A text among `strong` has its letters also at the bold weight.
 * Opening takes a few ms a slice, and is remembered for the thread's life.
 */
export async function fontsFor(texts: string[], strong: string[] = []): Promise<Fonts> {
  const keys = new Map<number, string>();
  const found = new Map<string, Font>();
  const codes = new Set(
    [...texts, ...strong]
      .filter((text) => !isPlain(text))
      .flatMap((text) => [...text].map((letter) => letter.codePointAt(0) as number)),
  );
  const bold = new Set(strong.filter((text) => !isPlain(text)).join(''));
  const order = codes.size > 0 ? familiesFor([...texts, ...strong]) : [];
  for (const code of codes) {
    if (isOfLatin(code)) keys.set(code, latin);
    else if (isOfArabic(code)) keys.set(code, arabic);
    else
      for (const family of order) {
        const slice = tableOf(family).get(code);
        if (slice === undefined) continue;
        const font = await openSlice(family, slice, 'body');
        if (!font.file.hasGlyphForCodePoint(code)) continue;
        const key = font.id.slice(0, -' body'.length);
        keys.set(code, key);
        found.set(`${key} body`, font);
        if (bold.has(String.fromCodePoint(code)))
          found.set(`${key} strong`, await openSlice(family, slice, 'strong'));
        break;
      }
  }
  return {
    keyOf: (code) => keys.get(code) ?? (isPlain(String.fromCodePoint(code)) ? latin : undefined),
    font: (key, face) => {
      if (key === latin || key === arabic) return usualFont(key, face);
      return (found.get(`${key} ${face}`) ?? found.get(`${key} body`)) as Font;
    },
  };
}
