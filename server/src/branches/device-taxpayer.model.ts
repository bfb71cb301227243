import type { StoredProblem } from '@muhuri/shared/problems';

/** Who the authority says a device signs for. Null: it has not said. */
export type DeviceTaxpayer = { name: string | null; isVatRegistered: boolean | null };

/**
 * Words that say what kind of company it is, or join its name, and are left out as often as they
 * are written.
 */
const legalForms = new Set(
  'and co company coop cooperative corp corporation et inc incorporated limited llc ltd ltee plc sa sarl sas societe the'.split(
    ' ',
  ),
);
/** Names come cut at this many characters, as the authority's field is so long. */
const fieldLength = 60;

/** The words that tell one name from another: without case, marks, punctuation and legal form. */
function wordsOf(name: string): string[] {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/(?<=\p{L})[.'’](?=\p{L})/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
  const telling = words.filter((word) => !legalForms.has(word));
  return telling.length > 0 ? telling : words;
}

/**
 * Whether two spellings are one name: order, case, marks, punctuation and legal form do not tell
 * taxpayers apart (registers put the family name first or last), nor where a word is parted, nor
 * that one of them was cut at the length of the authority's field.
 */
export function isSameName(own: string, told: string): boolean {
  const [a, b] = [wordsOf(own), wordsOf(told)];
  if (a.join('') === b.join('') || a.toSorted().join('') === b.toSorted().join('')) return true;
  return (
    [...told.trim()].length >= fieldLength &&
    b.length > 1 &&
    a.join('').startsWith(b.slice(0, -1).join(''))
  );
}

type Own = { name: string; isVatRegistered: boolean };

/**
 * What the device tells otherwise than the business, or null. What it has not told cannot differ.
 */
export function taxpayerDifference(
  own: Own,
  told: DeviceTaxpayer,
  branchName: string,
): StoredProblem | null {
  const isNameOther =
    told.name !== null && told.name.trim() !== '' && !isSameName(own.name, told.name);
  const isVatOther = told.isVatRegistered !== null && told.isVatRegistered !== own.isVatRegistered;
  if (!isNameOther && !isVatOther) return null;
  return {
    code: isVatOther ? 'taxpayer_vat_differs' : 'taxpayer_name_differs',
    branch: branchName,
    own_name: own.name,
    told_name: told.name,
    own_vat_registered: own.isVatRegistered,
    told_vat_registered: told.isVatRegistered,
  };
}
