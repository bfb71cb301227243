import {
  absolute,
  add,
  compare,
  divide,
  isAmount,
  isZero,
  multiply,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import { clean, cut, isPlaceholder, purchaseCode, taxpayerNumber } from '@muhuri/shared/text';
import { AppError } from '../platform/app-error.ts';
import type {
  BooksDocument,
  BooksLine,
  LineTax,
  TaxAmount,
  Unread,
} from '../model/books-document.model.ts';
import { type Json, plain } from './parse-json.ts';
import { dayIn, madeAt, readTime } from './zoho-time.ts';

type Fields = { [key: string]: Json };

export type Around = {
  /** By how much Zoho's clock is ahead of ours. */
  aheadMs?: number | undefined;
  baseCurrency: string;
  /** Decimals of the base currency; two where the organization does not say. */
  basePlaces?: number;
  customFields: { buyer_tin: string; purchase_code: string };
  mobile: string | null;
  paymentModes: string[];
  appliedTo: string[];
  /** What Zoho failed to give beside the document. */
  unread?: Unread[];
};

/**
 * Zoho's invoice or credit note in our words (zoho-books-api: objects, rounding, deriving the
 * fiscal line).
 */
export function readDocument(
  module: BooksDocument['module'],
  id: string,
  raw: Fields,
  around: Around,
): BooksDocument {
  const own = text(raw[module === 'invoices' ? 'invoice_id' : 'creditnote_id']);
  if (own !== id) throw new AppError('zoho_mismatch', {}, `asked for ${id}, got ${own}`);
  const date = dayIn(text(raw.date));
  if (date === null) throw unreadable('date', raw.date);
  const places = precisionOf(raw);
  if (!Array.isArray(raw.line_items)) throw unreadable('line_items', raw.line_items);
  const rows = rowsOf(raw, 'line_items');
  const isEntityDiscount = isOfDocument(raw);
  const discount = isEntityDiscount ? entityDiscount(raw, places) : '0';
  const lines = rows
    .filter((line) => text(line.line_item_category) !== 'header')
    .map((line, index) => readLine(line, places, `line_items[${index}].`, raw));
  return {
    module,
    id,
    number: text(raw[module === 'invoices' ? 'invoice_number' : 'creditnote_number']),
    ...kindOf(module, word(raw.type)),
    status: word(raw.status),
    createdAt: madeAt(text(raw.created_time), around.aheadMs ?? 0),
    modifiedAt: text(raw.last_modified_time) ? readTime(text(raw.last_modified_time)) : null,
    date,
    customer: { id: text(raw.customer_id), name: text(raw.customer_name) },
    buyer: {
      taxpayerId: custom(raw, around.customFields.buyer_tin, taxpayerNumber),
      purchaseCode: custom(raw, around.customFields.purchase_code, purchaseCode),
      mobile: around.mobile,
    },
    locationId: text(raw.location_id) || text(raw.branch_id) || null,
    currency: currencyOf(raw),
    baseCurrency: around.baseCurrency,
    basePlaces: around.basePlaces ?? 2,
    // Only its sale's is used for a credit note: nothing depends on how its own is spelled.
    exchangeRate:
      module === 'creditnotes'
        ? (amountIn(raw.exchange_rate) ?? '0')
        : amount(raw, 'exchange_rate'),
    places,
    isTaxInclusive: isSaid(raw, 'is_inclusive_tax', false),
    isReverseCharge:
      isSaid(raw, 'is_reverse_charge_applied', false) ||
      !isZero(amountIn(raw.reverse_charge_tax_total) ?? '0'),
    lines: isEntityDiscount ? sharesApart(lines, discount) : lines,
    discount: { amount: discount, isBeforeTax: isSaid(raw, 'is_discount_before_tax', true) },
    shipping: shippingOf(raw, places),
    adjustment: amount(raw, 'adjustment'),
    roundOff: amount(raw, 'roundoff_value'),
    subTotal: amount(raw, 'sub_total'),
    taxTotal: amount(raw, 'tax_total'),
    taxes: taxAmounts(raw, 'taxes'),
    total: amountThere(raw, 'total'),
    baseTotal: amountIn(raw.bcy_total),
    ...withheldOn(raw, rows),
    balance: amount(raw, 'balance'),
    paymentModes: around.paymentModes,
    ...(around.unread && around.unread.length > 0 ? { unread: around.unread.toSorted() } : {}),
    corrects: {
      ...correctedInvoices(raw, around.appliedTo),
      reference: text(raw.reference_number) || null,
    },
  };
}

function readLine(line: Fields, places: number, at: string, raw: Fields): BooksLine {
  const taxId = text(line.tax_id);
  const taxes = taxAmounts(line, 'line_item_taxes', at);
  const percent = taxId ? percentOfLine(line, taxes, at) : '0';
  const exemption = taxId
    ? ''
    : [line, raw]
        .map((from) => text(from.tax_exemption_code) || text(from.tax_exemption_id))
        .find(Boolean);
  const [quantity, rate] = [amount(line, 'quantity', at), amount(line, 'rate', at)];
  return {
    id: text(line.line_item_id),
    itemId: text(line.item_id) || null,
    name: text(line.name) || text(line.description) || '-',
    quantity,
    rate,
    // A row that only says something need not come to anything.
    net:
      isZero(quantity) && isZero(rate)
        ? amount(line, 'item_total', at)
        : amountThere(line, 'item_total', at),
    discount: lineDiscount(line, places, at),
    tax: taxId
      ? {
          id: taxId,
          name: text(line.tax_name),
          percent,
          ...taxKindOf(word(line.tax_type)),
          amount: taxes.length > 0 ? add('0', ...taxes.map((tax) => tax.amount)) : null,
          parts: taxes,
        }
      : null,
    ...(isLeftToBuyer(line, percent) ? { isReverseCharge: true as const } : {}),
    ...(exemption ? { exemption } : {}),
  };
}

/**
 * A line names the tax that the buyer pays himself also where it could be, and is not: then another
 * one is charged, and that one comes to nothing.
 */
const isLeftToBuyer = (line: Fields, percent: string): boolean =>
  !isZero(amountIn(line.reverse_charge_tax_amount) ?? '0') ||
  (!['', '0'].includes(text(line.reverse_charge_tax_id)) && isZero(percent));

/**
 * Withheld by the whole document, or line by line, or at payment: under one name or another, and
 * often under two.
 */
function withheldOn(raw: Fields, rows: Fields[]): Pick<BooksDocument, 'withheld'> {
  const all = (from: Fields[], key: string) =>
    add('0', ...from.map((each) => amountIn(each[key]) ?? '0'));
  const told = [
    amountIn(raw.tax_amount_withheld),
    amountIn(raw.tds_amount),
    all(rows, 'tds_amount'),
  ];
  const above = told.filter((each) => each !== null && compare(each, '0') > 0) as string[];
  const withheld = above.filter(
    (each, index) => above.findIndex((other) => compare(other, each) === 0) === index,
  );
  return withheld.length > 0 ? { withheld } : {};
}

/** A word out of a list of Zoho's, however it is written. */
export const word = (value: Json | undefined): string =>
  text(value).toLowerCase().replace(/[ -]+/g, '_');

/** Words of Zoho's for what is neither a sale nor its refund. */
const foreignKinds = /^(retainer|debit_?note)/;

/**
 * A retainer, and whatever else Zoho may list among invoices one day, is no sale: it is never taken
 * for the usual kind. Nothing tells of a `type` on credit notes: what may stand there is not known,
 * and must not keep every refund from being sealed, unless it says that it is something else.
 */
function kindOf(
  module: BooksDocument['module'],
  type: string,
): Pick<BooksDocument, 'kind' | 'kindInBooks'> {
  if (module === 'creditnotes')
    return foreignKinds.test(type)
      ? { kind: 'other', kindInBooks: cut(type, 40) }
      : { kind: 'credit_note' };
  if (type === '' || type === 'invoice') return { kind: 'invoice' };
  return type === 'debit_note'
    ? { kind: 'debit_note' }
    : { kind: 'other', kindInBooks: cut(type, 40) };
}

function taxKindOf(kind: string): Pick<LineTax, 'kind' | 'kindUnknown'> {
  if (kind === 'compound_tax' || kind === 'tax_group') return { kind };
  return kind === '' || kind === 'tax'
    ? { kind: 'tax' }
    : { kind: 'tax', kindUnknown: cut(kind, 40) };
}

/** Yes or no, also as words and digits; what is neither is never taken for the usual one. */
function isSaid(raw: Fields, key: string, usual: boolean): boolean {
  const value = raw[key];
  if (typeof value === 'boolean') return value;
  const given = word(value);
  if (['true', 'false', '1', '0'].includes(given)) return given === 'true' || given === '1';
  if (given === '' && (value === undefined || value === null || typeof value === 'string'))
    return usual;
  throw unreadable(key, value);
}

/**
 * Whether the discount is the whole document's, or stands on its lines; how it is given says
 * nothing where there is none.
 */
function isOfDocument(raw: Fields): boolean {
  const type = word(raw.discount_type);
  if (['', 'item_level', 'entity_level', 'no_discount'].includes(type))
    return type === 'entity_level';
  const fields = ['discount', 'discount_amount', 'discount_total'];
  const isNothing = (value: Json | undefined) => /^[0.]*\s*%?$/.test(text(value));
  if (
    [raw, ...list(raw.line_items)].every((from) => fields.every((field) => isNothing(from[field])))
  )
    return false;
  throw unreadable('discount_type', type);
}

/**
 * The rate of a line's tax; where the line does not say it, what it is made of may, and its name: a
 * tax that is charged is never taken for one of nought.
 */
function percentOfLine(line: Fields, taxes: TaxAmount[], at: string): string {
  if (isGiven(line.tax_percentage)) return percentage(line, 'tax_percentage', at);
  const known = percentOfAll(list(line.line_item_taxes)) ?? percentIn(text(line.tax_name));
  if (known === null && taxes.some((tax) => !isZero(tax.amount)))
    throw unreadable(`${at}tax_percentage`, '');
  return known ?? '0';
}

/**
 * What the taxes of a list come to in percent, each by its rate or its name; null where one of them
 * says neither.
 */
function percentOfAll(taxes: Fields[]): string | null {
  const percents = taxes.map(
    (tax) => amountIn(withoutSign(text(tax.tax_percentage))) ?? percentIn(text(tax.tax_name)),
  );
  return percents.length > 0 && percents.every((each) => each !== null)
    ? add('0', ...(percents as string[]))
    : null;
}

/**
 * Decimals a currency is kept in; what is no such number would end in arithmetic that cannot be
 * done.
 */
function precisionOf(raw: Fields): number {
  const given = text(raw.price_precision) || '2';
  if (!/^\d(\.0+)?$/.test(given)) throw unreadable('price_precision', given);
  return Number(given);
}

/**
 * Three letters; what is none would stand on receipts, and be compared with the currencies that
 * are. None at all would make it a foreign one.
 */
function currencyOf(raw: Fields): string {
  const given = text(raw.currency_code);
  if (!/^[A-Za-z]{3}$/.test(given)) throw unreadable('currency_code', given);
  return given.toUpperCase();
}

const taxAmounts = (from: Fields, key: string, at = ''): TaxAmount[] =>
  rowsOf(from, key, at).map((row, index) => ({
    id: text(row.tax_id) || null,
    name: text(row.tax_name),
    amount: amount(row, 'tax_amount', `${at}${key}[${index}].`),
  }));

/**
 * Shipping as Zoho sends it: its tax stands in fields of its own, in a list like a line's, or only
 * in what the charge comes to with and without it; the charge itself with the tax inside on a
 * tax-inclusive document, unless the net is named.
 */
function shippingOf(raw: Fields, places: number): BooksDocument['shipping'] {
  const charge = amount(raw, 'shipping_charge');
  const without = amountOrNone(raw, 'shipping_charge_exclusive_of_tax');
  const inside = amountOrNone(raw, 'shipping_charge_inclusive_of_tax');
  const percent = isGiven(raw.shipping_charge_tax_percentage)
    ? percentage(raw, 'shipping_charge_tax_percentage')
    : null;
  const taxes = list(raw.shipping_charge_taxes);
  const [only] = taxes;
  const taxId =
    text(raw.shipping_charge_tax_id) || (taxes.length === 1 ? text(only?.tax_id) : '') || null;
  const taxName = text(raw.shipping_charge_tax_name) || text(only?.tax_name);
  const taxPercent = percent ?? percentOfAll(taxes) ?? percentIn(taxName);
  const difference = without !== null && inside !== null ? subtract(inside, without) : null;
  const listed =
    taxes.length > 0
      ? add('0', ...taxAmounts(raw, 'shipping_charge_taxes').map((tax) => tax.amount))
      : null;
  const told = [amountOrNone(raw, 'shipping_charge_tax'), listed, difference].filter(
    (each) => each !== null,
  );
  const said = told.find((each) => !isZero(each)) ?? told[0] ?? null;
  if (isZero(without ?? charge))
    return { net: without ?? charge, tax: said ?? '0', taxId, taxPercent: percent, taxName };
  const isGross = without === null && isSaid(raw, 'is_inclusive_tax', false);
  const base = without ?? charge;
  const share = isGross ? add('100', taxPercent ?? '0') : '100';
  const tax =
    said ?? (taxId && taxPercent ? round(divide(multiply(base, taxPercent), share), places) : '0');
  const { kind: taxKind, kindUnknown: taxKindUnknown } = taxKindOf(
    taxId ? word(raw.shipping_charge_tax_type) : '',
  );
  return {
    net: isGross ? subtract(base, tax) : base,
    tax,
    taxId,
    taxPercent,
    taxName,
    taxKind,
    ...(taxKindUnknown ? { taxKindUnknown } : {}),
  };
}

/** `"VAT (18%)"`: where a tax is only named, its name says its rate. */
const percentIn = (name: string): string | null =>
  /\((\d+(?:\.\d+)?)\s*%\)\s*$/.exec(name)?.[1] ?? null;

/** Text `"10%"` is a share, a number an amount. */
function lineDiscount(line: Fields, places: number, at: string): string {
  const money = amountOrNone(line, 'discount_amount', at);
  if (money !== null) return money;
  const percent = percentOf(line, at);
  if (percent === null) return amount(line, 'discount', at);
  return round(
    divide(
      multiply(
        round(multiply(amount(line, 'rate', at), amount(line, 'quantity', at)), places),
        percent,
      ),
      '100',
    ),
    places,
  );
}

function entityDiscount(raw: Fields, places: number): string {
  const money = amountOrNone(raw, 'discount_total') ?? amountOrNone(raw, 'discount_amount');
  if (money !== null) return money;
  const percent = percentOf(raw);
  return percent === null
    ? amount(raw, 'discount')
    : round(divide(multiply(amount(raw, 'sub_total'), percent), '100'), places);
}

/** A discount written as a share, without its sign; null where it is money. */
function percentOf(from: Fields, at = ''): string | null {
  const given = text(from.discount);
  return given.endsWith('%') ? percentage(from, 'discount', at) : null;
}

const withoutSign = (given: string): string => given.replace(/\s*%$/, '');

/**
 * A number of percent, with its sign or without; a comma before one or two digits can part off
 * nothing but a fraction there.
 */
const percentage = (from: Fields, key: string, at = ''): string =>
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
 * Where the discounts of the lines are the whole document's, and no line costs less for its own,
 * they say how that is shared out: what it comes to is given once, beside the lines.
 */
function sharesApart(lines: BooksLine[], discount: string): BooksLine[] {
  const isWhole =
    !isZero(discount) && compare(add('0', ...lines.map((line) => line.discount)), discount) === 0;
  const isUntouched = ({ net, rate, quantity, discount: own, tax }: BooksLine) => {
    const price = multiply(rate, quantity);
    const off = (expected: string) =>
      [net, divide(multiply(net, add('100', tax?.percent ?? '0')), '100')]
        .map((each) => absolute(subtract(each, expected)))
        .sort(compare)[0] as string;
    return isZero(own) || compare(off(price), off(subtract(price, own))) < 0;
  };
  return isWhole && lines.every(isUntouched)
    ? lines.map((line) => ({ ...line, discount: '0', share: line.discount }))
    : lines;
}

/**
 * The invoices a credit note corrects, by the first source that names any; several stay several,
 * for a person to choose. What its credit is used for comes last: that is often the invoice it
 * corrects, and may be any other.
 */
const idsOf = (sources: string[][]): string[] =>
  sources.map((ids) => [...new Set(ids.filter((id) => id !== ''))]).find((ids) => ids.length > 0) ??
  [];
const correctedOn = (raw: Fields): string[] =>
  idsOf([list(raw.line_items).map((line) => text(line.invoice_id)), [text(raw.invoice_id)]]);
const creditedOn = (raw: Fields): string[] =>
  [...list(raw.invoices), ...list(raw.invoices_credited)].map((each) => text(each.invoice_id));
/** The invoices that a credit note names itself, for whatever reason. */
export const namedInvoices = (raw: Fields): string[] => idsOf([correctedOn(raw), creditedOn(raw)]);

function correctedInvoices(
  raw: Fields,
  appliedTo: string[],
): Omit<BooksDocument['corrects'], 'reference'> {
  const own = correctedOn(raw);
  if (own.length > 0) return { invoiceIds: own };
  const used = idsOf([creditedOn(raw), appliedTo]);
  return used.length > 0 ? { invoiceIds: used, isUseOfCredit: true } : { invoiceIds: [] };
}

/**
 * A custom field's value as a machine means it: the value itself, then what Zoho calls unformatted,
 * and only then the text made for eyes, which a field of numbers writes with groups and decimals.
 * The contact's own is the fallback; a field without a value is left out by Zoho, and what people
 * write where they have nothing to write is no value either.
 */
function custom(raw: Fields, name: string, form: (text: string) => string): string | null {
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
function rowsOf(from: Fields, key: string, at = ''): Fields[] {
  const value = from[key];
  if (Array.isArray(value)) {
    const odd = value.findIndex((each) => list([each]).length === 0);
    if (odd >= 0) throw unreadable(`${at}${key}[${odd}]`, value[odd]);
  } else if (isGiven(value)) throw unreadable(at + key, value);
  return list(value);
}

/** Whether anything stands in a field, whatever it is. */
const isGiven = (value: Json | undefined): boolean =>
  value === undefined || value === null || typeof value === 'string' ? text(value) !== '' : true;

const unreadable = (field: string, value: Json | undefined) =>
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
const amountOrNone = (from: Fields, key: string, at = ''): string | null =>
  isGiven(from[key]) ? amount(from, key, at) : null;

/** The same of what every document says: where nothing stands, it was not read whole. */
function amountThere(from: Fields, key: string, at = ''): string {
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
