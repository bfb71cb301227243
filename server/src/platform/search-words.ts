/**
 * The words under which a row is found. They are made here and not by the database: row security
 * lets an index answer plain comparisons of text only, so that a search is a range of words
 * ("everything that begins with …") over words that are lower-case and without accents already.
 */

const wordsMax = 24;
const lengthMax = 40;

/**
 * The same word however it was typed: composed or not, with accents or without, in capitals or not.
 */
const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();

/** `INV-000123` is found as itself, as `inv`, as `000123` and as `123`; `11,800.00` as `11800`. */
function formsOf(token: string): string[] {
  const whole = token.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
  const parts = whole.split(/[^\p{L}\p{N}]+/u);
  const digits = parts.flatMap((part) =>
    /^0+\d/.test(part) ? [part.replace(/^0+(?=\d)/, '')] : [],
  );
  return [amountOf(whole) ?? whole, ...parts, ...digits];
}

/**
 * A number with its groups, or with nothing behind its point, as one writes it shortest; null for
 * what is no number.
 */
function amountOf(token: string): string | null {
  if (!/^\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^\d+\.\d+$/.test(token)) return null;
  const plain = token.replaceAll(',', '');
  return plain.includes('.') ? plain.replace(/0+$/, '').replace(/\.$/, '') : plain;
}

const tokensOf = (text: string): string[] => folded(text).split(/\s+/u).filter(Boolean);
/** Cut between characters, never within one. */
const cut = (word: string): string => Array.from(word).slice(0, lengthMax).join('');

/** What a row is found by, one blank before each word: ` inv-000123 inv 000123 123 kivu`. */
export function searchWordsOf(...texts: (string | null | undefined)[]): string {
  const words = new Set<string>();
  for (const text of texts)
    for (const token of tokensOf(text ?? ''))
      for (const form of formsOf(token))
        if (form !== '' && words.size < wordsMax) words.add(cut(form));
  return Array.from(words, (word) => ` ${word}`).join('');
}

/**
 * What a search asks for: beginnings of words, all of which must be there. Empty where nothing in
 * it can be looked for.
 */
export function prefixesOf(search: string): string[] {
  const asked = tokensOf(search).flatMap((token) => {
    const [whole = ''] = formsOf(token);
    return whole === '' ? [] : [cut(whole)];
  });
  return [...new Set(asked)].slice(0, 6);
}

/** The first text after everything that begins with this one, in the order of code points. */
export const endOfPrefix = (beginning: string): string => `${beginning}\u{10ffff}`;
