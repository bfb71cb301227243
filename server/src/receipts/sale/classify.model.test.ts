import type { StoredProblem } from '@muhuri/shared/problems';
import { describe, expect, test } from 'vitest';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';
import type { Sale, SaleLine } from '../../model/sale.model.ts';
import {
  classifyAdjustment,
  classifyLine,
  classifyRefund,
  classifyShipping,
  percentOfRefundedShipping,
  soldIn,
} from './classify.model.ts';
import { document, line, setup } from './make-sale.samples.ts';
import type { ItemMapping, Setup } from './sale-setup.model.ts';

const mapping = setup.items.default as ItemMapping;
const unregistered: Partial<Setup> = { isVatRegistered: false };

/** What came of it: the class, or what was found. */
function outcome(classify: (findings: StoredProblem[]) => { taxClass: string } | null) {
  const findings: StoredProblem[] = [];
  const found = classify(findings);
  return [found?.taxClass ?? null, findings.map(({ code }) => code)];
}
const codes = (...found: string[]) => [null, found];

describe('a line', () => {
  const of = (more: Partial<BooksLine>, known: Partial<Setup> = {}) =>
    outcome((findings) => classifyLine(line('100', more), 0, { ...setup, ...known }, findings));
  const tax = (more: Partial<NonNullable<BooksLine['tax']>>) => ({
    tax: { id: 'vat', name: 'VAT', percent: '18', kind: 'tax' as const, amount: null, ...more },
  });

  test.each<[string, Partial<BooksLine>, Partial<Setup>, unknown]>([
    ['has the class of its tax', {}, {}, ['B', []]],
    ['has the one class of a seller without VAT', { tax: null }, unregistered, ['D', []]],
    ['needs a tax', { tax: null }, {}, codes('line_without_tax')],
    ['needs a tax that is mapped', tax({ id: 'luxury' }), {}, codes('tax_unmapped')],
    ['needs the rate of its class', tax({ percent: '16' }), {}, codes('tax_rate_differs')],
    ['needs a rate that is known', tax({}), { rates: {} }, codes('tax_rate_differs')],
    ['needs its item mapped', {}, { items: {} }, codes('item_unmapped')],
    ['has its own mapping before the usual one', {}, { items: { i1: mapping } }, ['B', []]],
    ['of free text has one of its own', { itemId: null }, {}, codes('free_line_unmapped')],
    [
      'of free text, mapped, is sealed',
      { itemId: null },
      { items: { free_text: mapping } },
      ['B', []],
    ],
    [
      'says every code that the authority does not know',
      {},
      { hasCode: (list) => list === 'origin' },
      ['B', ['code_unknown', 'code_unknown', 'code_unknown']],
    ],
  ])('%s', (_, more, known, expected) => {
    expect(of(more, known)).toEqual(expected);
  });
});

describe('shipping', () => {
  const of = (
    shipping: Partial<BooksDocument['shipping']>,
    known: Partial<Setup> = {},
    more: Partial<BooksDocument> = {},
  ) => {
    const charged = { net: '100', tax: '0', taxId: null, taxPercent: null, ...shipping };
    return outcome((findings) =>
      classifyShipping(document({ ...more, shipping: charged }), { ...setup, ...known }, findings),
    );
  };
  const charged = (taxClass?: string) => ({
    charges: { shipping: taxClass ? { ...mapping, taxClass } : mapping },
  });
  const taxed = { tax: '18', taxId: 'vat', taxPercent: '18' };

  test.each<[string, Partial<BooksDocument['shipping']>, Partial<Setup>, unknown]>([
    ['with a tax has its class', taxed, {}, ['B', []]],
    ['with a tax whose rate only its line says', { ...taxed, taxPercent: null }, {}, ['B', []]],
    ['is charged what its class levies', { ...taxed, tax: '10' }, {}, codes('tax_rate_differs')],
    ['needs its tax mapped', { ...taxed, taxId: 'luxury' }, {}, codes('tax_unmapped')],
    ['needs to be mapped', taxed, { charges: {} }, codes('charge_unmapped')],
    ['of a seller without VAT has one class', taxed, unregistered, ['D', []]],
    ['without a tax has the class that was chosen', {}, charged('A'), ['A', []]],
    ['without a tax and a class asks for one', {}, charged(), codes('charge_unmapped')],
    ['without a tax, of a seller without VAT', {}, unregistered, ['D', []]],
    ['with a tax nobody names, of the class it comes to', { tax: '18' }, charged('B'), ['B', []]],
    [
      'with a tax that its class does not levy',
      { tax: '9' },
      charged('B'),
      codes('tax_rate_differs'),
    ],
    [
      'with such a tax whose rate is known',
      { tax: '9', taxPercent: '9' },
      charged('B'),
      codes('tax_rate_differs'),
    ],
    [
      'with a tax, of a class without a rate',
      { tax: '9' },
      charged('X'),
      codes('tax_rate_differs'),
    ],
  ])('%s', (_, shipping, known, expected) => {
    expect(of(shipping, known)).toEqual(expected);
  });

  test('with a tax whose rate nothing says is told by what it comes to', () => {
    const unsaid = { ...taxed, taxPercent: null };
    expect(of(unsaid, {}, { lines: [] })).toEqual(['B', []]);
    expect(of({ ...unsaid, tax: '10' }, {}, { lines: [] })).toEqual(codes('tax_rate_differs'));
  });
});

describe('an adjustment', () => {
  const of = (known: Partial<Setup>) =>
    outcome((findings) => classifyAdjustment({ ...setup, ...known }, findings));

  test('has the class that was chosen for it, or asks for one', () => {
    expect(of({})).toEqual(['B', []]);
    expect(of(unregistered)).toEqual(['D', []]);
    expect(of({ charges: {} })).toEqual(codes('charge_unmapped'));
    expect(of({ charges: { adjustment: mapping } })).toEqual(codes('charge_unmapped'));
  });
});

describe('a refund is what its sale was', () => {
  const sold = (source: string, name: string, more: Partial<SaleLine> = {}) =>
    ({ source, name, taxClass: 'B', content: mapping, ...more }) as unknown as SaleLine;
  const sale = (...lines: SaleLine[]) => ({ lines }) as Sale;
  const of = (
    of: Sale,
    part: { source?: string; name?: string; percent?: string | null },
    known: Partial<Setup> = {},
  ) => {
    const asked = { source: 'item:1', field: 'x', name: 'Bread', percent: '18', ...part };
    return outcome((findings) =>
      classifyRefund(asked, soldIn(of), { ...setup, ...known }, findings),
    );
  };
  const free = { source: 'free_text' };

  test('by its item, whatever it is called', () => {
    const of18 = sale(sold('item:1', 'Bread'));
    expect(of(of18, { name: 'Loaf' })).toEqual(['B', []]);
    expect(of(of18, { percent: null })).toEqual(['B', []]);
    expect(of(of18, { source: 'item:2' })).toEqual(codes('refund_line_unknown'));
    expect(of(of18, { percent: '0' })).toEqual(codes('refund_rate_differs'));
    expect(of(of18, {}, { rates: {} })).toEqual(codes('refund_rate_differs'));
    expect(of(sale(sold('item:1', 'Bread', { taxClass: 'D' })), { percent: '18' })).toEqual([
      'D',
      [],
    ]);
  });

  test('by its name where several were of free text, however that is written', () => {
    const two = sale(sold('free_text', 'Rent  March'), sold('free_text', 'Water'));
    expect(of(two, { ...free, name: ' rent march' })).toEqual(['B', []]);
    expect(of(two, { ...free, name: 'Rent April' })).toEqual(codes('refund_line_unknown'));
    expect(of(sale(sold('free_text', 'Rent')), { ...free, name: 'Anything' })).toEqual(['B', []]);
    expect(of(sale(sold('item:1', 'Bread')), free)).toEqual(codes('refund_line_unknown'));
  });
});

describe('the rate of refunded shipping', () => {
  const shippingSold = (paid: string, books = true) =>
    ({
      lines: [
        { source: 'item:1', taxClass: 'B' },
        {
          source: 'charge:shipping',
          taxClass: 'B',
          ...(books ? { books: { paid, worth: '100' } } : {}),
        },
      ],
    }) as unknown as Sale;
  const of = (sale: Sale, shipping: Partial<BooksDocument['shipping']> = {}) =>
    percentOfRefundedShipping(
      document({ shipping: { net: '100', tax: '0', taxId: null, taxPercent: null, ...shipping } }),
      sale,
      setup,
    );

  test('is none where the sale bore a tax on it and the credit note says nothing of one', () => {
    expect(of(shippingSold('118'))).toBe('0');
    expect(of(shippingSold('100'))).toBeNull();
    expect(of(shippingSold('101'))).toBeNull();
    expect(of(shippingSold('118', false))).toBeNull();
  });

  test('is what the credit note says', () => {
    expect(of(shippingSold('118'), { taxPercent: '18' })).toBe('18');
    expect(of(shippingSold('118'), { taxId: 'vat' })).toBe('18');
    expect(of(shippingSold('118'), { tax: '18' })).toBeNull();
  });
});
