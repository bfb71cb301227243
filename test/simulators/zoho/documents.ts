import { type Computed, compute, type Tax } from './arithmetic.ts';

export type Contact = { contact_id: string; contact_name: string; mobile: string; email: string; cf_custtin?: string };
export type Item = { item_id: string; name: string; rate: number; unit: string; product_type: 'goods' | 'service' };

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

export type LineAsk = { item?: Item; name?: string; quantity: number; rate?: number; tax: Tax | null; discount?: string | number; header?: string };

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
  customFields?: Record<string, string>;
  location?: string;
  type?: 'invoice' | 'debit_note';
  invoice?: { invoice_id: string; invoice_number: string; total: number };
  reference?: string;
};

export type Stored = { [key: string]: unknown };

/** A document in the shape Zoho really sends: money as numbers, ids as text, blanks as `""`, header rows among the lines. */
export function makeDocument(organization: Organization, module: 'invoices' | 'creditnotes', ask: DocumentAsk): Stored {
  const precision = ask.currency?.precision ?? organization.price_precision;
  const priced = ask.lines.filter((line) => line.header === undefined);
  const computed = compute({
    precision,
    isInclusive: ask.isInclusive ?? false,
    lines: priced.map((line) => ({ quantity: line.quantity, rate: line.rate ?? line.item?.rate ?? 0, tax: line.tax, discount: line.discount })),
    discount: ask.discount,
    isDiscountBeforeTax: ask.isDiscountBeforeTax ?? true,
    shipping: ask.shipping,
    adjustment: ask.adjustment,
    rounds: ask.rounds,
    taxRounding: ask.taxRounding ?? 'item_level',
  });
  const money = (units: bigint) => Number(units) / 10 ** precision;
  const rate = ask.currency?.rate ?? 1;
  const base = (units: bigint) =>
    Math.round((Number(units) / 10 ** precision) * rate * 10 ** organization.price_precision) / 10 ** organization.price_precision;
  const total = money(computed.total);
  const isOpen = ['sent', 'overdue', 'open', 'unpaid'].includes(ask.status);
  const stamp = `${ask.date}T09:30:00+0200`;
  const own = module === 'invoices' ? 'invoice' : 'creditnote';
  return {
    [`${own}_id`]: ask.id,
    [`${own}_number`]: ask.number,
    ...(module === 'invoices' ? { type: ask.type ?? 'invoice', due_date: ask.date, payment_terms: 0, payment_terms_label: 'Due on Receipt' } : {}),
    reference_number: ask.reference ?? '',
    date: ask.date,
    status: ask.status,
    created_time: stamp,
    last_modified_time: stamp,
    customer_id: ask.contact.contact_id,
    customer_name: ask.contact.contact_name,
    email: ask.contact.email,
    contact_persons: [],
    contact_persons_associated: [],
    location_id: ask.location ?? '',
    location_name: organization.locations.find((each) => each.location_id === ask.location)?.location_name ?? '',
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
    taxes: computed.taxes.map(({ tax, amount }) => ({ tax_id: tax.tax_id, tax_name: `${tax.tax_name} (${tax.tax_percentage}%)`, tax_amount: money(amount) })),
    shipping_charge: money(computed.shipping.net),
    shipping_charge_exclusive_of_tax: money(computed.shipping.net),
    shipping_charge_inclusive_of_tax: money(computed.shipping.net + computed.shipping.tax),
    shipping_charge_tax_id: ask.shipping?.tax?.tax_id ?? '',
    shipping_charge_tax_name: ask.shipping?.tax?.tax_name ?? '',
    shipping_charge_tax_percentage: ask.shipping?.tax?.tax_percentage ?? '',
    shipping_charge_tax: ask.shipping?.tax ? money(computed.shipping.tax) : '',
    adjustment: money(computed.adjustment),
    adjustment_description: computed.adjustment === 0n ? '' : 'Adjustment',
    roundoff_value: money(computed.roundoff),
    total,
    bcy_total: base(computed.total),
    bcy_sub_total: base(computed.subTotal),
    payment_made: ask.paid ? total : 0,
    credits_applied: 0,
    balance: ask.paid ? 0 : isOpen || ask.status === 'draft' || ask.status === 'void' ? total : 0,
    salesperson_id: '',
    salesperson_name: '',
    notes: '',
    terms: '',
    is_emailed: false,
    [`${own}_url`]: '',
    custom_fields: Object.entries(ask.customFields ?? {}).map(([api_name, value], index) => ({
      customfield_id: `${ask.id.slice(0, 12)}${index}`,
      index: index + 1,
      label: api_name,
      api_name,
      value,
      value_formatted: value,
      data_type: 'string',
    })),
    custom_field_hash: Object.fromEntries(
      Object.entries(ask.customFields ?? {}).flatMap(([name, value]) => [
        [name, value],
        [`${name}_unformatted`, value],
      ]),
    ),
    customer_custom_field_hash: ask.contact.cf_custtin ? { cf_custtin: ask.contact.cf_custtin, cf_custtin_unformatted: ask.contact.cf_custtin } : {},
    billing_address: { address: 'KG 11 Ave', city: 'Kigali', country: 'Rwanda', state: '', zip: '', fax: '', phone: '' },
    documents: [],
    ...(module === 'creditnotes'
      ? {
          invoices: ask.invoice ? [{ invoice_id: ask.invoice.invoice_id, invoice_number: ask.invoice.invoice_number, amount: total }] : [],
          invoices_credited: [],
          invoice_id: ask.invoice?.invoice_id ?? '',
          invoice_number: ask.invoice?.invoice_number ?? '',
        }
      : {}),
  };
}

function lineItems(ask: DocumentAsk, computed: Computed, money: (units: bigint) => number): Stored[] {
  let priced = 0;
  return ask.lines.map((line, order) => {
    const line_item_id = `${ask.id.slice(0, 11)}${String(7000 + order).padStart(6, '0')}`;
    if (line.header !== undefined)
      return { line_item_id, line_item_category: 'header', header_id: line_item_id, header_name: line.header, item_order: order + 1, name: '', item_id: '' };
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
      line_item_taxes: is.taxes
        .filter(({ tax }) => tax.tax_percentage > 0)
        .map(({ tax, amount }) => ({ tax_id: tax.tax_id, tax_name: `${tax.tax_name} (${tax.tax_percentage}%)`, tax_amount: money(amount) })),
      line_item_category: '',
      header_id: '',
      header_name: '',
      tags: [],
      item_custom_fields: [],
    };
  });
}
