import type { Tax } from './arithmetic.ts';
import {
  type Contact,
  type DocumentAsk,
  type Item,
  type LineAsk,
  makeDocument,
  type Organization,
  type Stored,
} from './documents.ts';

export type SeededDocument = {
  module: 'invoices' | 'creditnotes';
  id: string;
  number: string;
  what: string;
  canSeal: boolean;
};
export type Seeded = {
  organization: Organization;
  invoices: Stored[];
  creditnotes: Stored[];
  documents: SeededDocument[];
  refreshToken: string;
  clientId: string;
  clientSecret: string;
};

/**
 * Invented organizations, each under a grant of its own and with every kind of document a
 * bookkeeper meets. `today` is the newest date.
 */
export function seed(today: string, organizations = 2): Seeded[] {
  const more = Array.from({ length: organizations - 2 }, (_, i) => {
    const n = String(i + 1).padStart(3, '0');
    return build({
      prefix: `48${n}00000`,
      organizationId: `48${n}000303`,
      name: `Isoko Traders ${n}`,
      precision: 2,
      letters: `ISK${n}`,
      isInclusiveUsual: false,
      today,
    });
  });
  return [
    build({
      prefix: '4600000000',
      organizationId: '46000000101',
      name: 'Inzozi Coffee Traders',
      precision: 2,
      letters: 'INZ',
      isInclusiveUsual: false,
      today,
    }),
    build({
      prefix: '4700000000',
      organizationId: '47000000202',
      name: 'Umucyo Office Supplies',
      precision: 0,
      letters: 'UMU',
      isInclusiveUsual: true,
      today,
    }),
    ...more,
  ];
}

type About = {
  prefix: string;
  organizationId: string;
  name: string;
  precision: number;
  letters: string;
  isInclusiveUsual: boolean;
  today: string;
};

function build(about: About): Seeded {
  const id = (group: number, n: number) =>
    `${about.prefix}${String(group * 10_000 + n).padStart(9, '0')}`;
  const day = (back: number) =>
    new Date(Date.parse(`${about.today}T12:00:00Z`) - back * 86_400_000).toISOString().slice(0, 10);
  const tax = (
    n: number,
    name: string,
    percent: number,
    type: Tax['tax_type'] = 'tax',
    parts?: Tax[],
  ): Tax => ({
    tax_id: id(1, n),
    tax_name: name,
    tax_percentage: percent,
    tax_type: type,
    ...(parts ? { parts } : {}),
  });
  const vat = tax(1, 'VAT', 18);
  const zero = tax(2, 'Zero Rated', 0);
  const exempt = tax(3, 'Exempt', 0);
  const compound = tax(4, 'Levy on VAT', 5, 'compound_tax');
  const group = tax(5, 'VAT group', 18, 'tax_group', [
    tax(6, 'VAT part one', 10),
    tax(7, 'VAT part two', 8),
  ]);
  const contact = (
    n: number,
    name: string,
    mobile: string,
    tin?: Contact['cf_custtin'],
    persons?: Contact['persons'],
  ): Contact => ({
    contact_id: id(2, n),
    contact_name: name,
    mobile,
    email: `buyer${n}@example.rw`,
    ...(tin ? { cf_custtin: tin } : {}),
    ...(persons ? { persons } : {}),
  });
  const hotel = contact(1, 'Hotel Ikirezi', '0788000001');
  const school = contact(2, 'Ishuri ry’Ubumenyi Nyamirambo', '0788000002');
  const corporate = contact(3, 'Kivu Logistics Ltd', '0788000003', '101234567');
  const arabic = contact(4, 'شركة النيل للتجارة', '+250788000004');
  const abroad = contact(5, 'Bergmann Handels GmbH', '+4915200000005');
  const shy = contact(6, 'Walk-in without a number', '');
  // As customers really are entered: a TIN in a field of decimals, half an emoji cut off by an
  // import, people with numbers of their own.
  const decimals = contact(7, 'Virunga Wholesale', '', { type: 'decimal', value: 101_234_567 }, [
    { name: 'Keza', mobile: '(+250) 788 000 006' },
  ]);
  const emoji = contact(8, 'Hotel \ud83d', '0788.000.008');
  const marked = contact(9, '\ufeff\u200eAmahoro\u0000 Guest\r\nHouse\t', 'Tel: 0788 000 009');
  const item = (
    n: number,
    name: string,
    rate: number,
    unit = 'pcs',
    product_type: Item['product_type'] = 'goods',
  ): Item => ({
    item_id: id(3, n),
    name,
    rate,
    unit,
    product_type,
  });
  const coffee = item(1, 'Ikawa y’u Rwanda, roasted, 1 kg', 8500, 'kg');
  const water = item(2, 'Amazi meza 500 ml', 500, 'btl');
  const bread = item(3, 'Bread, wholegrain', 1180);
  const course = item(4, 'Barista training, half day', 45_000, 'day', 'service');
  const flour = item(5, 'Maize flour 25 kg', 21_500, 'bag');
  const export1 = item(6, 'Green coffee for export, 60 kg bag', 240_000, 'bag');
  const items = [coffee, water, bread, course, flour, export1];
  const locations = [
    { location_id: id(4, 1), location_name: 'Kigali' },
    { location_id: id(4, 2), location_name: 'Huye' },
  ];
  const organization: Organization = {
    organization_id: about.organizationId,
    name: about.name,
    currency_code: 'RWF',
    price_precision: about.precision,
    time_zone: 'Africa/Kigali',
    taxes: [vat, zero, exempt, compound, group],
    contacts: [hotel, school, corporate, arabic, abroad, shy, decimals, emoji, marked],
    items,
    locations,
  };
  const at = (locations[0] as { location_id: string }).location_id;
  const line = (of: Item, quantity: number, more: Partial<LineAsk> = {}): LineAsk => ({
    item: of,
    quantity,
    tax: vat,
    ...more,
  });
  const documents: SeededDocument[] = [];
  const invoices: Stored[] = [];
  const creditnotes: Stored[] = [];
  let count = 0;
  const add = (
    module: 'invoices' | 'creditnotes',
    what: string,
    canSeal: boolean,
    ask: Omit<DocumentAsk, 'id' | 'number' | 'date' | 'status'> & Partial<DocumentAsk>,
  ): Stored => {
    count += 1;
    const isInvoice = module === 'invoices';
    const number = isInvoice
      ? `${about.letters}-${String(1000 + count)}`
      : `CN-${about.letters}-${String(100 + count)}`;
    const full: DocumentAsk = {
      status: isInvoice ? 'sent' : 'open',
      date: day(Math.max(0, 20 - count)),
      location: at,
      ...ask,
      id: ask.id ?? id(isInvoice ? 5 : 6, count),
      number: ask.number ?? number,
    };
    const made = makeDocument(organization, module, full);
    (isInvoice ? invoices : creditnotes).push(made);
    documents.push({ module, id: full.id, number: full.number, what, canSeal });
    return made;
  };
  const usual = { isInclusive: about.isInclusiveUsual };
  const sale = (
    what: string,
    ask: Omit<DocumentAsk, 'id' | 'number' | 'date' | 'status'> & Partial<DocumentAsk>,
  ) => add('invoices', what, true, { ...usual, ...ask });
  const other = (
    what: string,
    ask: Omit<DocumentAsk, 'id' | 'number' | 'date' | 'status'> & Partial<DocumentAsk>,
  ) => add('invoices', what, false, { ...usual, ...ask });
  const refund = (
    what: string,
    canSeal: boolean,
    ask: Omit<DocumentAsk, 'id' | 'number' | 'date' | 'status'> & Partial<DocumentAsk>,
  ) => add('creditnotes', what, canSeal, { ...usual, ...ask });
  const of = (invoice: Stored) => ({
    invoice_id: invoice.invoice_id as string,
    invoice_number: invoice.invoice_number as string,
    total: invoice.total as number,
  });

  const first = sale('simple sale, unpaid', {
    contact: hotel,
    lines: [line(coffee, 3), line(water, 24)],
  });
  sale('tax-exclusive, line discounts', {
    contact: school,
    isInclusive: false,
    lines: [line(coffee, 2, { discount: '10%' }), line(bread, 12, { discount: 500 })],
  });
  sale('tax-inclusive, line discount', {
    contact: hotel,
    isInclusive: true,
    lines: [line(course, 1, { discount: '5%' }), line(water, 7, { rate: 333 })],
  });
  sale('entity discount before tax', {
    contact: hotel,
    isInclusive: false,
    discount: '7.5%',
    lines: [line(coffee, 5), line(bread, 3), line(flour, 2, { tax: exempt })],
  });
  const mixed = sale('mixed tax classes: standard, exempt, zero-rated', {
    contact: school,
    lines: [line(coffee, 1), line(flour, 2, { tax: exempt }), line(export1, 1, { tax: zero })],
  });
  sale('exempt only', { contact: school, lines: [line(flour, 4, { tax: exempt })] });
  sale('zero-rated only', { contact: abroad, lines: [line(export1, 2, { tax: zero })] });
  sale('with taxed shipping', {
    contact: hotel,
    isInclusive: false,
    shipping: { charge: 5000, tax: vat },
    lines: [line(coffee, 4)],
  });
  sale('with a positive adjustment', { contact: hotel, adjustment: 150, lines: [line(bread, 9)] });
  sale('foreign currency', {
    contact: abroad,
    isInclusive: false,
    currency: { code: 'USD', rate: 1447.25, precision: 2 },
    lines: [line(export1, 3, { rate: 165.4, tax: zero }), line(course, 1, { rate: 33.33 })],
  });
  sale('buyer with TIN and purchase code', {
    contact: corporate,
    customFields: { cf_purchase_code: 'K7T2Q9' },
    lines: [line(course, 2)],
  });
  sale('paid in mobile money', {
    contact: hotel,
    status: 'paid',
    paid: { mode: 'Mobile Money' },
    lines: [line(coffee, 1), line(water, 6)],
  });
  sale('60 lines', {
    contact: school,
    lines: Array.from({ length: 60 }, (_, i) =>
      line(items[i % 4] as Item, 1 + (i % 5), { rate: 495 + i * 37 }),
    ),
  });
  sale('very long names, Kinyarwanda', {
    contact: school,
    lines: [
      line(coffee, 1, {
        name: `Ikawa y’ubwoko bwihariye yatoranyijwe mu misozi ya Nyamasheke, ${'yumishijwe neza, ikaranzwe gato, '.repeat(6)}1 kg`,
      }),
      { header: 'Ibindi', quantity: 0, tax: null },
      line(water, 2),
    ],
  });
  sale('Arabic text', {
    contact: arabic,
    lines: [
      line(coffee, 2, { name: 'قهوة رواندية محمصة 1 كغ' }),
      line(water, 3, { name: 'ماء معدني (500 مل)' }),
    ],
  });
  sale('free-text line', {
    contact: hotel,
    lines: [
      line(coffee, 1),
      { name: 'Special roast on request', quantity: 2, rate: 3750, tax: vat },
    ],
  });
  if (about.precision === 2)
    sale('rounded total', {
      contact: hotel,
      isInclusive: false,
      rounds: true,
      lines: [line(bread, 1, { rate: 1181.31 })],
    });
  sale('tax rounded per document', {
    contact: hotel,
    isInclusive: false,
    taxRounding: 'entity_level',
    lines: [
      line(water, 1, { rate: 333 }),
      line(water, 1, { rate: 777 }),
      line(bread, 1, { rate: 1111 }),
    ],
  });
  const creditable = sale('sale, refunded whole below', {
    contact: hotel,
    lines: [line(course, 1), line(coffee, 2)],
  });
  other('buyer with TIN, purchase code still to ask', {
    contact: corporate,
    lines: [line(coffee, 10)],
  });
  other('buyer without TIN and mobile number', { contact: shy, lines: [line(bread, 2)] });
  other('paid in a mode that has no mapping', {
    contact: hotel,
    status: 'paid',
    paid: { mode: 'Barter' },
    lines: [line(bread, 4)],
  });
  other('draft', { contact: hotel, status: 'draft', lines: [line(coffee, 1)] });
  other('void', { contact: hotel, status: 'void', lines: [line(coffee, 1)] });
  other('entity discount after tax: refused', {
    contact: hotel,
    isInclusive: false,
    discount: 1000,
    isDiscountBeforeTax: false,
    lines: [line(coffee, 2)],
  });
  other('negative adjustment: refused', {
    contact: hotel,
    adjustment: -200,
    lines: [line(coffee, 2)],
  });
  other('compound tax: refused', {
    contact: hotel,
    isInclusive: false,
    lines: [line(coffee, 1, { tax: compound })],
  });
  other('tax group without a mapping', {
    contact: hotel,
    isInclusive: false,
    lines: [line(coffee, 1, { tax: group })],
  });
  other('unmapped location', {
    contact: hotel,
    location: (locations[1] as { location_id: string }).location_id,
    lines: [line(coffee, 1)],
  });
  other('dated in the future', { contact: hotel, date: day(-3), lines: [line(coffee, 1)] });
  other('dated before go-live', { contact: hotel, date: day(60), lines: [line(coffee, 1)] });
  other('debit note: refused', { contact: hotel, type: 'debit_note', lines: [line(coffee, 1)] });
  other('zero total: refused', { contact: hotel, lines: [line(coffee, 1, { rate: 0 })] });
  refund('credit note of the whole sale', true, {
    contact: hotel,
    invoice: of(creditable),
    lines: [line(course, 1), line(coffee, 2)],
  });
  refund('credit note of the whole mixed sale, by reference', true, {
    contact: school,
    reference: mixed.invoice_number as string,
    lines: [line(coffee, 1), line(flour, 2, { tax: exempt }), line(export1, 1, { tax: zero })],
  });
  refund('partial credit note', false, {
    contact: hotel,
    invoice: of(first),
    lines: [line(coffee, 1)],
  });
  refund('credit note without an invoice', false, { contact: hotel, lines: [line(bread, 2)] });
  refund('draft credit note', false, {
    contact: hotel,
    status: 'draft',
    invoice: of(first),
    lines: [line(water, 4)],
  });
  // Documents as they really come. Last, so that the ones above keep their numbers.
  const exclusive = { isInclusive: false };
  sale('TIN in a field of decimals, purchase code with blanks', {
    contact: decimals,
    customFields: { cf_purchase_code: ' M4R 7T1 ' },
    lines: [line(course, 1)],
  });
  other('half an emoji in the buyer’s name', {
    contact: emoji,
    lines: [line(coffee, 1), line(bread, 1, { name: 'Bread \ud83d' })],
  });
  sale('control characters and marks in names', {
    contact: marked,
    lines: [
      line(bread, 1, { name: 'Bread\u000bwhole' }),
      line(bread, 2, { name: 'line one\r\nline two\ttab' }),
      line(bread, 3, { name: 'Bread \u0000' }),
      line(water, 1, { name: '\ufeffAmazi \u202e500\u202c ml\u0085' }),
    ],
  });
  if (about.precision === 2) {
    sale('tiny price, huge quantity', {
      contact: hotel,
      ...exclusive,
      lines: [line(water, 1_951_593, { rate: 0.0055 })],
    });
    sale('tax rounded per document beside an exempt line', {
      contact: hotel,
      ...exclusive,
      taxRounding: 'entity_level',
      lines: [
        line(flour, 1, { rate: 90.3, tax: exempt }),
        line(water, 0.45, { rate: 2.54 }),
        line(water, 0.28, { rate: 6.87 }),
      ],
    });
    sale('total rounded down', {
      contact: hotel,
      ...exclusive,
      rounds: true,
      lines: [line(bread, 1, { rate: 1180.8 })],
    });
  }
  sale('quantities of three to six decimals', {
    contact: school,
    ...exclusive,
    lines: [line(water, 15.619, { rate: 520 }), line(course, 2.166667), line(course, 0.005)],
  });
  sale('discounted, without the taxes of its lines', {
    contact: hotel,
    ...exclusive,
    discount: '10%',
    hidesLineTaxes: true,
    lines: [line(coffee, 5), line(bread, 3), line(flour, 2, { tax: exempt })],
  });
  sale('shipping taxed in a list', {
    contact: hotel,
    ...exclusive,
    shippingShape: 'list',
    shipping: { charge: 5000, tax: vat },
    lines: [line(coffee, 2)],
  });
  sale('a kit', {
    contact: hotel,
    lines: [
      line(coffee, 2, {
        name: 'Breakfast kit',
        rate: 12_000,
        kit: [
          { name: 'Coffee', quantity: 1 },
          { name: 'Bread', quantity: 2 },
        ],
      }),
    ],
  });
  sale('a retainer applied', { contact: hotel, retainer: 5000, lines: [line(coffee, 3)] });
  sale('a person of the customer named on it', {
    contact: { ...decimals, cf_custtin: '' },
    person: 0,
    lines: [line(water, 12)],
  });
  sale('a line of no quantity beside another', {
    contact: hotel,
    ...exclusive,
    lines: [line(bread, 0), line(coffee, 1)],
  });
  other('advance as a negative line: refused', {
    contact: hotel,
    ...exclusive,
    lines: [line(course, 2), line(course, 1, { rate: -20_000, name: 'Advance' })],
  });
  other('foreign currency at a rate of one: asked', {
    contact: abroad,
    ...exclusive,
    currency: { code: 'USD', rate: 1, precision: 2 },
    lines: [line(course, 1, { rate: 500 })],
  });
  return {
    organization,
    invoices,
    creditnotes,
    documents,
    refreshToken: `1000.${about.letters.toLowerCase()}.demo-refresh`,
    clientId: `1000.${about.letters}DEMO`,
    clientSecret: `${about.letters.toLowerCase()}-demo-client`,
  };
}
