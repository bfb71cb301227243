import { add, compare, multiply, round } from '@muhuri/shared/money';
import { loadDialects } from '@muhuri/server/dialects/index';
import type { BooksDocument } from '@muhuri/server/receipts/document.model';
import { makeSale } from '@muhuri/server/receipts/make-sale.model';
import { document, line, setup } from '@muhuri/server/receipts/make-sale.samples';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSale } from '../simulators/vsdc/rw-vsdc/check-sale.ts';

const dialect = (await loadDialects()).of('rw-vsdc');

const percents: Record<string, string> = { vat: '18', exempt: '0', zero: '0' };

/** Invoices as Zoho's own arithmetic makes them, over whole units of the precision. */
const invoices = fc
  .record({
    places: fc.constantFrom(0, 2),
    isInclusive: fc.boolean(),
    lines: fc.array(
      fc.record({
        rate: fc.integer({ min: 1, max: 9_999_999 }),
        quantity: fc.integer({ min: 1, max: 50_000 }),
        percent: fc.constantFrom(0, 0, 5, 10, 33),
        tax: fc.constantFrom('vat', 'vat', 'vat', 'exempt', 'zero'),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    entity: fc.constantFrom(0, 0, 0, 3, 7, 15),
    shipping: fc.constantFrom(0, 0, 500, 12_345),
    adjustment: fc.constantFrom(0, 0, 150),
    taxRounding: fc.constantFrom('item_level', 'entity_level'),
  })
  .map(zoho);

type Shape = {
  places: number;
  isInclusive: boolean;
  lines: { rate: number; quantity: number; percent: number; tax: string }[];
  entity: number;
  shipping: number;
  adjustment: number;
  taxRounding: string;
};

const half = (n: bigint, d: bigint) => (2n * n + d) / (2n * d);

function zoho(shape: Shape): BooksDocument {
  const text = (units: bigint) => (shape.places === 0 ? units.toString() : `${units / 100n}.${String(units % 100n).padStart(2, '0')}`);
  const computed = shape.lines.map((each) => {
    const gross = half(BigInt(each.rate) * BigInt(each.quantity), 100n);
    const discount = half(gross * BigInt(each.percent), 100n);
    const paid = gross - discount;
    const percent = BigInt(percents[each.tax] ?? '0');
    return { each, percent, discount, paid, net: shape.isInclusive ? half(paid * 100n, 100n + percent) : paid };
  });
  const subTotal = computed.reduce((sum, each) => sum + each.net, 0n);
  const entity = half(subTotal * BigInt(shape.entity), 100n);
  let left = entity;
  const shares = computed.map((each, index) => {
    const share = index === computed.length - 1 ? left : subTotal === 0n ? 0n : (entity * each.net) / subTotal;
    left -= share;
    return share;
  });
  const taxes = computed.map((each, index) =>
    shape.isInclusive && entity === 0n ? each.paid - each.net : half((each.net - (shares[index] as bigint)) * each.percent, 100n),
  );
  const byTax = new Map<bigint, bigint>();
  for (const [index, each] of computed.entries()) byTax.set(each.percent, (byTax.get(each.percent) ?? 0n) + each.net - (shares[index] as bigint));
  const entityTax = [...byTax].reduce((sum, [percent, base]) => sum + half(base * percent, 100n), 0n);
  const taxTotal = shape.taxRounding === 'entity_level' && !shape.isInclusive ? entityTax : taxes.reduce((sum, tax) => sum + tax, 0n);
  const scale = shape.places === 0 ? 1n : 100n;
  const shipping = BigInt(shape.shipping) * scale;
  const shippingTax = half(shipping * 18n, 100n);
  const total = subTotal - entity + taxTotal + shipping + shippingTax + BigInt(shape.adjustment) * scale;
  return document({
    places: shape.places,
    isTaxInclusive: shape.isInclusive,
    lines: computed.map((each, index) =>
      line(text(each.net), {
        id: String(index),
        rate: text(BigInt(each.each.rate)),
        quantity: `${Math.floor(each.each.quantity / 100)}.${String(each.each.quantity % 100).padStart(2, '0')}`,
        discount: text(each.discount),
        tax: {
          id: each.each.tax,
          name: each.each.tax,
          percent: String(each.percent),
          kind: 'tax',
          amount: each.percent === 0n ? null : text(taxes[index] as bigint),
        },
      }),
    ),
    discount: { amount: text(entity), isBeforeTax: true },
    shipping: { net: text(shipping), tax: text(shippingTax), taxId: shipping > 0n ? 'vat' : null, taxPercent: '18' },
    adjustment: text(BigInt(shape.adjustment) * scale),
    subTotal: text(subTotal),
    taxTotal: text(taxTotal),
    total: text(total),
    balance: text(total),
  });
}

test('over 100,000 random invoices the receipt’s total is Zoho’s, header is lines, tax and taxable agree, and no line is negative', () => {
  let sealed = 0;
  fc.assert(
    fc.property(invoices, fc.constantFrom('lines' as const, 'class' as const), (given, headerTax) => {
      const { sale, findings } = makeSale(given, setup, {}, null);
      if (!sale) {
        // Only what is truly nothing may be refused: an amount so small that it rounds away.
        const odd = findings.filter(
          (each) =>
            !['document_zero', 'quantity_unsupported'].includes(each.code) && !(compare(given.total, '0') === 0 && each.code === 'payment_method_missing'),
        );
        if (odd.length > 0)
          throw new Error(
            JSON.stringify({
              odd,
              places: given.places,
              inclusive: given.isTaxInclusive,
              lines: given.lines.map((l) => [l.rate, l.quantity, l.net, l.discount, l.tax?.percent, l.tax?.amount]),
              d: given.discount,
              s: given.shipping,
              total: given.total,
            }),
          );
        return;
      }
      sealed += 1;
      if (compare(sale.total, given.total) !== 0) throw new Error(`sealed ${sale.total}, Zoho says ${given.total}`);
      const totals = dialect.totals(sale.lines, setup.rates, headerTax);
      if (compare(totals.total, given.total) !== 0) throw new Error('header and Zoho differ');
      if (compare(add('0', ...totals.byClass.map((each) => each.taxable)), totals.taxable) !== 0) throw new Error('classes do not make the taxable total');
      if (compare(add('0', ...totals.byClass.map((each) => each.tax)), totals.tax) !== 0) throw new Error('classes do not make the tax total');
      for (const [index, each] of sale.lines.entries()) {
        if (compare(each.total, '0') < 0 || compare(each.discount, '0') < 0) throw new Error('a negative line');
        if (compare(add(each.total, each.discount), each.gross) !== 0) throw new Error('gross − discount is not the total');
        if ((compare(each.discount, '0') === 0) !== (compare(each.discountRate, '0') === 0)) throw new Error('a discount without a rate');
        const rate = setup.rates[each.taxClass] as string;
        const tax = totals.lines[index]?.tax as string;
        // taxable × r = tax × (100 + r), to half a cent of tax.
        const off = add(multiply(each.total, rate), multiply(`-${tax}`, add('100', rate)));
        if (compare(round(off.replace('-', ''), 4), multiply('0.005', add('100', rate))) > 0) throw new Error('tax is not the split of the taxable amount');
      }
    }),
    { numRuns: 100_000 },
  );
  expect(sealed).toBeGreaterThan(90_000);
}, 300_000);

test('what is told to the device passes the device’s own checks, which share nothing with ours', () => {
  const exactly = (text: string) =>
    JSON.parse(text, ((_key: string, value: unknown, context: { source: string }) => (typeof value === 'number' ? { n: context.source } : value)) as (
      key: string,
      value: unknown,
    ) => unknown);
  const device = { usedNumbers: [], usedPurchaseCodes: [], itemCodes: ['RW2NTXU0000001'], sales: [] };
  fc.assert(
    fc.property(invoices, fc.constantFrom('lines' as const, 'class' as const), (given, headerTax) => {
      const { sale } = makeSale(given, setup, {}, null);
      if (!sale) return;
      const coded = { ...sale, lines: sale.lines.map((each) => ({ ...each, itemCode: 'RW2NTXU0000001' })) };
      const freeze = {
        device: { taxpayerId: '100200300', branchCode: '00', serial: 's' },
        invoiceNumber: '1',
        originalInvoiceNumber: null,
        rates: setup.rates,
        headerTax,
        at: new Date('2026-11-20T08:00:00Z'),
        user: { id: 'u', name: 'U' },
        seller: { tradeName: 'T', address: 'A', topMessage: '', bottomMessage: '' },
      };
      const refusal = checkSale(exactly(dialect.sell.toBody(coded, freeze)), device, { duplicate: '924', allowsPartialRefunds: false }, '20261120');
      if (refusal) throw new Error(`${refusal.code} ${refusal.text}`);
    }),
    { numRuns: 20_000 },
  );
}, 300_000);
