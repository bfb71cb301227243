import parsePhoneNumber, { type CountryCode, isSupportedCountry } from 'libphonenumber-js/max';

/** Fewer are no telephone number anywhere; what has as many is taken, since no list of numbering plans is ever up to date. */
const digitsMin = 6;
/** The longest number there is has fifteen (ITU-T E.164). */
const digitsMax = 15;

/** Digits of any script as ASCII digits: people type on Arabic and full-width keyboards too. */
const withAsciiDigits = (text: string) =>
  text.replace(/\p{Nd}/gu, (digit) => {
    let zero = digit.codePointAt(0) as number;
    // The ten digits of a script stand side by side, and each script's block of them begins at its zero.
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && (digit.codePointAt(0) as number) - zero < 9) zero -= 1;
    return String((digit.codePointAt(0) as number) - zero);
  });

const digitsOf = (text: string) => withAsciiDigits(text).replace(/\D/g, '');

export const hasPhoneNumber = (text: string): boolean => digitsOf(text).length >= digitsMin;

/**
 * A telephone number as people write it, in the one form that is sent and printed: the digits dialled within `country` for its own numbers
 * (`0788000006`), `+` and the digits for others'. How it was spelled never matters; null where there are too few digits to be a number.
 * Where several are written one after the other, the first counts.
 */
export function readPhone(text: string, country: string): string | null {
  const plain = withAsciiDigits(text.normalize('NFKC'));
  const parsed = isSupportedCountry(country) ? plainest(plain, country) : undefined;
  if (parsed) return parsed.country === country ? parsed.formatNational().replace(/\D/g, '') : parsed.number;
  const first = plain.split(/[/,;|\n]|\b(?:or|ou|and|et)\b/i).find(hasPhoneNumber) ?? plain;
  const digits = digitsOf(first);
  if (digits.length < digitsMin) return null;
  return `${/^[^\d]*\+/.test(first) ? '+' : ''}${digits.slice(0, digitsMax)}`;
}

function plainest(text: string, country: CountryCode) {
  for (const part of [text, ...text.split(/[/,;|\n]|\b(?:or|ou|and|et)\b/i)]) {
    const parsed = parsePhoneNumber(part, country);
    if (parsed?.isPossible()) {
      parsed.setExt('');
      return parsed;
    }
  }
  return undefined;
}
