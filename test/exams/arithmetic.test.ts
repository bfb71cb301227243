import { add, compare, multiply, round } from '@muhuri/shared/money';
import { loadDialects } from '@muhuri/server/dialects/index';
import { makeSale } from '@muhuri/server/receipts/make-sale.model';
import { setup as samples } from '@muhuri/server/receipts/make-sale.samples';
import type { Json } from '@muhuri/server/zoho/parse-json';
import { readDocument } from '@muhuri/server/zoho/read-document';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSale } from '../simulators/vsdc/rw-vsdc/check-sale.ts';
import { cases, examSeed } from './size.ts';
import { decimal, distance, exactly, isBelow, makeDocument, plus, rounded, type Shape, shapes, taxes, times, type Truth, whole } from './zoho-documents.ts';

const dialect = (await loadDialects()).of('rw-vsdc');
const setup = { ...samples, taxes: Object.fromEntries(Object.entries(taxes).map(([id, { taxClass }]) => [id, taxClass])) };

function read(shape: Shape) {
  const { raw, basePlaces, truth } = makeDocument(shape);
  const around = { baseCurrency: 'RWF', basePlaces, customFields: { buyer_tin: '', purchase_code: '' }, mobile: '0788000000', paymentModes: [], appliedTo: [] };
  return { document: readDocument('invoices', '1', raw as { [key: string]: Json }, around), truth };
}

/** What may be refused, because it is truly nothing or cannot be told to the device. */
function mayRefuse(code: string, truth: Truth, shape: Shape): boolean {
  if (code === 'document_empty') return truth.isEmpty;
  if (code === 'quantity_unsupported') return truth.isTooFine;
  if (code === 'payment_method_missing') return truth.total.n === 0n;
  const rate = whole(BigInt(shape.foreign?.rate ?? 1_000_000), 1_000_000n);
  if (code === 'document_zero') return truth.total.n === 0n || rounded(times(truth.total, rate), Math.min(shape.foreign?.basePlaces ?? 2, 2)).n === 0n;
  // Nothing was sealed in this currency before, and the rate is no rate of any pair of currencies.
  return code === 'exchange_rate_unlikely' && shape.foreign !== null;
}

test('every document that Zoho can send is sealed at its total, tax by tax, or refused for a true reason', () => {
  const numRuns = cases('documents as Zoho sends them', { slice: 1_500, whole: 100_000 });
  const seen = { sealed: 0, foreign: 0, refused: {} as Record<string, number>, plain: 0, shared: 0, converted: 0, most: whole(0n), mostConverted: whole(0n) };
  fc.assert(
    fc.property(shapes, (shape) => {
      const { document, truth } = read(shape);
      const made = makeSale(document, setup, { confirm: ['exchange_rate_unlikely'], confirmed_rate: document.exchangeRate }, null);
      const { sale } = made;
      if (!sale) {
        const untrue = made.findings.filter(({ code }) => !mayRefuse(code, truth, shape));
        if (untrue.length > 0 || made.findings.length === 0) throw new Error(`refused: ${JSON.stringify(made.findings)} of ${JSON.stringify(document)}`);
        for (const { code } of made.findings) seen.refused[code] = (seen.refused[code] ?? 0) + 1;
        return;
      }
      seen.sealed += 1;
      if (shape.foreign) seen.foreign += 1;
      const places = shape.foreign ? Math.min(shape.foreign.basePlaces, 2) : 2;
      const rate = whole(BigInt(shape.foreign?.rate ?? 1_000_000), 1_000_000n);
      const expected = rounded(times(truth.total, rate), places);
      if (distance(exactly(sale.total), expected).n !== 0n) throw new Error(`sealed ${sale.total}, Zoho says ${decimal(expected)}`);
      checkClasses(shape, truth, sale.lines, { rate, places }, seen);
      for (const each of sale.lines) {
        if (compare(each.total, '0') < 0 || compare(each.discount, '0') < 0) throw new Error('a negative line');
        if (compare(add(each.total, each.discount), each.gross) !== 0) throw new Error('gross − discount is not the total');
        if ((compare(each.discount, '0') === 0) !== (compare(each.discountRate, '0') === 0)) throw new Error('a discount without a rate');
      }
    }),
    { numRuns, seed: examSeed },
  );
  console.info(
    `${seen.sealed} sealed (${seen.foreign} foreign), refused ${JSON.stringify(seen.refused)}; tax classes: ${seen.plain} exact to the last digit, ` +
      `${seen.shared} with a shared discount, none further off than ${decimal(seen.most)} of the document's units; ` +
      `${seen.converted} converted or cut to two decimals, none further off than ${decimal(seen.mostConverted)} of the books'`,
  );
  expect(seen.sealed).toBeGreaterThan(numRuns * 0.75);
});

type Line = { taxClass: string; total: string };
type Into = { rate: ReturnType<typeof whole>; places: number };
type Seen = { plain: number; shared: number; converted: number; most: ReturnType<typeof whole>; mostConverted: ReturnType<typeof whole> };

/**
 * Each class is what Zoho charges under its taxes, rounded once. What is not taxed is exact; a taxed class may bear what rounding the
 * whole leaves over: of the total, and of every other class that was rounded for itself.
 */
function checkClasses(shape: Shape, truth: Truth, lines: Line[], { rate, places }: Into, seen: Seen): void {
  const sums = new Map<string, string>();
  for (const line of lines) sums.set(line.taxClass, add(sums.get(line.taxClass) ?? '0', line.total));
  const bearer = bearerOf(truth);
  // More than one line or class may have to bear it where the largest costs next to nothing.
  if (bearer === null) return;
  const isAnyTaxed = [...truth.classes.values()].some((each) => each.isTaxed && each.amount.n > 0n);
  const unit = whole(1n, 10n ** BigInt(places));
  const fineUnit = whole(1n, 10n ** BigInt(shape.places));
  for (const [taxClass, { amount, isTaxed }] of truth.classes) {
    const exact = times(taxClass === bearer ? plus(amount, truth.roundOff) : amount, rate);
    const ours = exactly(sums.get(taxClass) ?? '0');
    const off = distance(ours, rounded(exact, places));
    const isShared = truth.spread > 1;
    const isRounded = shape.foreign !== null || shape.places > 2;
    const bears = isTaxed || !isAnyTaxed;
    // A discount of the whole document is shared out in whole units: each class gets the nearest, one of them what is left.
    const ofShare = isShared ? times(times(fineUnit, whole(BigInt(truth.spread), 2n)), rate) : whole(0n);
    const ofRounding = isRounded ? times(unit, whole(BigInt(bears ? truth.classes.size + 1 : 1), 2n)) : whole(0n);
    const isExact = !isShared && !(isRounded && bears);
    if (isExact) seen.plain += 1;
    else if (isRounded) {
      seen.converted += 1;
      const inUnits = times(distance(ours, exact), whole(10n ** BigInt(places)));
      if (!isShared && isBelow(seen.mostConverted, inUnits)) seen.mostConverted = inUnits;
    } else {
      seen.shared += 1;
      const inUnits = times(distance(ours, exact), whole(10n ** BigInt(shape.places)));
      if (isBelow(seen.most, inUnits)) seen.most = inUnits;
    }
    if (isExact ? off.n !== 0n : isBelow(plus(ofShare, ofRounding), distance(ours, exact)))
      throw new Error(`${taxClass} is ${sums.get(taxClass)}, Zoho charges ${decimal(exact)} under its taxes (${JSON.stringify(shape)})`);
  }
}

/** The class that bears the round-off: the largest, where it is large enough. */
function bearerOf(truth: Truth): string | null {
  if (truth.roundOff.n === 0n) return '';
  const [largest, second] = [...truth.classes].sort(([, a], [, b]) => (isBelow(a.amount, b.amount) ? 1 : -1));
  if (!largest || isBelow(largest[1].amount, whole(2n))) return null;
  // Two of a size: either may.
  if (second && isBelow(distance(largest[1].amount, second[1].amount), whole(1n))) return null;
  return largest[0];
}

test('what is told to the device passes the device’s own checks, which share nothing with ours', () => {
  const exactNumbers = (text: string) =>
    JSON.parse(text, ((_key: string, value: unknown, context: { source: string }) => (typeof value === 'number' ? { n: context.source } : value)) as (
      key: string,
      value: unknown,
    ) => unknown);
  const device = { usedNumbers: [], usedPurchaseCodes: [], itemCodes: ['RW2NTXU0000001'], sales: [] };
  fc.assert(
    fc.property(shapes, fc.constantFrom('lines' as const, 'class' as const), (shape, headerTax) => {
      const { document } = read(shape);
      const { sale } = makeSale(document, setup, { confirm: ['exchange_rate_unlikely'], confirmed_rate: document.exchangeRate }, null);
      if (!sale) return;
      const totals = dialect.totals(sale.lines, setup.rates, headerTax);
      if (compare(totals.total, sale.total) !== 0) throw new Error('header and lines differ');
      if (compare(add('0', ...totals.byClass.map((each) => each.taxable)), totals.taxable) !== 0) throw new Error('classes do not make the taxable total');
      if (compare(add('0', ...totals.byClass.map((each) => each.tax)), totals.tax) !== 0) throw new Error('classes do not make the tax total');
      for (const [index, each] of sale.lines.entries()) {
        const percent = setup.rates[each.taxClass] as string;
        const tax = totals.lines[index]?.tax as string;
        // taxable × r = tax × (100 + r), to half a cent of tax.
        const off = add(multiply(each.total, percent), multiply(`-${tax}`, add('100', percent)));
        if (compare(round(off.replace('-', ''), 4), multiply('0.005', add('100', percent))) > 0) throw new Error('tax is not the split of the taxable amount');
      }
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
      const refusal = checkSale(exactNumbers(dialect.sell.toBody(coded, freeze)), device, { duplicate: '924', allowsPartialRefunds: false }, '20261120');
      if (refusal) throw new Error(`${refusal.code} ${refusal.text}`);
    }),
    { numRuns: cases('documents before the device’s own checks', { slice: 500, whole: 20_000 }), seed: examSeed },
  );
});
