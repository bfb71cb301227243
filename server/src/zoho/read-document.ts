import { add, divide, isAmount, multiply, round } from '@muhuri/shared/money';
import { clean, code, cut, taxpayerNumber } from '@muhuri/shared/text';
import { AppError } from '../platform/app-error.ts';
import type { BooksDocument, BooksLine } from '../receipts/document.model.ts';
import type { Json } from './parse-json.ts';
import { isDay, readTime } from './zoho-time.ts';

type Fields = { [key: string]: Json };

export type Around = {
  baseCurrency: string;
  customFields: { buyer_tin: string; purchase_code: string };
  mobile: string | null;
  paymentModes: string[];
  appliedTo: string[];
};

/** Zoho's invoice or credit note in our words (zoho-books-api: objects, rounding, deriving the fiscal line). */
export function readDocument(module: BooksDocument['module'], id: string, raw: Fields, around: Around): BooksDocument {
  const own = text(raw[module === 'invoices' ? 'invoice_id' : 'creditnote_id']);
  if (own !== id) throw new AppError('zoho_mismatch', {}, `asked for ${id}, got ${own}`);
  if (!isDay(text(raw.date))) throw new AppError('document_unreadable', { field: 'date' });
  const places = Number(text(raw.price_precision) || '2');
  const isEntityDiscount = text(raw.discount_type) === 'entity_level';
  const shippingTax = amount(raw.shipping_charge_tax);
  return {
    module,
    id,
    number: text(raw[module === 'invoices' ? 'invoice_number' : 'creditnote_number']),
    kind: module === 'creditnotes' ? 'credit_note' : text(raw.type) === 'debit_note' ? 'debit_note' : 'invoice',
    status: text(raw.status),
    createdAt: text(raw.created_time) ? readTime(text(raw.created_time)) : null,
    modifiedAt: text(raw.last_modified_time) ? readTime(text(raw.last_modified_time)) : null,
    date: text(raw.date),
    customer: { id: text(raw.customer_id), name: text(raw.customer_name) },
    buyer: {
      taxpayerId: machineForm(taxpayerNumber, custom(raw, around.customFields.buyer_tin)),
      purchaseCode: machineForm(code, custom(raw, around.customFields.purchase_code)),
      mobile: around.mobile,
    },
    locationId: text(raw.location_id) || text(raw.branch_id) || null,
    currency: text(raw.currency_code),
    baseCurrency: around.baseCurrency,
    exchangeRate: amount(raw.exchange_rate),
    places,
    isTaxInclusive: raw.is_inclusive_tax === true,
    lines: list(raw.line_items)
      .filter((line) => text(line.line_item_category) !== 'header')
      .map((line) => readLine(line, places)),
    discount: { amount: isEntityDiscount ? entityDiscount(raw, places) : '0', isBeforeTax: raw.is_discount_before_tax !== false },
    shipping: {
      net: text(raw.shipping_charge_exclusive_of_tax) === '' ? amount(raw.shipping_charge) : amount(raw.shipping_charge_exclusive_of_tax),
      tax: shippingTax,
      taxId: text(raw.shipping_charge_tax_id) || null,
      taxPercent: isAmount(text(raw.shipping_charge_tax_percentage)) ? text(raw.shipping_charge_tax_percentage) : null,
    },
    adjustment: amount(raw.adjustment),
    roundOff: amount(raw.roundoff_value),
    subTotal: amount(raw.sub_total),
    taxTotal: amount(raw.tax_total),
    total: amount(raw.total),
    baseTotal: isAmount(text(raw.bcy_total)) ? text(raw.bcy_total) : null,
    balance: amount(raw.balance),
    paymentModes: around.paymentModes,
    corrects: { invoiceIds: correctedInvoices(raw, around.appliedTo), reference: text(raw.reference_number) || null },
  };
}

function readLine(line: Fields, places: number): BooksLine {
  const taxId = text(line.tax_id);
  const taxes = list(line.line_item_taxes);
  const percent = amount(line.tax_percentage);
  const kind = text(line.tax_type);
  return {
    id: text(line.line_item_id),
    itemId: text(line.item_id) || null,
    name: text(line.name) || text(line.description) || '-',
    quantity: amount(line.quantity),
    rate: amount(line.rate),
    net: amount(line.item_total),
    discount: lineDiscount(line, places),
    tax: taxId
      ? {
          id: taxId,
          name: text(line.tax_name),
          percent,
          kind: kind === 'compound_tax' || kind === 'tax_group' ? kind : 'tax',
          amount: taxes.length > 0 ? add('0', ...taxes.map((tax) => amount(tax.tax_amount))) : null,
        }
      : null,
  };
}

const machineForm = (form: (text: string) => string, value: string | null): string | null => (value && form(value)) || null;

/** Text `"10%"` is a share, a number an amount. */
function lineDiscount(line: Fields, places: number): string {
  if (isAmount(text(line.discount_amount))) return text(line.discount_amount);
  const given = text(line.discount);
  if (!given.endsWith('%')) return amount(line.discount);
  return round(divide(multiply(multiply(amount(line.rate), amount(line.quantity)), given.slice(0, -1)), '100'), places);
}

function entityDiscount(raw: Fields, places: number): string {
  for (const key of ['discount_total', 'discount_amount']) if (isAmount(text(raw[key]))) return text(raw[key]);
  const given = text(raw.discount);
  return given.endsWith('%') ? round(divide(multiply(amount(raw.sub_total), given.slice(0, -1)), '100'), places) : amount(raw.discount);
}

/** The invoices a credit note corrects, by the first source that names any; several stay several, for a person to choose. */
function correctedInvoices(raw: Fields, appliedTo: string[]): string[] {
  const ids = (values: string[]) => [...new Set(values.filter((value) => value !== ''))];
  const sources = [
    ids(list(raw.line_items).map((line) => text(line.invoice_id))),
    ids([text(raw.invoice_id)]),
    ids([...list(raw.invoices), ...list(raw.invoices_credited)].map((each) => text(each.invoice_id))),
    ids(appliedTo),
  ];
  return sources.find((found) => found.length > 0) ?? [];
}

/**
 * A custom field's value as a machine means it: the value itself, then what Zoho calls unformatted, and only then the text made for eyes, which a
 * field of numbers writes with groups and decimals. The contact's own is the fallback; a field without a value is left out by Zoho.
 */
function custom(raw: Fields, name: string): string | null {
  for (const [fields, hash] of [
    ['custom_fields', 'custom_field_hash'],
    ['customer_custom_fields', 'customer_custom_field_hash'],
  ] as const) {
    const row = list(raw[fields]).find((each) => text(each.api_name) === name);
    const flat = (raw[hash] ?? {}) as Fields;
    const value = text(row?.value) || text(flat[`${name}_unformatted`]) || text(flat[name]);
    if (value) return value;
  }
  return null;
}

/**
 * The door: whatever of Zoho's becomes ours goes through here, on one line and well-formed. Blanks come as `""`, `" "`, null or not at all. What is
 * only given back to Zoho, a line of a credit note, is not read by this and stays to the byte what it was.
 */
export const text = (value: Json | undefined): string => (typeof value === 'string' ? clean(value).trim() : '');
export const list = (value: Json | undefined): Fields[] =>
  Array.isArray(value) ? value.filter((each): each is Fields => typeof each === 'object' && each !== null && !Array.isArray(each)) : [];
/** Nothing is nought; what is there and is no number is never taken for nought. */
function amount(value: Json | undefined): string {
  const given = text(value);
  if (given === '') return '0';
  if (!isAmount(given)) throw new AppError('document_unreadable', { field: 'amount', value: cut(given, 40) });
  return given;
}
