import { type Computed, compute, divide, micro, type Tax } from './arithmetic.ts';

/** `persons`: people of the customer who may be named on a document. */
export type Contact = {
  contact_id: string;
  contact_name: string;
  mobile: string;
  email: string;
  cf_custtin?: FieldValue;
  persons?: { name: string; mobile?: string; phone?: string }[];
};

/**
 * What stands in a custom field: text, or a number in a field of numbers or decimals, which is
 * shown with groups and decimals.
 */
export type FieldValue = string | { type: 'number' | 'decimal'; value: number };
export type Item = {
  item_id: string;
  name: string;
  rate: number;
  unit: string;
  product_type: 'goods' | 'service';
};

export type Organization = {
  organization_id: string;
  name: string;
  currency_code: string;
  price_precision: number;
  time_zone: string;
  taxes: Tax[];
  contacts: Contact[];
  items: Item[];
  locations: { location_id: string; location_name: string }[];
};

export type LineAsk = {
  item?: Item;
  name?: string;
  quantity: number;
  rate?: number;
  tax: Tax | null;
  discount?: string | number;
  header?: string;
  /** A kit: one line with one price, and what is in it beside. */
  kit?: { name: string; quantity: number }[];
};

export type DocumentAsk = {
  id: string;
  number: string;
  contact: Contact;
  date: string;
  status: string;
  lines: LineAsk[];
  isInclusive?: boolean;
  discount?: string | number;
  isDiscountBeforeTax?: boolean;
  shipping?: { charge: number; tax: Tax | null };
  adjustment?: number;
  rounds?: boolean;
  taxRounding?: 'item_level' | 'entity_level';
  currency?: { code: string; rate: number; precision: number };
  paid?: { mode: string };
  customFields?: Record<string, FieldValue>;
  /**
   * Where a shipping charge's tax stands: in keys of its own, or in a list of taxes and nowhere
   * else.
   */
  shippingShape?: 'keys' | 'list';
  /**
   * Taxes of the whole document with ids and percentages, as some answers have them; a live capture
   * had neither.
   */
  namesTaxes?: boolean;
  /** The taxes of each line are left out, as a live capture of a discounted document showed. */
  hidesLineTaxes?: boolean;
  /** Who of the customer's people is named on it. */
  person?: number;
  /** A retainer applied to it. */
  retainer?: number;
  location?: string;
  type?: 'invoice' | 'debit_note';
  invoice?: { invoice_id: string; invoice_number: string; total: number };
  reference?: string;
};

export type Stored = { [key: string]: unknown };

/**
 * A document in the shape Zoho really sends: money as numbers, ids as text, blanks as `""`, header
 * rows among the lines.
 */
export function makeDocument(
  organization: Organization,
  module: 'invoices' | 'creditnotes',
  ask: DocumentAsk,
): Stored {
  const precision = ask.currency?.precision ?? organization.price_precision;
  const priced = ask.lines.filter((line) => line.header === undefined);
  const computed = compute({
    precision,
    isInclusive: ask.isInclusive ?? false,
    lines: priced.map((line) => ({
      quantity: line.quantity,
      rate: line.rate ?? line.item?.rate ?? 0,
      tax: line.tax,
      discount: line.discount,
    })),
    discount: ask.discount,
    isDiscountBeforeTax: ask.isDiscountBeforeTax ?? true,
    shipping: ask.shipping,
    adjustment: ask.adjustment,
    rounds: ask.rounds,
    taxRounding: ask.taxRounding ?? 'item_level',
  });
  const money = (units: bigint) => Number(units) / 10 ** precision;
  const rate = ask.currency?.rate ?? 1;
  const basePrecision = organization.price_precision;
  // Exactly, and rounded once to the base currency's own precision.
  const base = (units: bigint) =>
    Number(
      divide(
        units * micro(rate) * 10n ** BigInt(basePrecision),
        1_000_000n * 10n ** BigInt(precision),
      ),
    ) /
    10 ** basePrecision;
  const total = money(computed.total);
  const person = ask.person === undefined ? undefined : ask.contact.persons?.[ask.person];
  const fields = Object.entries(ask.customFields ?? {}).map(([api_name, value]) => ({
    api_name,
    ...shown(value),
  }));
  const shipping = ask.shipping?.tax
    ? { tax: ask.shipping.tax, amount: money(computed.shipping.tax) }
    : null;
  const inKeys = ask.shippingShape === 'list' ? null : shipping;
  const isOpen = ['sent', 'overdue', 'open', 'unpaid'].includes(ask.status);
  // At the beginning of its day: whatever the hour is, a document of today was not made later than
  // now.
  const stamp = `${ask.date}T00:00:00+0200`;
  const own = module === 'invoices' ? 'invoice' : 'creditnote';
  return {
    [`${own}_id`]: ask.id,
    [`${own}_number`]: ask.number,
    ...(module === 'invoices'
      ? {
          type: ask.type ?? 'invoice',
          due_date: ask.date,
          payment_terms: 0,
          payment_terms_label: 'Due on Receipt',
        }
      : {}),
    reference_number: ask.reference ?? '',
    date: ask.date,
    status: ask.status,
    created_time: stamp,
    last_modified_time: stamp,
    customer_id: ask.contact.contact_id,
    customer_name: ask.contact.contact_name,
    email: ask.contact.email,
    contact_persons: [],
    contact_persons_associated: [
      {
        contact_person_id: `${ask.contact.contact_id.slice(0, -2)}9${ask.person ?? 0}`,
        contact_person_name: person?.name ?? '',
        first_name: person?.name ?? '',
        last_name: '',
        contact_person_email: ask.contact.email,
        phone: person?.phone ?? '',
        mobile: person?.mobile ?? '',
        communication_preference: { is_email_enabled: true, is_whatsapp_enabled: false },
      },
    ],
    location_id: ask.location ?? '',
    location_name:
      organization.locations.find((each) => each.location_id === ask.location)?.location_name ?? '',
    currency_id: `${organization.organization_id.slice(0, 8)}0000097`,
    currency_code: ask.currency?.code ?? organization.currency_code,
    currency_symbol: ask.currency?.code ?? organization.currency_code,
    exchange_rate: rate,
    price_precision: precision,
    discount: ask.discount ?? 0,
    discount_type: ask.discount === undefined ? 'item_level' : 'entity_level',
    is_discount_before_tax: ask.isDiscountBeforeTax ?? true,
    is_inclusive_tax: ask.isInclusive ?? false,
    tax_rounding: ask.taxRounding ?? 'item_level',
    rounding_mode: 'round_half_up',
    transaction_rounding_type: ask.rounds ? 'join_with_total' : 'no_rounding',
    line_items: lineItems(ask, computed, money),
    sub_total: money(computed.subTotal),
    sub_total_inclusive_of_tax: 0,
    discount_total: money(computed.discountTotal),
    tax_total: money(computed.taxTotal),
    taxes: computed.taxes.map(({ tax, amount }) => ({
      ...(ask.namesTaxes ? { tax_id: tax.tax_id, tax_percentage: tax.tax_percentage } : {}),
      tax_name: `${tax.tax_name} (${tax.tax_percentage}%)`,
      tax_amount: money(amount),
      tax_amount_formatted: formatted(money(amount), precision),
    })),
    reverse_charge_tax_total: 0,
    is_reverse_charge_applied: false,
    shipping_charge: money(computed.shipping.net),
    ...(ask.shippingShape === 'list'
      ? {}
      : {
          shipping_charge_exclusive_of_tax: money(computed.shipping.net),
          shipping_charge_inclusive_of_tax: money(computed.shipping.net + computed.shipping.tax),
        }),
    shipping_charge_tax_id: inKeys?.tax.tax_id ?? '',
    shipping_charge_tax_name: inKeys?.tax.tax_name ?? '',
    shipping_charge_tax_type: inKeys?.tax.tax_type ?? '',
    shipping_charge_tax_percentage: inKeys?.tax.tax_percentage ?? '',
    shipping_charge_tax: inKeys?.amount ?? '',
    shipping_charge_taxes: shipping
      ? [
          {
            tax_id: shipping.tax.tax_id,
            tax_name: shipping.tax.tax_name,
            tax_percentage: shipping.tax.tax_percentage,
            tax_amount: shipping.amount,
          },
        ]
      : [],
    adjustment: money(computed.adjustment),
    adjustment_description: computed.adjustment === 0n ? '' : 'Adjustment',
    roundoff_value: money(computed.roundoff),
    total,
    bcy_total: base(computed.total),
    bcy_sub_total: base(computed.subTotal),
    bcy_discount_total: base(computed.discountTotal),
    bcy_tax_total: base(computed.taxTotal),
    bcy_adjustment: base(computed.adjustment),
    bcy_shipping_charge: base(computed.shipping.net),
    total_formatted: `${ask.currency?.code ?? organization.currency_code}${formatted(total, precision)}`,
    payment_made: ask.paid ? total : 0,
    credits_applied: ask.retainer ?? 0,
    balance: ask.paid
      ? 0
      : ask.retainer !== undefined
        ? money(computed.total - divide(micro(ask.retainer) * 10n ** BigInt(precision), 1_000_000n))
        : isOpen || ask.status === 'draft' || ask.status === 'void'
          ? total
          : 0,
    salesperson_id: '',
    salesperson_name: '',
    notes: '',
    terms: '',
    is_emailed: false,
    [`${own}_url`]: '',
    custom_fields: fields.map(({ api_name, value, text, data_type }, index) => ({
      field_id: `${ask.id.slice(0, 12)}${index}`,
      customfield_id: `${ask.id.slice(0, 12)}${index}`,
      index: index + 1,
      label: api_name,
      api_name,
      value,
      value_formatted: text,
      data_type,
      is_active: true,
    })),
    custom_field_hash: Object.fromEntries(fields.flatMap((each) => flat(each.api_name, each))),
    customer_custom_field_hash: ask.contact.cf_custtin
      ? Object.fromEntries(flat('cf_custtin', shown(ask.contact.cf_custtin)))
      : {},
    billing_address: {
      address: 'KG 11 Ave',
      city: 'Kigali',
      country: 'Rwanda',
      state: '',
      zip: '',
      fax: '',
      phone: '',
    },
    documents: [],
    ...(module === 'creditnotes'
      ? {
          invoices: ask.invoice
            ? [
                {
                  invoice_id: ask.invoice.invoice_id,
                  invoice_number: ask.invoice.invoice_number,
                  amount: total,
                },
              ]
            : [],
          invoices_credited: [],
          invoice_id: ask.invoice?.invoice_id ?? '',
          invoice_number: ask.invoice?.invoice_number ?? '',
        }
      : {}),
  };
}

/** A number as Zoho shows it to people. */
const formatted = (value: number, decimals: number): string =>
  new Intl.NumberFormat('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(value);

/** A field's value, and the text that is shown of it. */
export const shown = (given: FieldValue) =>
  typeof given === 'string'
    ? { value: given, text: given, data_type: 'string' }
    : {
        value: given.value,
        text: formatted(given.value, given.type === 'decimal' ? 2 : 0),
        data_type: given.type,
      };

/** The same beside the document: under its own name the text for eyes. */
const flat = (name: string, { value, text }: ReturnType<typeof shown>): [string, unknown][] => [
  [name, text],
  [`${name}_formatted`, text],
  [`${name}_unformatted`, value],
];

function lineItems(
  ask: DocumentAsk,
  computed: Computed,
  money: (units: bigint) => number,
): Stored[] {
  let priced = 0;
  return ask.lines.map((line, order) => {
    const line_item_id = `${ask.id.slice(0, 11)}${String(7000 + order).padStart(6, '0')}`;
    if (line.header !== undefined)
      return {
        line_item_id,
        line_item_category: 'header',
        header_id: line_item_id,
        header_name: line.header,
        item_order: order + 1,
        name: '',
        item_id: '',
      };
    const is = computed.lines[priced++] as Computed['lines'][number];
    return {
      line_item_id,
      item_id: line.item?.item_id ?? '',
      item_order: order + 1,
      product_type: line.item?.product_type ?? 'goods',
      name: line.name ?? line.item?.name ?? '',
      description: line.item ? '' : (line.name ?? ''),
      rate: line.rate ?? line.item?.rate ?? 0,
      quantity: line.quantity,
      unit: line.item?.unit ?? '',
      discount: line.discount ?? 0,
      discount_amount: money(is.discount),
      tax_id: line.tax?.tax_id ?? '',
      tax_name: line.tax?.tax_name ?? '',
      tax_type: line.tax?.tax_type ?? '',
      tax_percentage: line.tax?.tax_percentage ?? '',
      item_total: money(is.itemTotal),
      // A zero-rated line carries no line taxes (seen live).
      line_item_taxes: (ask.hidesLineTaxes ? [] : is.taxes)
        .filter(({ tax }) => tax.tax_percentage > 0)
        .map(({ tax, amount }) => ({
          tax_id: tax.tax_id,
          tax_name: `${tax.tax_name} (${tax.tax_percentage}%)`,
          tax_amount: money(amount),
        })),
      line_item_category: 'line_item',
      ...(line.kit
        ? {
            is_combo_product: true,
            mapped_items: line.kit.map((part, i) => ({ ...part, item_order: i + 1, unit: 'pcs' })),
          }
        : {}),
      header_id: '',
      header_name: '',
      tags: [],
      item_custom_fields: [],
    };
  });
}
