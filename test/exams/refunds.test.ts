import { add, compare, multiply, unit } from '@muhuri/shared/money';
import { describeProblem } from '@muhuri/shared/problems';
import { makeSale } from '@muhuri/server/receipts/sale/make-sale.model';
import { setup as samples } from '@muhuri/server/receipts/sale/make-sale.samples';
import { fitRefund } from '@muhuri/server/receipts/sale/fit-refund.model';
import type { Sale } from '@muhuri/server/model/sale.model';
import type { Json } from '@muhuri/server/zoho/parse-json';
import { readDocument } from '@muhuri/server/zoho/read-document';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cases, examSeed } from './size.ts';
import { makeDocument, type Shape, taxes } from './zoho-documents.ts';

const setup = {
  ...samples,
  taxes: Object.fromEntries(Object.entries(taxes).map(([id, { taxClass }]) => [id, taxClass])),
};

type LineShape = Shape['lines'][number];
type Split = { how: 'quantity' | 'price'; parts: number[]; ownRate: number };

const sales: fc.Arbitrary<
  Pick<
    Shape,
    | 'places'
    | 'isInclusive'
    | 'perLine'
    | 'lines'
    | 'foreign'
    | 'lineTaxes'
    | 'named'
    | 'rounds'
    | 'discounts'
    | 'entityPercent'
  >
> = fc.record({
  places: fc.constantFrom(0, 2, 2, 2, 3),
  isInclusive: fc.boolean(),
  perLine: fc.boolean(),
  lines: fc.array(
    fc.record({
      what: fc.constant('usual' as const),
      rate: fc.integer({ min: 10, max: 999_999 }),
      finer: fc.constant(0),
      quantity: fc.integer({ min: 2, max: 500 }),
      quantityPlaces: fc.constantFrom(0, 0, 2, 3),
      discount: fc.constant('none' as const),
      percent: fc.constant(0),
      tax: fc.constantFrom('vat', 'vat', 'exempt', 'zero', 'group'),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  foreign: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.record({
        rate: fc.integer({ min: 300_001, max: 1_500_000_000 }),
        basePlaces: fc.constantFrom(0, 2),
      }),
    },
  ),
  lineTaxes: fc.constantFrom(true, true, false),
  named: fc.constantFrom('ids', 'names', 'absent'),
  rounds: fc.constantFrom('no', 'no', 'nearest'),
  discounts: fc.constantFrom('none', 'none', 'percent'),
  entityPercent: fc.constantFrom(3, 7, 15),
});

const splits: fc.Arbitrary<Split> = fc.record({
  how: fc.constantFrom('quantity', 'price'),
  parts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  ownRate: fc.integer({ min: 900, max: 1_100 }),
});

const rest: Omit<
  Shape,
  | 'places'
  | 'isInclusive'
  | 'perLine'
  | 'lines'
  | 'foreign'
  | 'lineTaxes'
  | 'named'
  | 'rounds'
  | 'discounts'
  | 'entityPercent'
> = {
  shares: 'exact',
  ofGross: false,
  countsShipping: false,
  shipping: 'none',
  shippingTax: 'vat',
  charge: 1,
  adjustment: 0,
  retainer: false,
};

function read(shape: Shape, module: 'invoices' | 'creditnotes') {
  const { raw, basePlaces, truth } = makeDocument(shape);
  const around = {
    baseCurrency: 'RWF',
    basePlaces,
    customFields: { buyer_tin: '', purchase_code: '' },
    mobile: '0788000000',
    paymentModes: [],
    appliedTo: [],
  };
  const note = { creditnote_id: '1', creditnote_number: 'CN-1' };
  return {
    document: readDocument(
      module,
      '1',
      { ...raw, ...(module === 'creditnotes' ? note : {}) } as { [key: string]: Json },
      around,
    ),
    truth,
  };
}

/** A whole number in parts of those sizes, none of them lost. */
function divided(whole: number, parts: number[]): number[] {
  const all = parts.reduce((a, b) => a + b, 0);
  let done = 0;
  let before = 0;
  return parts.map((part) => {
    before += part;
    const until = Math.floor((whole * before) / all);
    const own = until - done;
    done = until;
    return own;
  });
}

/**
 * The credit notes of a split, each as Zoho would make it for itself, on a day with its own
 * exchange rate.
 */
function notesOf(sale: Shape, { how, parts, ownRate }: Split): Shape[] {
  const field = how === 'quantity' ? 'quantity' : 'rate';
  const perLine = sale.lines.map((line) => divided(line[field], parts));
  return parts
    .map((_, at) => ({
      ...sale,
      lines: sale.lines
        .map((line, index): LineShape => ({ ...line, [field]: perLine[index]?.[at] as number }))
        .filter((line) => line[field] > 0),
      foreign: sale.foreign && {
        ...sale.foreign,
        rate: Math.round((sale.foreign.rate * ownRate) / 1_000),
      },
      rounds: 'no' as const,
    }))
    .filter((note) => note.lines.length > 0);
}

function refundOf(note: Shape, sale: Sale, others: Sale[]) {
  const { document } = read(note, 'creditnotes');
  const made = makeSale(document, setup, { reason_code: '06' }, sale);
  return {
    document,
    made,
    fitted:
      made.priced &&
      fitRefund(made.priced, sale, others, { isSameBuyer: true, allowsPartial: true }),
  };
}

test('however a sale is split into credit notes, they refund it to its end, and not a cent more', () => {
  const numRuns = cases('sales split into credit notes', { slice: 300, whole: 20_000 });
  const seen = { sales: 0, notes: 0, whole: 0, cut: 0, refused: 0 };
  fc.assert(
    fc.property(sales, splits, (given, split) => {
      const shape: Shape = {
        ...rest,
        ...given,
        lines: given.lines.map((line, item) => ({ ...line, item })),
      };
      const { document } = read(shape, 'invoices');
      const { sale } = makeSale(
        document,
        setup,
        { confirm: ['exchange_rate_unlikely'], confirmed_rate: document.exchangeRate },
        null,
      );
      // Of next to nothing the first part, rounded up, is all there was.
      if (
        !sale ||
        sale.lines.some(
          (line) =>
            compare(line.total, '50') < 0 ||
            compare(line.books?.paid as string, multiply('50', unit(shape.places))) < 0,
        )
      )
        return;
      seen.sales += 1;
      const others: Sale[] = [];
      const askedIn = new Map<string, string>();
      for (const note of notesOf(shape, split)) {
        const { document: asked, made, fitted } = refundOf(note, sale, others);
        // A part that rounds to nothing is no document.
        if (
          compare(asked.total, '0') === 0 ||
          asked.lines.some((line) => compare(line.quantity, '0.005') < 0)
        )
          return;
        if (made.priced && compare(made.priced.total, '0') === 0) return;
        // The sale was rounded down, and the parts before have taken all there was.
        if (
          shape.rounds !== 'no' &&
          fitted?.findings.length === 1 &&
          fitted.left.every((row) => compare(row.asked, '0') === 0 || compare(row.left, '0') === 0)
        )
          return;
        if (!fitted || made.findings.length + fitted.findings.length > 0)
          throw new Error(
            `${JSON.stringify(fitted?.findings ?? made.findings)}: note ${JSON.stringify(note)} of ${JSON.stringify(shape)}, ${JSON.stringify(split)}`,
          );
        seen.notes += 1;
        if (compare(fitted.refund.total, made.priced?.total as string) !== 0) seen.cut += 1;
        for (const line of made.priced?.lines ?? [])
          askedIn.set(
            line.taxClass,
            add(askedIn.get(line.taxClass) ?? '0', line.books?.paid ?? '0'),
          );
        others.push(fitted.refund);
      }
      const refunded = add('0', ...others.map((each) => each.total));
      if (compare(refunded, sale.total) > 0)
        throw new Error(`refunded ${refunded} of ${sale.total}`);
      // Money never goes from one tax class to another: it is the sale again where it is in each
      // class.
      for (const [taxClass, asked] of shape.rounds === 'no' ? askedIn : []) {
        const of = (lines: Sale['lines'], what: (line: Sale['lines'][number]) => string) =>
          add('0', ...lines.filter((line) => line.taxClass === taxClass).map(what));
        if (
          compare(
            asked,
            of(sale.lines, (line) => line.books?.paid ?? '0'),
          ) < 0
        )
          continue;
        seen.whole += 1;
        const [got, sold] = [others.flatMap((each) => each.lines), sale.lines].map((lines) =>
          of(lines, (line) => line.total),
        ) as [string, string];
        // Converted or cut to two decimals, each line may have moved by a unit of the books' own
        // currency; and a share of the document's discount, which is no whole unit of the
        // document's currency, by what such a unit is worth.
        const isPlain = shape.foreign === null && shape.places <= 2;
        const lines = String(
          sale.lines.length + others.reduce((count, each) => count + each.lines.length, 0),
        );
        const { baseUnit = '0.01', unit: ownUnit = '0.01' } = sale.lines[0]?.books ?? {};
        const ofShare =
          shape.discounts === 'none' ? '0' : multiply(ownUnit, sale.foreign?.exchangeRate ?? '1');
        const moved = isPlain ? '0' : multiply(add(baseUnit, ofShare), lines);
        if (compare(add(got, moved), sold) < 0 || compare(got, sold) > 0)
          throw new Error(
            `the notes are the sale, refunded ${got} of ${sold} in ${taxClass}: ${JSON.stringify(shape)}, ${JSON.stringify(split)}`,
          );
      }
      // Whatever rounding has left of an item, and the smallest amount more.
      const { left } = fitRefund(others[0] as Sale, sale, others, {
        isSameBuyer: true,
        allowsPartial: true,
      });
      for (const index of shape.lines.keys()) {
        const row = left.find(
          (each) =>
            sale.lines[index]?.name === each.name &&
            compare(each.sold, sale.lines[index]?.total as string) === 0,
        );
        if (!row || compare(row.left, '0') > 0) continue;
        const more: Shape = {
          ...shape,
          lines: shape.lines
            .map((each, at) =>
              at === index ? { ...each, rate: 1, quantity: 1, quantityPlaces: 0 as const } : each,
            )
            .slice(index, index + 1),
          rounds: 'no',
        };
        const made = makeSale(
          read(more, 'creditnotes').document,
          setup,
          { reason_code: '06' },
          sale,
        );
        if (!made.priced || compare(made.priced.total, '0') <= 0) continue;
        const { findings } = fitRefund(made.priced, sale, others, {
          isSameBuyer: true,
          allowsPartial: true,
        });
        const [finding] = findings;
        if (finding?.code !== 'refund_too_large')
          throw new Error(`one more was ${JSON.stringify(findings)} of ${JSON.stringify(shape)}`);
        const sentence = describeProblem(finding, 'en').title;
        for (const said of [
          made.priced.total,
          '0.00',
          String(finding.sold_quantity),
          String(finding.unit_price),
        ])
          expect(sentence).toContain(said);
        if (sale.foreign) expect(sentence).toContain(sale.foreign.exchangeRate);
        seen.refused += 1;
      }
    }),
    { numRuns, seed: examSeed },
  );
  console.info(
    `${seen.sales} sales in ${seen.notes} notes, ${seen.whole} tax classes of theirs to the end, ${seen.cut} notes settled to what was left; ${seen.refused} times the smallest amount more was refused`,
  );
  expect(seen.whole).toBeGreaterThan(numRuns / 4);
});

test('a discount in money, however credit notes share it out among them, never takes them beyond the sale, and the last finishes it', () => {
  const numRuns = cases('sales with a discount in money split into credit notes', {
    slice: 150,
    whole: 10_000,
  });
  const seen = { whole: 0, settled: 0, early: 0 };
  const line = fc.record({
    rate: fc.integer({ min: 5_000, max: 999_999 }),
    quantity: fc.integer({ min: 2, max: 30 }),
  });
  const given = fc.record({
    lines: fc.array(line, { minLength: 1, maxLength: 4 }),
    isInclusive: fc.boolean(),
    perLine: fc.boolean(),
    permille: fc.integer({ min: 5, max: 150 }),
    notes: fc.array(
      fc.record({
        part: fc.integer({ min: 1, max: 9 }),
        ofDiscount: fc.integer({ min: 0, max: 9 }),
      }),
      { minLength: 2, maxLength: 4 },
    ),
  });
  fc.assert(
    fc.property(given, ({ lines, isInclusive, perLine, permille, notes }) => {
      fc.pre(notes.some((note) => note.ofDiscount > 0));
      const usual = {
        what: 'usual',
        finer: 0,
        quantityPlaces: 0,
        discount: 'none',
        percent: 0,
        tax: 'vat',
      } as const;
      const form = {
        ...rest,
        places: 2,
        isInclusive,
        perLine,
        foreign: null,
        lineTaxes: true,
        named: 'ids',
        rounds: 'no',
        entityPercent: 0,
      } as const;
      const shapeOf = (each: typeof lines, discount: number): Shape => ({
        ...form,
        lines: each
          .map((own, item) => ({ ...usual, ...own, item }))
          .filter((own) => own.quantity > 0),
        discounts: discount > 0 ? 'amount' : 'none',
        entityAmount: discount,
      });
      const subTotal = lines.reduce((sum, each) => sum + each.rate * each.quantity, 0);
      const discount = Math.floor((subTotal * permille) / (isInclusive ? 1_180 : 1_000));
      const shape = shapeOf(lines, discount);
      const { sale } = makeSale(read(shape, 'invoices').document, setup, {}, null);
      if (!sale) throw new Error(`not sold: ${JSON.stringify(shape)}`);
      const quantities = lines.map((each) =>
        divided(
          each.quantity,
          notes.map((note) => note.part),
        ),
      );
      const discounts = divided(
        discount,
        notes.map((note) => note.ofDiscount),
      );
      const made = notes
        .map((_, at) =>
          shapeOf(
            lines.map((each, index) => ({ ...each, quantity: quantities[index]?.[at] as number })),
            discounts[at] as number,
          ),
        )
        .filter((note, at) => note.lines.length > 0 || (discounts[at] as number) > 0);
      // Nobody takes more off a document than stands on it.
      fc.pre(
        made.every(
          (note) =>
            note.lines.reduce((sum, each) => sum + each.rate * each.quantity, 0) >
            2 * (note.entityAmount ?? 0),
        ),
      );
      const others: Sale[] = [];
      let asked = '0';
      for (const [at, note] of made.entries()) {
        const { document, fitted, made: whole } = refundOf(note, sale, others);
        // One that takes less off an item than the sale did, and leaves none of it for the others
        // to make up for it, is too large.
        if (
          at < made.length - 1 &&
          fitted?.findings.every(({ code }) => code === 'refund_too_large') &&
          fitted.findings.length > 0
        ) {
          seen.early += 1;
          return;
        }
        if (!fitted || whole.findings.length + fitted.findings.length > 0)
          throw new Error(
            `${JSON.stringify(fitted?.findings ?? whole.findings)}: note ${at} of ${JSON.stringify(made)} of ${JSON.stringify(shape)}`,
          );
        if (
          fitted.refund.lines.some((own, index) => own.total !== whole.priced?.lines[index]?.total)
        )
          seen.settled += 1;
        asked = add(asked, document.total);
        others.push(fitted.refund);
      }
      const refunded = add('0', ...others.map((each) => each.total));
      if (
        compare(refunded, sale.total) > 0 ||
        (compare(asked, sale.total) >= 0 && compare(refunded, sale.total) !== 0)
      )
        throw new Error(
          `refunded ${refunded} of ${sale.total}: ${JSON.stringify(made)} of ${JSON.stringify(shape)}`,
        );
      seen.whole += 1;
    }),
    { numRuns, seed: examSeed },
  );
  console.info(
    `${seen.whole} sales refunded to their end, ${seen.settled} notes settled to what was left; ${seen.early} notes took too little off before`,
  );
  expect(seen.settled).toBeGreaterThan(numRuns / 20);
});
