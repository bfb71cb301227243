/*
 * Where text from outside becomes ours. A string that came over a wire can hold what no table, paper or device takes: U+0000, which PostgreSQL
 * refuses in any text; half of a surrogate pair, which it refuses in JSON; controls, which print as boxes and break lines apart. Every door
 * says beside its code which of these rules it keeps: people are told (`firstNul`), programs and devices are read for what they mean (`clean`).
 */

const controls = /[\p{Cc}\u2028\u2029]+/gu;

/**
 * Well-formed Unicode on one line: a lone half of a pair becomes U+FFFD, a run of control
 * characters (line breaks, tabs, C1) one blank.
 */
export const clean = (text: string): string => text.toWellFormed().replace(controls, ' ');

/**
 * What PostgreSQL can hold, and nothing else changed: line breaks stay, U+0000 and lone halves
 * become U+FFFD.
 */
export const storable = (text: string): string =>
  text.toWellFormed().replaceAll('\u0000', '\ufffd');

/** Characters as people count them: an emoji is one, not two. */
export const lengthOf = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** The first so many characters; never half of one. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : [...text].slice(0, length).join('');

/** A code as its issuer means it: without blanks and marks of any kind around or within. */
export const code = (text: string): string => clean(text).replace(/[\s\p{Cf}]+/gu, '');

/**
 * A taxpayer's number as its digits, out of every dress that people and number fields give it:
 * `101,234,567`, `101 234 567`, `101234567.00`, digits of other scripts. Letters stay, where an
 * authority's numbers have some; what is no number stays what it is, for somebody to mend.
 */
export function taxpayerNumber(text: string): string {
  const alone = nineAlone(text);
  if (alone !== null) return alone;
  const bare = withoutExponent(
    withoutEdges(withAsciiDigits(code(text.normalize('NFKC')))).replace(numberName, ''),
  );
  // Two noughts behind a mark are a fraction of nothing, three are a group of thousands where there
  // are groups.
  const whole = /^[\d.,'’]+$/.test(bare)
    ? bare.replace(/^(\d{4,})[.,]0+$|[.,]0{1,2}$/, '$1')
    : bare;
  const joined = whole.replace(/[.,'’_/‐-―-]/g, '');
  return /^[0-9A-Za-z]*\d[0-9A-Za-z]*$/.test(joined) ? joined : clean(text).trim();
}

/**
 * The nine digits that stand once in a text, in one run or in three groups, whatever is written
 * around them; null where it may be others that are meant.
 */
function nineAlone(text: string): string | null {
  if (text.length > numberMost) return null;
  const plain = withAsciiDigits(clean(text).normalize('NFKC'));
  const runs = new Set(plain.match(/(?<![\p{L}\p{N}]|\d[.,'’])\d{9}(?![\p{L}\p{N}]|[.,'’]\d)/gu));
  const groups = [
    ...plain.matchAll(/(?<![\p{L}\p{N}])(\d{3})([ .,'’-])(\d{3})\2(\d{3})(?![\p{L}\p{N}])/gu),
  ].map(([, a, , b, c]) => `${a}${b}${c}`);
  const [run] = runs;
  if (run !== undefined) return runs.size === 1 && groups.length === 0 ? run : null;
  return groups.length === 1 && plain.replace(/\D/g, '').length === 9
    ? (groups[0] as string)
    : null;
}

/**
 * What people write into a field that must not be empty where they have nothing to write: a stroke,
 * a row of noughts, a word for it.
 */
export function isPlaceholder(text: string): boolean {
  const bare = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  return bare === '' || /^(?:0+|x+)$/.test(bare) || placeholders.has(bare);
}

const placeholders = new Set(
  'na nan nil null none no non nope aucun aucune neant rien sans undefined unknown inconnu tba tbd notavailable notapplicable notin nonif nocode pasdetin pasdenif'.split(
    ' ',
  ),
);

/** What people write before such a number: which it is, or whose country's. */
const numberName = /^(?:tin|nif|pin|vat|tva|rw)(?:n[o°r]?\.?|number)?[:.#(]*(?=[a-z]?\d)/i;
/** Quotation marks and full stops around a number are no part of it. */
const withoutEdges = (text: string): string =>
  text.length > numberMost ? text : text.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
/** Longer is no number of anybody, and looking for its end would only cost time. */
const numberMost = 100;

/**
 * `1.01234567E8` as its digits, where it has them all: what a spreadsheet has rounded (`1.01E+8`)
 * is no number of anybody.
 */
export function withoutExponent(text: string): string {
  const [, whole = '', fraction = '', exponent = ''] =
    /^([1-9])\.(\d+)[eE]\+?0?(\d{1,2})$/.exec(text) ?? [];
  return whole !== '' && fraction.length === Number(exponent) ? whole + fraction : text;
}

/**
 * Digits of any script as ASCII digits: people type on Arabic, Bengali and full-width keyboards
 * too.
 */
export const withAsciiDigits = (text: string): string =>
  text.replace(/\p{Nd}/gu, (digit) => {
    let zero = digit.codePointAt(0) as number;
    // The ten digits of a script stand side by side, and each script's block of them begins at its
    // zero.
    while (
      /\p{Nd}/u.test(String.fromCodePoint(zero - 1)) &&
      (digit.codePointAt(0) as number) - zero < 9
    )
      zero -= 1;
    return String((digit.codePointAt(0) as number) - zero);
  });

/**
 * A code of letters and digits that a buyer was given, as its issuer means it: no blanks and
 * strokes in it, no dress of a number field. Where more than a code stands there, it is what has
 * its length and a digit in it, if only one thing has; digits alone are none behind the name of an
 * order or a document.
 */
export function purchaseCode(text: string): string {
  const plain = withAsciiDigits(clean(text).normalize('NFKC'));
  const bare = withoutEdges(code(plain)).replace(/[‐-―-]/g, '');
  if (/^[\d,]+(\.0{1,2})?$/.test(bare)) return bare.replace(/\.0{1,2}$/, '').replaceAll(',', '');
  if (/^[A-Za-z0-9]{6}$/.test(bare)) return isOrder.test(plain) ? plain.trim() : bare;
  const found = plain.matchAll(
    /(?<![^\s:;,/|()=#])(?=[A-Za-z]*\d)[A-Za-z0-9]{6}(?![^\s:;,/|()=#])/g,
  );
  const isOfOrder = (each: string, before: string) =>
    /^\d+$/.test(each) &&
    behindOrder.test(
      before
        .slice(-numberMost)
        .split(/[;,|()]/)
        .at(-1) as string,
    );
  const codes = new Set(
    [...found].flatMap(({ 0: each, index }) =>
      isOfOrder(each, plain.slice(0, index)) ? [] : [each],
    ),
  );
  return codes.size === 1 ? ([...codes][0] as string) : bare;
}

/**
 * What people call an order, or a document that is none of the authority's, where they write its
 * number.
 */
const orderNames =
  '(?<![\\p{L}\\p{N}])(?:l?p[./]?o|order|commande|bc|r[eé]f(?:[eé]rence)?|inv(?:oice)?|facture)(?![\\p{L}\\p{N}])';
/** The number of one of them alone, which may be as long with its name as a code. */
const isOrder = new RegExp(`^[^\\p{L}\\p{N}]*${orderNames}[^\\p{L}\\p{N}]+\\d[\\d\\s-]*$`, 'iu');
/** One of them, and no word since that it is a code: `order code 123456`. */
const behindOrder = new RegExp(`${orderNames}(?!.*code)`, 'iu');

/**
 * Every string within a JSON value, its keys included, made anew; numbers, booleans and null stay.
 */
export function mapStrings(value: unknown, to: (text: string) => string): unknown {
  if (typeof value === 'string') return to(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, to));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [to(key), mapStrings(each, to)]),
  );
}

/**
 * Where in a JSON value U+0000 stands, as a path of keys (`lines.0.name`); null: nowhere. A key
 * that holds one is named without it.
 */
export function firstNul(value: unknown, path = ''): string | null {
  if (typeof value === 'string') return value.includes('\u0000') ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, each] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (key.includes('\u0000')) return storable(at);
    const found = firstNul(each, at);
    if (found !== null) return found;
  }
  return null;
}
