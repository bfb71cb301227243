import { add, compare, multiply, round, unit } from '@muhuri/shared/money';
import { loadDialects } from '@muhuri/server/dialects/index';
import { makeSale } from '@muhuri/server/receipts/sale/make-sale.model';
import { setup as samples } from '@muhuri/server/receipts/sale/make-sale.samples';
import type { Sale } from '@muhuri/server/model/sale.model';
import type { Json } from '@muhuri/server/zoho/parse-json';
import { readDocument } from '@muhuri/server/zoho/read-document';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSale } from '../authorities/rw-vsdc/simulator/check-sale.ts';
import { cases, examSeed } from './size.ts';
import {
  decimal,
  distance,
  exactly,
  isBelow,
  makeDocument,
  plus,
  rounded,
  type Shape,
  shapes,
  taxes,
  times,
  type Truth,
  whole,
} from './zoho-documents.ts';

const dialect = (await loadDialects()).of('rw-vsdc');
const setup = {
  ...samples,
  taxes: Object.fromEntries(Object.entries(taxes).map(([id, { taxClass }]) => [id, taxClass])),
};

function read(shape: Shape) {
  const { raw, basePlaces, truth } = makeDocument(shape);
  const around = {
    baseCurrency: 'RWF',
    basePlaces,
    customFields: { buyer_tin: '', purchase_code: '' },
    mobile: '0788000000',
    paymentModes: [],
    appliedTo: [],
  };
  return { document: readDocument('invoices', '1', raw as { [key: string]: Json }, around), truth };
}

/** What may be refused, because it is truly nothing or cannot be told to the device. */
function mayRefuse(code: string, truth: Truth, shape: Shape): boolean {
  if (code === 'document_empty') return truth.isEmpty;
  if (code === 'quantity_unsupported') return truth.isTooFine;
  const rate = whole(BigInt(shape.foreign?.rate ?? 1_000_000), 1_000_000n);
  if (code === 'document_zero')
    return (
      truth.total.n === 0n ||
      rounded(times(truth.total, rate), Math.min(shape.foreign?.basePlaces ?? 2, 2)).n === 0n
    );
  // Nothing was sealed in this currency before, and the rate is no rate of any pair of currencies.
  return code === 'exchange_rate_unlikely' && shape.foreign !== null;
}

test('every document that Zoho can send is sealed at its total, tax by tax, or refused for a true reason', () => {
  const numRuns = cases('documents as Zoho sends them', { slice: 1_500, whole: 100_000 });
  const seen = {
    sealed: 0,
    foreign: 0,
    refused: {} as Record<string, number>,
    nearest: 0,
    borne: 0,
    most: whole(0n),
  };
  fc.assert(
    fc.property(shapes, (shape) => {
      const { document, truth } = read(shape);
      const made = makeSale(
        document,
        setup,
        { confirm: ['exchange_rate_unlikely'], confirmed_rate: document.exchangeRate },
        null,
      );
      const { sale } = made;
      if (!sale) {
        const untrue = made.findings.filter(({ code }) => !mayRefuse(code, truth, shape));
        if (untrue.length > 0 || made.findings.length === 0)
          throw new Error(
            `refused: ${JSON.stringify(made.findings)} of ${JSON.stringify(document)}`,
          );
        for (const { code } of made.findings) seen.refused[code] = (seen.refused[code] ?? 0) + 1;
        return;
      }
      seen.sealed += 1;
      if (shape.foreign) seen.foreign += 1;
      const places = Math.min(shape.foreign?.basePlaces ?? shape.places, 2);
      const rate = whole(BigInt(shape.foreign?.rate ?? 1_000_000), 1_000_000n);
      const exact = times(truth.total, rate);
      const off = distance(exactly(sale.total), exact);
      // Just between two amounts the books' own conversion decides, and that has gone through
      // binary floats.
      if (distance(off, distance(rounded(exact, places), exact)).n !== 0n)
        throw new Error(`sealed ${sale.total}, Zoho says ${decimal(exact)}`);
      const isAlike =
        truth.alike !== null &&
        fits(() =>
          checkClasses(
            shape,
            { ...truth, classes: truth.alike as Truth['classes'] },
            sale,
            { rate, places },
            null,
          ),
        );
      if (!isAlike) checkClasses(shape, truth, sale, { rate, places }, seen);
      for (const each of sale.lines) {
        if (compare(each.total, '0') < 0 || compare(each.discount, '0') < 0)
          throw new Error('a negative line');
        if (compare(add(each.total, each.discount), each.gross) !== 0)
          throw new Error('gross − discount is not the total');
        if ((compare(each.discount, '0') === 0) !== (compare(each.discountRate, '0') === 0))
          throw new Error('a discount without a rate');
      }
    }),
    { numRuns, seed: examSeed },
  );
  console.info(
    `${seen.sealed} sealed (${seen.foreign} foreign), refused ${JSON.stringify(seen.refused)}; tax classes: ${seen.nearest} rounded for themselves, ` +
      `${seen.borne} moved by the total, none further than ${decimal(seen.most, 6)} of a unit from what Zoho charges under its taxes`,
  );
  expect(seen.sealed).toBeGreaterThan(numRuns * 0.75);
});

type Into = { rate: ReturnType<typeof whole>; places: number };
type Seen = { nearest: number; borne: number; most: ReturnType<typeof whole> };

/** Whether a document's figures are also right as they can just as well be read. */
function fits(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/**
 * Each class is what Zoho charges under its taxes, with its exact part of a discount and exactly
 * converted, rounded once: to the nearest unit, so that it is no more than half a unit off,
 * wherever the classes so rounded make the total.
 *
 * They cannot always. An exempt class of 0.49 and a taxed one of 0.01 make 0.50, and the total
 * rounds to 1, which is 1 more than the two rounded (0 and 0): one of them goes up, and is off by
 * 0.51 or by 0.99. So no bound below one whole unit holds for every document while what is not
 * taxed stays what it is. What is held here is the least there is: what is not taxed is rounded for
 * itself, the taxed class bears what is left and is less than a unit off; only where it would be a
 * whole unit off, one that is not taxed takes its part, and is less than a unit off as well.
 */
function checkClasses(
  shape: Shape,
  truth: Truth,
  sale: Sale,
  { rate, places }: Into,
  seen: Seen | null,
): void {
  const bearer = bearerOf(truth);
  // More than one line or class may have to bear the round-off where the largest costs next to
  // nothing.
  if (bearer === null) return;
  const unit = whole(1n, 10n ** BigInt(places));
  const rows = [...truth.classes].map(([taxClass, { amount, isTaxed }]) => {
    const exact = times(taxClass === bearer ? plus(amount, truth.roundOff) : amount, rate);
    const ours = exactly(
      add(
        '0',
        ...sale.lines.filter((line) => line.taxClass === taxClass).map((line) => line.total),
      ),
    );
    return { taxClass, isTaxed, exact, ours, nearest: rounded(exact, places) };
  });
  const off = ({ ours, exact }: (typeof rows)[number]) =>
    times(distance(ours, exact), whole(10n ** BigInt(places)));
  const fail = (row: (typeof rows)[number]) =>
    new Error(
      `${row.taxClass} is ${decimal(row.ours)}, Zoho charges ${decimal(row.exact)} under its taxes (${JSON.stringify(shape)})`,
    );
  const sum = (all: ReturnType<typeof whole>[]) => all.reduce(plus, whole(0n));
  const untaxed = rows.filter((row) => !row.isTaxed);
  const taxed = rows.filter((row) => row.isTaxed);
  const isTotal = distance(sum(rows.map((row) => row.nearest)), exactly(sale.total)).n === 0n;
  const left = distance(
    exactly(sale.total),
    sum([...untaxed.map((row) => row.nearest), ...taxed.map((row) => row.exact)]),
  );
  const mayMove = taxed.length === 0 || !isBelow(left, unit);
  for (const row of rows) {
    const isNearest = distance(row.ours, row.nearest).n === 0n;
    if (!isBelow(off(row), whole(1n)) || (!isNearest && (isTotal || (!row.isTaxed && !mayMove))))
      throw fail(row);
    if (!seen) continue;
    if (isNearest) seen.nearest += 1;
    else seen.borne += 1;
    if (isBelow(seen.most, off(row))) seen.most = off(row);
  }
}

/** The class that bears the round-off: the largest, where it is large enough. */
function bearerOf(truth: Truth): string | null {
  if (truth.roundOff.n === 0n) return '';
  const [largest, second] = [...truth.classes].sort(([, a], [, b]) =>
    isBelow(a.amount, b.amount) ? 1 : -1,
  );
  if (!largest || isBelow(largest[1].amount, whole(2n))) return null;
  // Two of a size: either may.
  if (second && isBelow(distance(largest[1].amount, second[1].amount), whole(1n))) return null;
  return largest[0];
}

test('a tax that is charged at another rate than it is named at is never sealed without a word', () => {
  const numRuns = cases('documents whose tax is not what it is called', {
    slice: 500,
    whole: 20_000,
  });
  const otherwise = fc.constantFrom(
    ...(['vat', 'vatToo'] as const).flatMap((tax) =>
      [0, 5, 16].map((percent) => ({ tax, percent })),
    ),
    ...(['exempt', 'zero'] as const).map((tax) => ({ tax, percent: 18 })),
  );
  let asked = 0;
  fc.assert(
    fc.property(shapes, otherwise, (given, charged) => {
      const shape: Shape = { ...given, charged };
      const { document } = read(shape);
      const own = document.lines.filter((line) => line.tax?.id === charged.tax);
      const difference = multiply(
        add('0', ...own.map((line) => line.net)),
        String(Math.abs(charged.percent - taxes[charged.tax].percent) / 100),
      );
      // So much only rounding can make of it, or there is nothing to tax.
      const shown = multiply(String(4 * document.lines.length + 20), unit(document.places));
      if (shape.discounts === 'whole' || compare(difference, shown) <= 0) return;
      const { sale, findings } = makeSale(
        document,
        setup,
        { confirm: ['exchange_rate_unlikely'], confirmed_rate: document.exchangeRate },
        null,
      );
      const codes = findings.map(({ code }) => code);
      if (codes.includes('document_zero') || codes.includes('quantity_unsupported')) return;
      asked += 1;
      if (sale || !codes.includes('tax_rate_differs'))
        throw new Error(`${JSON.stringify(findings)} of ${JSON.stringify(document)}`);
    }),
    { numRuns, seed: examSeed },
  );
  console.info(
    `${asked} of them charge otherwise by more than rounding, and every one is refused for it`,
  );
  expect(asked).toBeGreaterThan(numRuns / 5);
});

test('what is told to the device passes the device’s own checks, which share nothing with ours', () => {
  const exactNumbers = (text: string) =>
    JSON.parse(text, ((_key: string, value: unknown, context: { source: string }) =>
      typeof value === 'number' ? { n: context.source } : value) as (
      key: string,
      value: unknown,
    ) => unknown);
  const device = {
    usedNumbers: [],
    usedPurchaseCodes: [],
    itemCodes: ['RW2NTXU0000001'],
    sales: [],
  };
  fc.assert(
    fc.property(shapes, fc.constantFrom('lines' as const, 'class' as const), (shape, headerTax) => {
      const { document } = read(shape);
      const { sale } = makeSale(
        document,
        setup,
        { confirm: ['exchange_rate_unlikely'], confirmed_rate: document.exchangeRate },
        null,
      );
      if (!sale) return;
      const totals = dialect.sales.totals(sale.lines, setup.rates, headerTax);
      if (compare(totals.total, sale.total) !== 0) throw new Error('header and lines differ');
      if (compare(add('0', ...totals.byClass.map((each) => each.taxable)), totals.taxable) !== 0)
        throw new Error('classes do not make the taxable total');
      if (compare(add('0', ...totals.byClass.map((each) => each.tax)), totals.tax) !== 0)
        throw new Error('classes do not make the tax total');
      for (const [index, each] of sale.lines.entries()) {
        const percent = setup.rates[each.taxClass] as string;
        const tax = totals.lines[index]?.tax as string;
        // taxable × r = tax × (100 + r), to half a cent of tax.
        const off = add(multiply(each.total, percent), multiply(`-${tax}`, add('100', percent)));
        if (compare(round(off.replace('-', ''), 4), multiply('0.005', add('100', percent))) > 0)
          throw new Error('tax is not the split of the taxable amount');
      }
      const coded = {
        ...sale,
        lines: sale.lines.map((each) => ({ ...each, itemCode: 'RW2NTXU0000001' })),
      };
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
      const refusal = checkSale(
        exactNumbers(dialect.sales.toBody(coded, freeze)),
        device,
        { duplicate: '924', allowsPartialRefunds: false },
        '20261120',
      );
      if (refusal) throw new Error(`${refusal.code} ${refusal.text}`);
    }),
    {
      numRuns: cases('documents before the device’s own checks', { slice: 500, whole: 20_000 }),
      seed: examSeed,
    },
  );
});
