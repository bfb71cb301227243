import { compare } from '@muhuri/shared/money';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from './parse-json.ts';
import { readDocument } from './read-document.ts';

const around = {
  baseCurrency: 'RWF',
  customFields: { buyer_tin: 'cf_custtin', purchase_code: 'cf_purchase_code' },
  mobile: null,
  paymentModes: [],
  appliedTo: [],
};
const read = (fields: string, module: 'invoices' | 'creditnotes' = 'invoices') =>
  readDocument(
    module,
    '1',
    parseJson(
      `{"${module === 'invoices' ? 'invoice' : 'creditnote'}_id":"1","date":"2026-11-20","currency_code":"RWF","total":0,"line_items":[],${fields}}`,
    ) ?? {},
    around,
  );

describe('a custom field is its value before it is the text made of it', () => {
  test.each([
    [
      'a field of decimals, flat',
      '"custom_field_hash":{"cf_custtin":"101234567.00","cf_custtin_unformatted":101234567}',
    ],
    [
      'a field of decimals, flat, without what is unformatted',
      '"custom_field_hash":{"cf_custtin":"101234567.00"}',
    ],
    ['a field of numbers with groups', '"custom_field_hash":{"cf_custtin":"101,234,567"}'],
    ['a field of text with blanks', '"custom_field_hash":{"cf_custtin":"101 234 567"}'],
    [
      'a row of a field of decimals',
      '"custom_fields":[{"api_name":"cf_custtin","value":101234567.0,"value_formatted":"101,234,567.00"}]',
    ],
    [
      'a row, where the flat text says otherwise',
      '"custom_fields":[{"api_name":"cf_custtin","value":101234567}],"custom_field_hash":{"cf_custtin":"1.01 L"}',
    ],
    [
      'what is unformatted, where the text beside it says less',
      '"custom_field_hash":{"cf_custtin":"1.01 L","cf_custtin_unformatted":101234567}',
    ],
    [
      'the contact’s, unformatted',
      '"customer_custom_field_hash":{"cf_custtin":"101,234,567.00","cf_custtin_unformatted":"101234567"}',
    ],
    [
      'the contact’s row',
      '"customer_custom_fields":[{"api_name":"cf_custtin","value":"101-234-567"}]',
    ],
    [
      'with a no-break space, a mark of direction and a line break',
      '"custom_field_hash":{"cf_custtin":"\\u200e101\\u00a0234\\u202f567\\r\\n"}',
    ],
    ['in Arabic digits', '"custom_field_hash":{"cf_custtin":"١٠١٢٣٤٥٦٧"}'],
    ['in Bengali digits', '"custom_field_hash":{"cf_custtin":"১০১২৩৪৫৬৭"}'],
    [
      'as a float is written, with all its digits',
      '"custom_field_hash":{"cf_custtin":"1.01234567E8"}',
    ],
    ['in full-width digits', '"custom_field_hash":{"cf_custtin":"１０１２３４５６７"}'],
    ['behind its name', '"custom_field_hash":{"cf_custtin":"TIN: 101 234 567"}'],
    ['behind its French name', '"custom_field_hash":{"cf_custtin":"NIF101234567."}'],
    ['in quotation marks', '"custom_field_hash":{"cf_custtin":"“101234567”"}'],
    ['a field of three decimals', '"custom_field_hash":{"cf_custtin":"101234567.000"}'],
    [
      'a field of several choices',
      '"custom_fields":[{"api_name":"cf_custtin","value":["101234567"]}]',
    ],
    [
      'the second row of its name, where the first holds nothing',
      '"custom_fields":[{"api_name":"cf_custtin","value":""},{"api_name":"cf_custtin","value":"101234567"}]',
    ],
    [
      'a row that says its name as a placeholder',
      '"custom_fields":[{"placeholder":"cf_custtin","value":"101234567"}]',
    ],
    [
      'a row of text alone',
      '"custom_fields":[{"api_name":"cf_custtin","value_formatted":"101,234,567"}]',
    ],
    [
      'a row of text alone, where the number stands beside',
      '"custom_fields":[{"api_name":"cf_custtin","value_formatted":"1.01 L"}],"custom_field_hash":{"cf_custtin_unformatted":101234567}',
    ],
  ])('a TIN from %s is its digits', (_name, fields) => {
    expect(read(fields).buyer.taxpayerId).toBe('101234567');
  });

  test.each([
    ['"P051234567x"', 'P051234567x'],
    ['"ask the buyer!"', 'ask the buyer!'],
    // A spreadsheet has lost what stood behind: what would be made of it is somebody else's number.
    ['"1.01E+08"', '1.01E+08'],
    ['""', null],
    ['" "', null],
    ['null', null],
    ['false', null],
  ])('a TIN %s is taken as it is, for somebody to see', (value, is) => {
    expect(read(`"custom_field_hash":{"cf_custtin":${value}}`).buyer.taxpayerId).toBe(is);
  });

  test.each([
    ['["101234567","101234568"]', '101234567101234568'],
    ['{"tin":101234567,"also":101234568}', '{"tin":"101234567","also":"101234568"}'],
  ])('a TIN %s is there, and never left out: somebody sees that it is none', (value, is) => {
    expect(
      read(`"custom_fields":[{"api_name":"cf_custtin","value":${value}}]`).buyer.taxpayerId,
    ).toBe(is);
  });

  test.each([
    [' K7T 2Q9\\t', 'K7T2Q9'],
    ['K7T-2Q9', 'K7T2Q9'],
    ['Ｋ７Ｔ２Ｑ９', 'K7T2Q9'],
    ['123456.00', '123456'],
    ['123,456', '123456'],
    ['“K7T2Q9”.', 'K7T2Q9'],
  ])('a purchase code “%s” has no dress on it', (value, is) => {
    expect(read(`"custom_field_hash":{"cf_purchase_code":"${value}"}`).buyer.purchaseCode).toBe(is);
  });

  test.each([
    'TIN/101234567',
    'tin=101234567',
    'RW101234567',
    '101234567 / RRA',
    '101234567 / 2026',
    'My TIN is 101234567',
    'TIN 101 234 567 (RRA)',
    '101234567 or 101234567',
    'VAT No 101.234.567 Kigali',
  ])('a TIN in “%s” is the nine digits that stand there once', (written) => {
    expect(read(`"custom_field_hash":{"cf_custtin":"${written}"}`).buyer.taxpayerId).toBe(
      '101234567',
    );
  });
  test('a TIN that is looked up from a list is its name’s digits', () => {
    expect(
      read(
        '"custom_fields":[{"api_name":"cf_custtin","value":{"id":"4815000000000012345","name":"101234567"}}]',
      ).buyer.taxpayerId,
    ).toBe('101234567');
  });
  test.each([
    '101234567 / 101234568',
    '101234567 or 101 234 568',
    'P101234567',
    '1012345678',
    '0.101234567',
  ])('of what may be another number none is chosen: %s', (written) =>
    expect(read(`"custom_field_hash":{"cf_custtin":"${written}"}`).buyer.taxpayerId).not.toBe(
      '101234567',
    ),
  );

  test.each([
    '"N/A"',
    '"n.a."',
    '"-"',
    '"—"',
    '"none"',
    '"Néant"',
    '"null"',
    '0',
    '"000000000"',
    '"000 000 000"',
    '"0.00"',
    '"xxx"',
    '"TIN: 000000000"',
    '"?"',
  ])(
    'what people write where they have nothing to write is no TIN and no code, and hides none: %s',
    (value) => {
      const own = `"custom_fields":[{"api_name":"cf_custtin","value":${value}},{"api_name":"cf_purchase_code","value":${value.replace('TIN: ', '')}}]`;
      expect(read(own).buyer).toMatchObject({ taxpayerId: null, purchaseCode: null });
      const beside = read(
        `${own},"customer_custom_field_hash":{"cf_custtin":"101234567","cf_purchase_code":"K7T2Q9"}`,
      );
      expect(beside.buyer).toMatchObject({ taxpayerId: '101234567', purchaseCode: 'K7T2Q9' });
    },
  );

  test.each(['Code: K7T2Q9', 'K7T2Q9 / 2026', 'Purchase code K7T2Q9', 'number K7T2Q9 (June)'])(
    'a purchase code in “%s” is the only thing like one',
    (written) => {
      expect(read(`"custom_field_hash":{"cf_purchase_code":"${written}"}`).buyer.purchaseCode).toBe(
        'K7T2Q9',
      );
    },
  );
  test.each(['K7T2Q9 or K7T2Q8', 'ABC-K7T2Q9', 'K7T2Q'])(
    'where it may be another, no code is chosen: %s',
    (written) => {
      expect(
        read(`"custom_field_hash":{"cf_purchase_code":"${written}"}`).buyer.purchaseCode,
      ).not.toMatch(/^.{6}$/);
    },
  );

  test('the document’s own value comes before the contact’s', () => {
    expect(
      read(
        '"custom_fields":[{"api_name":"cf_custtin","value":"101234567"}],"customer_custom_field_hash":{"cf_custtin":"999999999"}',
      ).buyer.taxpayerId,
    ).toBe('101234567');
  });
});

test('names and numbers come in well-formed and on one line, whatever Zoho says', () => {
  const document = read(
    '"customer_name":"Hotel \\ud83d","invoice_number":"INV\\u0000-1","line_items":[{"name":"Bread\\u000bwhole","item_total":0},{"name":"line one\\r\\nline two\\ttab","item_total":0},{"name":"","item_total":0,"description":"Bread \\u0000"}]',
  );
  expect(document).toMatchObject({ customer: { name: 'Hotel \ufffd' }, number: 'INV -1' });
  expect(document.lines.map((each) => each.name)).toEqual([
    'Bread whole',
    'line one line two tab',
    'Bread',
  ]);
});

test('a name of which nothing can be seen is none', () => {
  const unseen = ['\\u200b', '\\u3164', '\\u00ad\\u2060', '\\u034f', '\\u2800 \\u115f'];
  const names = read(
    `"customer_name":"\\ufeff\\u200d","line_items":[${unseen.map((name) => `{"name":"${name}","item_total":0,"description":"${name}"}`).join(',')}]`,
  );
  expect([names.customer.name, ...names.lines.map((each) => each.name)]).toEqual([
    '',
    '-',
    '-',
    '-',
    '-',
    '-',
  ]);
  expect(
    read(
      '"line_items":[{"name":"\\u200b","item_total":0,"description":"Bread"},{"name":"caf\\u0065\\u0301 \\u2764\\ufe0f","item_total":0}]',
    ).lines.map((each) => each.name),
  ).toEqual(['Bread', 'cafe\u0301 \u2764\ufe0f']);
});

describe('the rate of a line’s tax, where the line itself does not say it', () => {
  const percentOf = (fields: string) =>
    read(
      `"line_items":[{"name":"x","quantity":1,"rate":1000,"item_total":1000,"tax_id":"7",${fields}}]`,
    ).lines[0]?.tax?.percent;
  test.each([
    [
      'in what it is made of',
      '"tax_name":"VAT","line_item_taxes":[{"tax_name":"VAT","tax_percentage":18,"tax_amount":180}]',
      '18',
    ],
    [
      'in the names of what it is made of',
      '"tax_name":"G","tax_percentage":"","line_item_taxes":[{"tax_name":"A (10%)","tax_amount":100},{"tax_name":"B (8%)","tax_amount":80}]',
      '18',
    ],
    ['in its name', '"tax_name":"VAT (18%)","tax_percentage":null', '18'],
    ['nowhere, where nothing is charged', '"tax_name":"Exempt","line_item_taxes":[]', '0'],
  ])('stands %s', (_name, fields, is) => expect(percentOf(fields)).toBe(is));
  test('is said to be missing where nothing says it', () =>
    expect(() =>
      percentOf('"tax_name":"VAT","line_item_taxes":[{"tax_name":"VAT","tax_amount":180}]'),
    ).toThrow(
      expect.objectContaining({
        problem: { code: 'document_unreadable', field: 'line_items[0].tax_percentage', value: '' },
      }),
    ));
});

describe('a number that is none is said, never reckoned with', () => {
  const line = (discount: string) =>
    `"line_items":[{"name":"x","quantity":2,"rate":500,"item_total":900,"discount":"${discount}"}]`;
  test('a discount in percent may have a blank in it', () => {
    expect(read(line('10.00 %')).lines[0]?.discount).toBe('100.00');
    expect(
      read('"discount_type":"entity_level","sub_total":1000,"discount":" 10 %"').discount.amount,
    ).toBe('100.00');
  });
  test.each([
    [line('ten %'), 'line_items[0].discount', 'ten'],
    ['"discount_type":"entity_level","sub_total":1000,"discount":"1 0%"', 'discount', '1 0'],
    ['"price_precision":"two"', 'price_precision', 'two'],
    ['"price_precision":-1', 'price_precision', '-1'],
    ['"price_precision":1e9', 'price_precision', '1000000000'],
    [
      '"line_items":[{"name":"x","item_total":0},{"name":"y","item_total":0,"quantity":"3,0"}]',
      'line_items[1].quantity',
      '3,0',
    ],
    ['"exchange_rate":"1,447"', 'exchange_rate', '1,447'],
    ['"total":"1,18.00"', 'total', '1,18.00'],
    ['"total":"1.180,00"', 'total', '1.180,00'],
    ['"total":"1,180 000.00"', 'total', '1,180 000.00'],
    ['"total":"1E99"', 'total', '1E99'],
    ['"total":"++1"', 'total', '++1'],
    ['"total":"."', 'total', '.'],
    ['"total":null', 'total', ''],
    ['"total":" "', 'total', ''],
    ['"total":true', 'total', 'true'],
    ['"total":{"amount":"1180"}', 'total', '{"amount":"1180"}'],
    ['"total":[]', 'total', '[]'],
    ['"adjustment":false', 'adjustment', 'false'],
    ['"line_items":null', 'line_items', ''],
    ['"line_items":{"0":{"name":"x"}}', 'line_items', '{"0":{"name":"x"}}'],
    ['"line_items":[{"name":"x","item_total":1},"y"]', 'line_items[1]', 'y'],
    ['"line_items":[null]', 'line_items[0]', ''],
    ['"line_items":[{"name":"x","quantity":1,"rate":1000}]', 'line_items[0].item_total', ''],
    ['"line_items":[{"name":"x","rate":1000,"item_total":null}]', 'line_items[0].item_total', ''],
    ['"line_items":[{"name":"x","quantity":1}]', 'line_items[0].item_total', ''],
    ['"taxes":["VAT 180"]', 'taxes[0]', 'VAT 180'],
    [
      '"line_items":[{"name":"x","item_total":1,"line_item_taxes":[7]}]',
      'line_items[0].line_item_taxes[0]',
      '7',
    ],
    ['"date":"2026-11-25T22:00:00Z"', 'date', '2026-11-25T22:00:00Z'],
    ['"date":"2026-02-30T00:00:00+0200"', 'date', '2026-02-30T00:00:00+0200'],
    ['"taxes":[{"tax_name":"VAT","tax_amount":"RWF18"}]', 'taxes[0].tax_amount', 'RWF18'],
    ['"date":"29/02/2026"', 'date', '29/02/2026'],
    ['"total":1e15', 'total', '1000000000000000'],
    ['"balance":-1e17', 'balance', '-100000000000000000'],
    ['"currency_code":"RWF (Fr)"', 'currency_code', 'RWF (Fr)'],
    ['"shipping_charge":"RWF100.00"', 'shipping_charge', 'RWF100.00'],
    ['"shipping_charge":100,"shipping_charge_tax":"18 RWF"', 'shipping_charge_tax', '18 RWF'],
    [
      '"shipping_charge":100,"shipping_charge_taxes":[{"tax_id":"7","tax_amount":"free"}]',
      'shipping_charge_taxes[0].tax_amount',
      'free',
    ],
    [
      '"shipping_charge":100,"shipping_charge_tax_percentage":"18 per cent"',
      'shipping_charge_tax_percentage',
      '18 per cent',
    ],
    [
      '"discount_type":"entity_level","discount_total":"RWF5","discount":"0"',
      'discount_total',
      'RWF5',
    ],
    [
      '"line_items":[{"name":"y","item_total":0,"discount_amount":"5,00","discount":0}]',
      'line_items[0].discount_amount',
      '5,00',
    ],
    ['"currency_code":""', 'currency_code', ''],
    ['"currency_code":null', 'currency_code', ''],
    ['"is_inclusive_tax":"yes"', 'is_inclusive_tax', 'yes'],
    ['"is_inclusive_tax":2', 'is_inclusive_tax', '2'],
    ['"is_discount_before_tax":"no"', 'is_discount_before_tax', 'no'],
    ['"is_discount_before_tax":{}', 'is_discount_before_tax', '{}'],
    ['"discount_type":"tiered","discount_total":100', 'discount_type', 'tiered'],
    [
      '"discount_type":"tiered","line_items":[{"name":"y","item_total":0,"discount":"5%"}]',
      'discount_type',
      'tiered',
    ],
  ])('%s, by its field and with what stands in it', (fields, field, value) =>
    expect(() => read(fields)).toThrow(
      expect.objectContaining({ problem: { code: 'document_unreadable', field, value } }),
    ),
  );
});

describe('a number is what it says, whichever way it is spelled', () => {
  test.each([
    ['1,180.00', '1180.00'],
    ['-1,234,567.5', '-1234567.5'],
    ['1 180.00', '1180.00'],
    ['+1180', '1180'],
    ['1180.', '1180'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['1E3', '1000'],
    ['1.44725E3', '1447.25'],
    ['6.91e-4', '0.000691'],
    ['+1.18E+3', '1180'],
  ])('%s', (written, is) => {
    const found = read(
      `"total":"${written}","line_items":[{"name":"x","quantity":"${written}","rate":"${written}","item_total":"${written}"}]`,
    );
    expect([
      found.total,
      found.lines[0]?.quantity,
      found.lines[0]?.rate,
      found.lines[0]?.net,
    ]).toEqual([is, is, is, is]);
  });

  test('a percentage with its sign is one, and a comma in it parts off its fraction', () => {
    const { lines, shipping } = read(
      '"shipping_charge":100,"shipping_charge_tax_percentage":"18 %","line_items":[{"name":"x","quantity":1,"rate":1000,"item_total":925,"discount":"7,5%","tax_id":"7","tax_percentage":"18%"}]',
    );
    expect([shipping.taxPercent, lines[0]?.tax?.percent, lines[0]?.discount]).toEqual([
      '18',
      '18',
      '75.00',
    ]);
  });

  test('a row that only says something comes to nothing, also where that is not said', () => {
    expect(
      read(
        '"line_items":[{"name":"Delivered in May"},{"name":"-","quantity":0,"rate":"0.00","item_total":""}]',
      ).lines,
    ).toMatchObject([
      { name: 'Delivered in May', quantity: '0', net: '0' },
      { quantity: '0', net: '0' },
    ]);
  });

  test('yes and no are also said by a digit', () => {
    expect(read('"is_inclusive_tax":1,"is_discount_before_tax":"0"')).toMatchObject({
      isTaxInclusive: true,
      discount: { isBeforeTax: false },
    });
  });

  test('a tax that is left to the buyer is read', () => {
    for (const [said, is] of [
      ['true', true],
      ['"True"', true],
      ['1', true],
      ['false', false],
      ['""', false],
    ] as const)
      expect(read(`"is_reverse_charge_applied":${said}`).isReverseCharge).toBe(is);
  });

  test('so it is where only a line says so, or what it comes to', () => {
    const one = (fields: string) =>
      read(`"line_items":[{"name":"x","item_total":0,${fields}}]`).lines[0]?.isReverseCharge;
    expect(one('"tax_id":"","reverse_charge_tax_id":"9","reverse_charge_tax_percentage":18')).toBe(
      true,
    );
    expect(one('"tax_id":"7","tax_percentage":0,"reverse_charge_tax_id":"9"')).toBe(true);
    expect(
      one(
        '"tax_id":"7","tax_percentage":18,"reverse_charge_tax_id":"9","reverse_charge_tax_amount":"180.00"',
      ),
    ).toBe(true);
    // A tax that would be left to the buyer, beside the one that is charged instead.
    expect(
      one(
        '"tax_id":"7","tax_percentage":18,"reverse_charge_tax_id":"9","reverse_charge_tax_amount":0',
      ),
    ).toBeUndefined();
    expect(
      one('"tax_id":"","reverse_charge_tax_id":" ","reverse_charge_tax_percentage":""'),
    ).toBeUndefined();
    expect(one('"tax_id":"7","tax_percentage":0,"reverse_charge_tax_id":0')).toBeUndefined();
    expect(read('"reverse_charge_tax_total":180').isReverseCharge).toBe(true);
    expect(read('"reverse_charge_tax_total":0').isReverseCharge).toBe(false);
  });

  test('what a line without a tax is exempt by is read, from the line or else from the document', () => {
    const one = (fields: string, more = '') =>
      read(`${more}"line_items":[{"name":"x","item_total":0,${fields}}]`).lines[0]?.exemption;
    expect(one('"tax_id":"","tax_exemption_id":"46000","tax_exemption_code":"EDU-7"')).toBe(
      'EDU-7',
    );
    expect(one('"tax_exemption_id":"46000","tax_exemption_code":""')).toBe('46000');
    expect(one('"tax_id":""', '"tax_exemption_code":"NGO",')).toBe('NGO');
    expect(one('"tax_id":"7","tax_percentage":0,"tax_exemption_code":"EDU-7"')).toBeUndefined();
    expect(one('"tax_id":"","tax_exemption_code":" "')).toBeUndefined();
  });

  test('what is withheld is read wherever it stands, each amount once', () => {
    expect(read('"tax_amount_withheld":0,"tds_amount":""').withheld).toBeUndefined();
    expect(read('"tax_amount_withheld":"59.00","tds_amount":59').withheld).toEqual(['59.00']);
    const ofLines =
      '"line_items":[{"name":"x","item_total":0,"tds_amount":20},{"name":"y","item_total":0,"tds_amount":10.5}]';
    expect(read(`"tds_amount":59,${ofLines}`).withheld).toEqual(['59', '30.5']);
    // Nothing else depends on how it is spelled.
    expect(read('"tds_amount":"about 5"').withheld).toBeUndefined();
  });

  test('a moment with the offset of whoever wrote it says its day', () => {
    for (const at of [
      '2026-11-26T00:00:00+0200',
      '2026-11-26T23:30:00.000+02:00',
      '2026-11-26 08:00-05:00',
      '2026-11-26T00:00:00Z',
    ])
      expect(read(`"date":"${at}"`).date).toBe('2026-11-26');
  });

  test('words of a list are the same with blanks and strokes between', () => {
    expect(read('"status":"Partially Paid"').status).toBe('partially_paid');
    expect(read('"status":"pending-approval"').status).toBe('pending_approval');
  });

  test('what a credit note says itself of the invoice it corrects is told from what its credit is used for', () => {
    const used =
      '"invoices":[],"invoices_credited":[{"invoice_id":"b"}],"reference_number":"INV-A"';
    expect(read(used, 'creditnotes').corrects).toEqual({
      invoiceIds: ['b'],
      isUseOfCredit: true,
      reference: 'INV-A',
    });
    expect(read(`${used},"invoice_id":"a"`, 'creditnotes').corrects).toEqual({
      invoiceIds: ['a'],
      reference: 'INV-A',
    });
    expect(read(`"total":0`, 'creditnotes').corrects).toEqual({ invoiceIds: [], reference: null });
  });

  test('how a credit note spells its own rate keeps nothing from being refunded: that of its sale is used', () => {
    expect(read('"exchange_rate":"about 1,447"', 'creditnotes').exchangeRate).toBe('0');
  });
});

describe('a word out of a list is one that is known, or it is said', () => {
  const taxed = (type: string) =>
    read(
      `"line_items":[{"name":"x","item_total":0,"tax_id":"7","tax_name":"T","tax_percentage":18,"tax_type":${type}}]`,
    ).lines[0]?.tax;
  test.each([
    ['', { kind: 'invoice' }],
    ['"type":null', { kind: 'invoice' }],
    ['"type":"Invoice"', { kind: 'invoice' }],
    ['"type":"debit_note"', { kind: 'debit_note' }],
    ['"type":"retainer"', { kind: 'other', kindInBooks: 'retainer' }],
    ['"type":"bill_of_supply"', { kind: 'other', kindInBooks: 'bill_of_supply' }],
  ])('an invoice with %s', (fields, is) =>
    expect(read(`"number":"1"${fields && ','}${fields}`)).toMatchObject(is),
  );

  test.each([
    ['', { kind: 'credit_note' }],
    ['"type":"credit_note"', { kind: 'credit_note' }],
    ['"type":"CreditNote"', { kind: 'credit_note' }],
    ['"type":"refund"', { kind: 'credit_note' }],
    ['"type":"invoice"', { kind: 'credit_note' }],
    ['"type":"retainer"', { kind: 'other', kindInBooks: 'retainer' }],
    ['"type":"debit_note"', { kind: 'other', kindInBooks: 'debit_note' }],
  ])('a credit note with %s', (fields, is) =>
    expect(read(`"number":"1"${fields && ','}${fields}`, 'creditnotes')).toMatchObject(is),
  );

  test.each([
    ['""', 'tax', undefined],
    ['null', 'tax', undefined],
    ['"tax"', 'tax', undefined],
    ['"Tax_Group"', 'tax_group', undefined],
    ['"compound_tax"', 'compound_tax', undefined],
    ['"withheld"', 'tax', 'withheld'],
    ['3', 'tax', '3'],
  ])('a tax of the kind %s', (type, kind, odd) => {
    const tax = taxed(type);
    expect([tax?.kind, tax?.kindUnknown]).toEqual([kind, odd]);
  });

  test('what is inside a price and before a tax is said by words as well', () => {
    expect(read('"is_inclusive_tax":"true","is_discount_before_tax":"False"')).toMatchObject({
      isTaxInclusive: true,
      discount: { isBeforeTax: false },
    });
    expect(read('"is_inclusive_tax":null')).toMatchObject({
      isTaxInclusive: false,
      discount: { isBeforeTax: true },
    });
  });

  test('how a discount is given says nothing where there is none', () => {
    for (const type of ['no_discount', 'tiered'])
      expect(read(`"discount_type":"${type}","discount":0`).discount.amount).toBe('0');
  });
});

test('what binary floats leave of nothing is nothing, and a rate with more decimals than can be kept is kept as far as it can be', () => {
  const noise =
    '"balance":1.4551915228366852e-11,"roundoff_value":-5.684341886080802e-14,"adjustment":1.1102230246251565e-16,"shipping_charge":2.2e-13';
  expect(read(noise)).toMatchObject({
    balance: '0',
    roundOff: '0',
    adjustment: '0',
    shipping: { net: '0' },
  });
  expect(read('"exchange_rate":6.909656244602211e-5').exchangeRate).toBe('0.00006909656244602211');
  expect(read('"exchange_rate":0.000069096562446022110999').exchangeRate).toBe(
    '0.00006909656244602211',
  );
});

test.each([
  ['253.02000000000004', '253.02'],
  ['1392.9999999999998', '1393'],
  ['5558.999999999999', '5559'],
  ['-0.30000000000000004', '-0.3'],
  ['123456789.12000002', '123456789.12'],
  ['17.000000000000004', '17'],
  // The larger the amount, the fewer decimals a float has left for its noise.
  ['12345678.120000001', '12345678.12'],
  ['1234567890.1200001', '1234567890.12'],
  ['12345678901.120001', '12345678901.12'],
  ['-99999999999.98999', '-99999999999.99'],
  ['1.2345678120000001E7', '12345678.12'],
  ['10000000.005000001', '10000000.005'],
  // These are no noise: there is too little of it, or no end.
  ['1447.123456789012', '1447.123456789012'],
  ['2.166667', '2.166667'],
  ['99.99999', '99.99999'],
  ['0.3333333333333333', '0.3333333333333333'],
])('an amount that went through binary floats is the amount it was: %s', (given, is) => {
  expect(read(`"total":${given}`).total).toBe(is);
});

test('sums of amounts come in as the sum, however large it is and however its float ends', () => {
  const cents = fc
    .integer({ min: 0, max: 12 })
    .chain((n) => fc.bigInt({ min: 10n ** BigInt(n), max: 10n ** BigInt(n + 1) - 1n }));
  fc.assert(
    fc.property(cents, fc.integer({ min: -3, max: 3 }), (given, steps) => {
      const is = `${given / 100n}.${String(given % 100n).padStart(2, '0')}`;
      // So many of the smallest steps that a float of its size can take.
      const view = new DataView(new ArrayBuffer(8));
      view.setFloat64(0, Number(is));
      view.setBigUint64(0, view.getBigUint64(0) + BigInt(steps));
      const found = read(`"total":${view.getFloat64(0)}`).total;
      expect(compare(found, is), `${view.getFloat64(0)} is ${found}`).toBe(0);
    }),
    { numRuns: 2_000 },
  );
});

test('a status and a currency are the same in whatever letters they are written', () => {
  expect(read('"status":"Void","currency_code":"usd"')).toMatchObject({
    status: 'void',
    currency: 'USD',
  });
});
