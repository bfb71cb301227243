import {
  absolute,
  add,
  compare,
  divide,
  isZero,
  multiply,
  round,
  subtract,
} from '@muhuri/shared/money';
import { cut, purchaseCode, taxpayerNumber } from '@muhuri/shared/text';
import { AppError } from '../platform/app-error.ts';
import type { BooksDocument, BooksLine, Unread } from '../model/books-document.model.ts';
import type { Json } from './parse-json.ts';
import { dayIn, madeAt, readTime } from './zoho-time.ts';
import {
  amount,
  amountIn,
  amountOrNone,
  amountThere,
  custom,
  type Fields,
  isGiven,
  list,
  percentage,
  percentIn,
  percentOf,
  rowsOf,
  text,
  unreadable,
  word,
} from './json-fields.ts';
import { percentOfAll, readLine, taxAmounts, taxKindOf } from './read-line.ts';
import { correctedInvoices } from './corrected-invoices.ts';

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
  const [idKey, numberKey] =
    module === 'invoices'
      ? ['invoice_id', 'invoice_number']
      : ['creditnote_id', 'creditnote_number'];
  const own = text(raw[idKey]);
  if (own !== id) throw new AppError('books_mismatch', {}, `asked for ${id}, got ${own}`);
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
    number: text(raw[numberKey]),
    ...kindOf(module, word(raw.type)),
    status: word(raw.status),
    createdAt: madeAt(text(raw.created_time), around.aheadMs ?? 0),
    modifiedAt: modifiedAtOf(raw),
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
    exchangeRate: exchangeRateOf(module, raw),
    places,
    isTaxInclusive: isSaid(raw, 'is_inclusive_tax', false),
    isReverseCharge: isReverseCharge(raw),
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

/** Only its sale's rate is used for a credit note: nothing depends on how its own is spelled. */
const exchangeRateOf = (module: BooksDocument['module'], raw: Fields): string =>
  module === 'creditnotes' ? (amountIn(raw.exchange_rate) ?? '0') : amount(raw, 'exchange_rate');

const isReverseCharge = (raw: Fields): boolean =>
  isSaid(raw, 'is_reverse_charge_applied', false) ||
  !isZero(amountIn(raw.reverse_charge_tax_total) ?? '0');

const modifiedAtOf = (raw: Fields): Date | null => {
  const given = text(raw.last_modified_time);
  return given ? readTime(given) : null;
};

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

/**
 * Shipping as Zoho sends it: its tax stands in fields of its own, in a list like a line's, or only
 * in what the charge comes to with and without it; the charge itself with the tax inside on a
 * tax-inclusive document, unless the net is named.
 */
function shippingOf(raw: Fields, places: number): BooksDocument['shipping'] {
  const charge = amount(raw, 'shipping_charge');
  const without = amountOrNone(raw, 'shipping_charge_exclusive_of_tax');
  const base = without ?? charge;
  const { taxId, taxName, percent, taxPercent, said } = taxOfShipping(raw, without);
  if (isZero(base)) return { net: base, tax: said ?? '0', taxId, taxPercent: percent, taxName };
  const isGross = without === null && isSaid(raw, 'is_inclusive_tax', false);
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

/** The tax of shipping: which, at what percentage, and what Zoho says it comes to, if it does. */
function taxOfShipping(raw: Fields, without: string | null) {
  const percent = isGiven(raw.shipping_charge_tax_percentage)
    ? percentage(raw, 'shipping_charge_tax_percentage')
    : null;
  const taxes = list(raw.shipping_charge_taxes);
  const [only] = taxes;
  const idInList = taxes.length === 1 ? text(only?.tax_id) : '';
  const taxName = text(raw.shipping_charge_tax_name) || text(only?.tax_name);
  return {
    taxId: text(raw.shipping_charge_tax_id) || idInList || null,
    taxName,
    percent,
    taxPercent: percent ?? percentOfAll(taxes) ?? percentIn(taxName),
    said: saidOfShippingTax(raw, without, taxes.length > 0),
  };
}

/** Of the amounts that Zoho gives for the tax the first that is not zero, else the first. */
function saidOfShippingTax(raw: Fields, without: string | null, isListed: boolean): string | null {
  const inside = amountOrNone(raw, 'shipping_charge_inclusive_of_tax');
  const difference = without !== null && inside !== null ? subtract(inside, without) : null;
  const listed = isListed
    ? add('0', ...taxAmounts(raw, 'shipping_charge_taxes').map((tax) => tax.amount))
    : null;
  const told = [amountOrNone(raw, 'shipping_charge_tax'), listed, difference].filter(
    (each) => each !== null,
  );
  return told.find((each) => !isZero(each)) ?? told[0] ?? null;
}

function entityDiscount(raw: Fields, places: number): string {
  const money = amountOrNone(raw, 'discount_total') ?? amountOrNone(raw, 'discount_amount');
  if (money !== null) return money;
  const percent = percentOf(raw);
  return percent === null
    ? amount(raw, 'discount')
    : round(divide(multiply(amount(raw, 'sub_total'), percent), '100'), places);
}

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
