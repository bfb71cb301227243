import { absolute, compare, isAmount, round, subtract, unit } from '@muhuri/shared/money';
import { clean, cut, isPlaceholder } from '@muhuri/shared/text';
import { AppError } from '../platform/app-error.ts';
import { type Json, plain } from './parse-json.ts';

export type Fields = { [key: string]: Json };

/** A word out of a list of Zoho's, however it is written. */
export const word = (value: Json | undefined): string =>
  text(value).toLowerCase().replace(/[ -]+/g, '_');

/** `"VAT (18%)"`: where a tax is only named, its name says its rate. */
export const percentIn = (name: string): string | null =>
  /\((\d+(?:\.\d+)?)\s*%\)\s*$/.exec(name)?.[1] ?? null;

/** A discount written as a share, without its sign; null where it is money. */
export function percentOf(from: Fields, at = ''): string | null {
  const given = text(from.discount);
  return given.endsWith('%') ? percentage(from, 'discount', at) : null;
}

export const withoutSign = (given: string): string => given.replace(/\s*%$/, '');

/**
 * A number of percent, with its sign or without; a comma before one or two digits can part off
 * nothing but a fraction there.
 */
export const percentage = (from: Fields, key: string, at = ''): string =>
  amount(
    {
      [key]:
        withoutSign(text(from[key])).replace(/^(\d{1,2}),(\d{1,2})$/, '$1.$2') ||
        (from[key] as Json),
    },
    key,
    at,
  );

/**
 * A custom field's value as a machine means it: the value itself, then what Zoho calls unformatted,
 * and only then the text made for eyes, which a field of numbers writes with groups and decimals.
 * The contact's own is the fallback; a field without a value is left out by Zoho, and what people
 * write where they have nothing to write is no value either.
 */
export function custom(raw: Fields, name: string, form: (text: string) => string): string | null {
  const said = (value: Json | undefined): string => {
    const given = written(value);
    const meant = isPlaceholder(given) ? '' : form(given);
    return isPlaceholder(meant) ? '' : meant;
  };
  for (const [fields, hash] of [
    ['custom_fields', 'custom_field_hash'],
    ['customer_custom_fields', 'customer_custom_field_hash'],
  ] as const) {
    const rows = list(raw[fields]).filter(
      (row) => (text(row.api_name) || text(row.placeholder)) === name,
    );
    const flat = (raw[hash] ?? {}) as Fields;
    const first = (key: string) => rows.map((row) => said(row[key])).find(Boolean);
    const value =
      first('value') ||
      said(flat[`${name}_unformatted`]) ||
      said(flat[name]) ||
      first('value_formatted');
    if (value) return value;
  }
  return null;
}

/**
 * What stands in a field, whatever its kind: of several choices all, so that nobody is left without
 * what was said of them. A box that is ticked says nothing.
 */
function written(value: Json | undefined): string {
  if (Array.isArray(value)) return value.map(written).filter(Boolean).join(', ');
  return typeof value === 'object' && value !== null ? text(JSON.stringify(value)) : text(value);
}

/**
 * The door: whatever of Zoho's becomes ours goes through here, on one line and well-formed. Blanks
 * come as `""`, `" "`, null or not at all. What is only given back to Zoho, a line of a credit
 * note, is not read by this and stays to the byte what it was.
 */
export function text(value: Json | undefined): string {
  const found = typeof value === 'string' ? clean(value).replace(turning, '').trim() : '';
  return unseen.test(found) ? '' : found;
}
/**
 * Nothing but what has no shape of its own: joiners, fillers, soft hyphens, blanks. As a name it
 * would be an empty place on paper.
 */
const unseen = /^[\p{Default_Ignorable_Code_Point}\p{White_Space}\u2800]+$/u;
/**
 * What turns the text behind it round, numbers too, until it is closed again, if it is; letters
 * that run from the right do so by themselves.
 */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;

export const list = (value: Json | undefined): Fields[] =>
  Array.isArray(value)
    ? value.filter(
        (each): each is Fields => typeof each === 'object' && each !== null && !Array.isArray(each),
      )
    : [];

/**
 * The rows of a list, all of them: one that is none is never left out in silence. Nothing is no
 * rows.
 */
export function rowsOf(from: Fields, key: string, at = ''): Fields[] {
  const value = from[key];
  if (Array.isArray(value)) {
    const odd = value.findIndex((each) => list([each]).length === 0);
    if (odd >= 0) throw unreadable(`${at}${key}[${odd}]`, value[odd]);
  } else if (isGiven(value)) throw unreadable(at + key, value);
  return list(value);
}

/** Whether anything stands in a field, whatever it is. */
export const isGiven = (value: Json | undefined): boolean =>
  value === undefined || value === null || typeof value === 'string' ? text(value) !== '' : true;

export const unreadable = (field: string, value: Json | undefined) =>
  new AppError('document_unreadable', {
    field,
    value: cut(
      typeof value === 'string' || value === null || value === undefined
        ? text(value)
        : text(JSON.stringify(value)),
      40,
    ),
  });

/**
 * Nothing is nought; what is there and is no number is never taken for nought. `at`: where `from`
 * stands within the document.
 */
export function amount(from: Fields, key: string, at = ''): string {
  const found = isGiven(from[key]) ? amountIn(from[key]) : '0';
  if (found === null) throw unreadable(at + key, from[key]);
  return found;
}

/** The same, where nothing is not nought but left to be said elsewhere. */
export const amountOrNone = (from: Fields, key: string, at = ''): string | null =>
  isGiven(from[key]) ? amount(from, key, at) : null;

/** The same of what every document says: where nothing stands, it was not read whole. */
export function amountThere(from: Fields, key: string, at = ''): string {
  if (!isGiven(from[key])) throw unreadable(at + key, from[key]);
  return amount(from, key, at);
}

/**
 * A number in text as JSON would write it: without a plus, a bare point, an exponent, or marks
 * between groups of three where a point behind them tells that they are groups. `1,180` alone may
 * be either, and is left as it is.
 */
function spelled(given: string): string {
  const bare = given
    .replace(/^\+(?=[\d.])/, '')
    .replace(/^(-?)(?=\.\d)/, '$10')
    .replace(/^(-?\d+)\.$/, '$1');
  const joined = /^-?\d{1,3}(?:([, \u00a0\u202f'’])\d{3})(?:\1\d{3})*\.\d+$/.test(bare)
    ? bare.replace(/[^\d.-]/g, '')
    : bare;
  return plain(joined);
}

/**
 * A number that can be reckoned with, or null: more digits before the point than fifteen no
 * document has, and no table or device takes.
 */
export function amountIn(value: Json | undefined): string | null {
  const given = spelled(text(value));
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.(\d+)$/.exec(given) ?? [];
  const meant = whole === '' ? null : withoutNoise(`${sign}${whole}`, fraction);
  if (meant !== null) return meant;
  // What binary floats leave of nothing: 5.684341886080802e-14.
  if (fraction.length > 8 && /^0+$/.test(whole) && fraction.startsWith('000000')) return '0';
  if (/^-?0*[1-9]\d{15}/.test(given)) return null;
  const exact =
    fraction.length > decimalsMost ? `${sign}${whole}.${fraction.slice(0, decimalsMost)}` : given;
  return isAmount(exact) ? exact : null;
}
const decimalsMost = 20;

/**
 * A binary float says about sixteen digits: what stands at their end behind a row of noughts or
 * nines is what it could not hold (253.02000000000004).
 */
const floatDigits = 15;

function withoutNoise(whole: string, fraction: string): string | null {
  const places = /^(\d*?)(?:0{5,}\d{1,3}|9{5,}\d{0,3})$/.exec(fraction)?.[1]?.length;
  const digits = (whole + fraction).replace(/^[-0]+/, '').length;
  if (digits < floatDigits || digits > floatDigits + 3) return null;
  if (places !== undefined) return round(`${whole}.${fraction}`, places);
  // Behind a large amount there is no room for such a row: what is off by less than the last digit
  // that a float is sure of is noise.
  const before = whole.replace(/^[-0]+/, '').length;
  if (before < largeDigits || before >= floatDigits - moneyPlaces || digits === floatDigits)
    return null;
  const given = `${whole}.${fraction}`;
  const meant = round(given, moneyPlaces);
  return compare(absolute(subtract(given, meant)), unit(floatDigits - before)) < 0
    ? meant.replace(/\.?0+$/, '')
    : null;
}
/**
 * Ten million, from which on a float has seven decimals or fewer; no currency is kept in more than
 * three.
 */
const largeDigits = 8;
const moneyPlaces = 3;
