import { withAsciiDigits, withoutExponent } from '@muhuri/shared/text';
import parsePhoneNumber, { type CountryCode, isSupportedCountry } from 'libphonenumber-js/max';

/** Fewer are no telephone number anywhere; what has as many is taken, since no list of numbering plans is ever up to date. */
const digitsMin = 6;
/** The longest number there is has fifteen (ITU-T E.164). */
const digitsMax = 15;

const digitsOf = (text: string) => withAsciiDigits(text).replace(/\D/g, '');
/** An e-mail address has digits too, and a day; they are dialled by nobody. */
const withoutOthers = (text: string): string => text.replace(/[^\s,;/|<>()]+@[^\s,;/|<>()]+|\b(?:19|20)\d\d-\d\d-\d\d\b/g, ' ');

const hasEnoughDigits = (text: string): boolean => digitsOf(text).length >= digitsMin;

/** Whether somebody could be called by it, in whatever country: digits enough, and not all of them in a row longer than any number. */
export function hasPhoneNumber(text: string): boolean {
  const groups = withoutOthers(withoutFraction(withAsciiDigits(text.normalize('NFKC')))).match(/\d+/g) ?? [];
  return hasEnoughDigits(groups.filter((group) => group.length <= digitsMax).join(''));
}

/**
 * A telephone number as people write it, in the one form that is sent and printed: the digits dialled within `country` for its own numbers
 * (`0788000006`), `+` and the digits for others'. How it was spelled never matters; null where there are too few digits to be a number, or
 * more than any has. Where several are written one after the other, the first counts.
 */
export function readPhone(text: string, country: string): string | null {
  const plain = withoutOthers(withoutFraction(withAsciiDigits(text.normalize('NFKC'))));
  const parsed = isSupportedCountry(country) ? (plainest(plain, country) ?? firstWithin(plain, country)) : undefined;
  if (parsed) return parsed.country === country ? dialledWithin(parsed.formatNational(), country) : parsed.number;
  const parts = plain.split(separators).filter(hasEnoughDigits);
  const first = parts.find((part) => digitsOf(part).length <= digitsMax) ?? plain.split(/\s+/).find(hasEnoughDigits) ?? plain;
  const digits = digitsOf(first);
  if (digits.length < digitsMin || digits.length > digitsMax) return null;
  return `${/^[^\d]*\+/.test(first) ? '+' : ''}${digits}`;
}

const separators = /[/,;|\n]|\b(?:or|ou|and|et)\b/i;

/** Where the library writes landlines without the nought that is dialled before them. */
const noughts = ['RW'];

function dialledWithin(national: string, country: CountryCode): string {
  const digits = digitsOf(national);
  return noughts.includes(country) && !digits.startsWith('0') ? `0${digits}` : digits;
}

/** What a field of numbers makes of it: `788000006.00`, `7.88000006E8`. */
const withoutFraction = (text: string): string => withoutExponent(text.trim()).replace(/^(\+?\d+)\.0{1,2}$/, '$1');

/** The first that is in use for all the library knows, else the first that could be. */
function plainest(text: string, country: CountryCode) {
  const all = [text, ...text.split(separators)].flatMap((part) => parsePhoneNumber(part, country) ?? []);
  const parsed = all.find((each) => each.isValid()) ?? all.find((each) => each.isPossible());
  parsed?.setExt('');
  return parsed;
}

const groupsMost = 40;

/** The first groups of digits that make a number by themselves: two numbers with a blank between, one with words and other figures around. */
function firstWithin(text: string, country: CountryCode) {
  const groups = (text.match(/\+?\d+/g) ?? []).slice(0, groupsMost);
  for (const begin of groups.keys())
    for (let end = begin + 1; end <= groups.length; end++) {
      const tried = groups.slice(begin, end).join('');
      if (tried.length > digitsMax + 1) break;
      const parsed = parsePhoneNumber(tried, country);
      if (parsed?.isValid()) return parsed;
    }
  return undefined;
}
