import { withAsciiDigits, withoutExponent } from '@muhuri/shared/text';
import parsePhoneNumber, { type CountryCode, isSupportedCountry } from 'libphonenumber-js/max';

/**
 * Fewer are no telephone number anywhere; what has as many is taken, since no list of numbering
 * plans is ever up to date.
 */
const digitsMin = 6;
/** The longest number there is has fifteen (ITU-T E.164). */
const digitsMax = 15;

const digitsOf = (text: string) => withAsciiDigits(text).replace(/\D/g, '');
/** Three numbers with the same mark between them. */
const threeNumbers = /(?<![\d./-])(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?![./-]?\d)/g;
/**
 * What has digits too and is dialled by nobody: an e-mail address, a day, a taxpayer's number. A
 * day that a number of `country` has in it is none.
 */
const withoutOthers = (text: string, country: string | null): string =>
  text
    .replace(/[^\s,;/|<>()]+@[^\s,;/|<>()]+/g, ' ')
    .replace(threeNumbers, (all, ...found) => {
      const [a, , b, c, at, whole] = found as [string, string, string, string, number, string];
      return isDay(a, b, c) && !(country && isWithinNumber(all, at, whole, country)) ? ' ' : all;
    })
    .replace(
      /(?<!\d)\d{1,2}(?:st|nd|rd|th|er)?[ ,./-]{1,2}\p{L}{3,9}[ ,./-]{1,2}(?:19|20)\d\d(?!\d)/gu,
      ' ',
    )
    .replace(/(?<!\p{L})\p{L}{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d(?! ?\d)/gu, ' ')
    .replace(
      /(?<!\p{L})(?:tin|nif|vat|tva)(?!\p{L})[^\d,;|\n]{0,12}\d+(?:[ .'-]\d{3}(?!\d))*/giu,
      ' ',
    );

/** Whether three numbers are a day of the calendar, in whatever order people write them. */
function isDay(...parts: [string, string, string]): boolean {
  const [first, middle, last] = parts;
  const isYear = (part: string) => /^(?:19|20)?\d\d$/.test(part);
  const isMonthAndDay = (...two: [string, string]) =>
    two.every((each) => each.length < 3 && Number(each) >= 1 && Number(each) <= 31) &&
    two.some((each) => Number(each) <= 12);
  return (
    (isYear(last) && isMonthAndDay(first, middle)) || (isYear(first) && isMonthAndDay(middle, last))
  );
}

/** Whether it stands, with nothing but figures and marks around it, in a number that is in use. */
function isWithinNumber(day: string, at: number, whole: string, country: string): boolean {
  const before = /[^\p{L}@,;|:\n]*$/u.exec(whole.slice(0, at))?.[0] ?? '';
  const after = /^[^\p{L}@,;|:\n]*/u.exec(whole.slice(at + day.length))?.[0] ?? '';
  return (
    isSupportedCountry(country) &&
    parsePhoneNumber(digitsOf(`${before}${day}${after}`), country)?.isValid() === true
  );
}

/** One digit all along is what people type to fill a field. */
const isOneDigit = (text: string): boolean => /^(\d)\1*$/.test(digitsOf(text));
const hasEnoughDigits = (text: string): boolean =>
  digitsOf(text).length >= digitsMin && !isOneDigit(text);
const plainOf = (text: string, country: string | null = null): string =>
  withoutOthers(withoutFraction(withAsciiDigits(text.normalize('NFKC'))), country);

/**
 * Whether somebody could be called by it, in whatever country: digits enough, and not all of them
 * in a row longer than any number.
 */
export function hasPhoneNumber(text: string): boolean {
  const groups = plainOf(text).match(/\d+/g) ?? [];
  return hasEnoughDigits(groups.filter((group) => group.length <= digitsMax).join(''));
}

/**
 * Whether nothing in its digits could be a number, or the beginning of one: a row of one digit, a
 * day, a taxpayer's number.
 */
export const isOtherThanPhone = (text: string): boolean =>
  digitsOf(text) !== '' && (digitsOf(plainOf(text)) === '' || isOneDigit(plainOf(text)));

/**
 * Whether the library knows it for a number that is in use, dialled within one of those countries
 * or with the code of any.
 */
export function isKnownPhone(text: string, countries: string[]): boolean {
  return countries.some((country) => {
    const plain = plainOf(text, country);
    return (
      hasEnoughDigits(plain) &&
      isSupportedCountry(country) &&
      (plainest(plain, country) ?? firstWithin(plain, country))?.isValid() === true
    );
  });
}

/**
 * A telephone number as people write it, in the one form that is sent and printed: the digits
 * dialled within `country` for its own numbers (`0788000006`), `+` and the digits for others'. How
 * it was spelled never matters; null where there are too few digits to be a number, or more than
 * any has. Where several are written one after the other, the first counts.
 */
export function readPhone(text: string, country: string): string | null {
  const plain = plainOf(text, country);
  const parsed = isSupportedCountry(country)
    ? (plainest(plain, country) ?? firstWithin(plain, country))
    : undefined;
  if (parsed)
    return parsed.country === country
      ? dialledWithin(parsed.formatNational(), country)
      : parsed.number;
  const parts = plain.split(separators).filter(hasEnoughDigits);
  const first =
    parts.find((part) => digitsOf(part).length <= digitsMax) ??
    plain.split(/\s+/).find(hasEnoughDigits) ??
    plain;
  const digits = digitsOf(first);
  if (digits.length > digitsMax || !hasEnoughDigits(digits)) return null;
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
const withoutFraction = (text: string): string =>
  withoutExponent(text.trim()).replace(/^(\+?\d+)\.0{1,2}$/, '$1');

/** The first that is in use for all the library knows, else the first that could be. */
function plainest(text: string, country: CountryCode) {
  const all = [text, ...text.split(separators)]
    .filter((part) => !isOneDigit(part))
    .flatMap((part) => parsePhoneNumber(part, country) ?? []);
  const parsed = all.find((each) => each.isValid()) ?? all.find((each) => each.isPossible());
  parsed?.setExt('');
  return parsed;
}

const groupsMost = 40;

/**
 * The first groups of digits that make a number by themselves: two numbers with a blank between,
 * one with words and other figures around.
 */
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
