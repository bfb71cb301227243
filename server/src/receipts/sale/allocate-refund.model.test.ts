import type { StoredProblem } from '@muhuri/shared/problems';
import { describe, expect, test } from 'vitest';
import type { LineInBooks, Sale, SaleLine } from '../../model/sale.model.ts';
import {
  inBooks,
  inexactOf,
  isTooLarge,
  itemsOf,
  keyFor,
  makesUp,
  smallest,
} from './refundable-items.model.ts';
import { fitQuantities, settle } from './allocate-refund.model.ts';

/** A line of an item at that total; without `books` it is of a receipt that kept none of them. */
const line = (total: string, more: Partial<SaleLine> = {}): SaleLine => ({
  source: 'item:1',
  itemCode: 'RW1',
  name: 'Bread',
  content: {} as SaleLine['content'],
  quantity: '1',
  unitPrice: total,
  gross: total,
  discountRate: '0.00',
  discount: '0.00',
  total,
  taxClass: 'B',
  ...more,
});
const books = (more: Partial<LineInBooks> = {}): { books: LineInBooks } => ({
  books: {
    quantity: '1',
    rate: '100',
    isTaxInclusive: true,
    worth: '100',
    slack: '0',
    unit: '0.01',
    baseUnit: '0.01',
    paid: '100',
    ...more,
  },
});
const of = (...lines: SaleLine[]) => ({ lines, foreign: null }) as unknown as Sale;
const key = () => 'B';
const itemsOfOne = (sale: Sale, refund: Sale, ...others: Sale[]) => {
  const items = itemsOf(refund, sale, others, key);
  return { items, item: items.get('B') as NonNullable<ReturnType<typeof items.get>> };
};

describe('what is given to or taken from an item', () => {
  const totals = (lines: SaleLine[]) =>
    lines.map((each) => [each.gross, each.discount, each.total]);

  test('changes its last line, and the one before where that has not enough', () => {
    const lines = [line('50.00'), line('20.00'), line('9.00', { taxClass: 'A' })];
    const ofClass = (each: SaleLine) => each.taxClass;
    expect(totals(settle(lines, 'B', ofClass, '0.03'))).toEqual([
      ['50.00', '0.00', '50.00'],
      ['20.03', '0.00', '20.03'],
      ['9.00', '0.00', '9.00'],
    ]);
    expect(
      totals(settle(lines, 'B', ofClass, '-20.50'))
        .slice(0, 2)
        .map(([, , total]) => total),
    ).toEqual(['49.50', '0.00']);
    expect(settle(lines, 'B', ofClass, '0')).toEqual(lines);
  });

  test('changes what was taken off rather than the price, as far as that has room', () => {
    const off = [line('90.00', { gross: '100.00', discount: '10.00', discountRate: '10.00' })];
    expect(totals(settle(off, 'B', key, '4.00'))).toEqual([['100.00', '6.00', '94.00']]);
    expect(totals(settle(off, 'B', key, '11.00'))).toEqual([['101.00', '0.00', '101.00']]);
  });
});

describe('the quantity that a device is told', () => {
  const told = (sold: SaleLine[], asked: SaleLine[], others: SaleLine[] = []) => {
    const { items } = itemsOfOne(
      of(...sold),
      of(...asked),
      ...(others.length ? [of(...others)] : []),
    );
    const findings: StoredProblem[] = [];
    const lines = fitQuantities(asked, items, key, findings);
    return [lines.map((each) => [each.quantity, each.unitPrice]), findings.map(({ code }) => code)];
  };

  test('is what was asked, where the money comes to as much', () => {
    const asked = line('40.00', { quantity: '4', unitPrice: '10.00' });
    expect(told([line('100.00', { quantity: '10' })], [asked])).toEqual([[['4', '10.00']], []]);
  });

  test('is the money’s part of what was sold, where more was asked for less', () => {
    const asked = line('20.00', { quantity: '10' });
    expect(told([line('100.00', { quantity: '10' })], [asked])).toEqual([[['2.00', '10.00']], []]);
  });

  test('is a hundredth at least, and never more than is left', () => {
    const sold = [line('100.00', { quantity: '10' })];
    expect(told(sold, [line('0.01', { quantity: '5' })])).toEqual([[['0.01', '1.00']], []]);
    expect(
      told(sold, [line('40.00', { quantity: '4' })], [line('60.00', { quantity: '8' })]),
    ).toEqual([[['2', '20.00']], []]);
  });

  test('is nothing that could be told once none is left', () => {
    const sold = [line('100.00', { quantity: '10' })];
    const asked = line('1.00', { quantity: '1' });
    expect(told(sold, [asked], [line('99.00', { quantity: '10' })])).toEqual([
      [['1', '1.00']],
      ['refused_refund_quantity'],
    ]);
  });

  test('is left alone of what was not sold, or sold for nothing', () => {
    const findings: StoredProblem[] = [];
    const asked = [line('1.00', { taxClass: 'A' })];
    expect(fitQuantities(asked, new Map(), key, findings)).toEqual(asked);
    expect(told([line('0.00')], [line('0.00', { quantity: '3' })])).toEqual([[['3', '0.00']], []]);
  });
});

describe('the parts of a sale', () => {
  test('may be more than it by rounding alone, a unit each where nothing else is known', () => {
    const asks = (asked: string, ...others: string[]) => {
      const sale = of(line('100.00'));
      const { item } = itemsOfOne(sale, of(line(asked)), ...others.map((each) => of(line(each))));
      return isTooLarge(item, sale);
    };
    expect(asks('100.00')).toBe(false);
    expect(asks('100.01')).toBe(false);
    expect(asks('100.02')).toBe(true);
    expect(asks('50.02', '50.00')).toBe(false);
    expect(asks('50.03', '50.00')).toBe(true);
    expect(asks('0.01', '100.00'), 'nothing is left').toBe(true);
    expect(itemsOfOne(of(line('100.00')), of(line('1.00')), of(line('101.00'))).item.row.left).toBe(
      '0.00',
    );
  });

  test('make it up where they are paid what it was, in the document’s own currency', () => {
    const make = (paid: string, more: Partial<LineInBooks> = {}) =>
      makesUp(
        itemsOfOne(of(line('100.00', books())), of(line('100.00', books({ paid, ...more })))).item,
      );
    expect(make('100')).toBe(true);
    expect(make('99')).toBe(false);
    expect(make('101'), 'rounded up, and worth no more').toBe(true);
    expect(make('101', { worth: '101' })).toBe(false);
    expect(make('101', { isTaxInclusive: false })).toBe(false);
    expect(makesUp(itemsOfOne(of(line('100.00')), of(line('100.00', books()))).item)).toBe(false);
  });

  test('are compared before rounding only where all say whether the tax is inside', () => {
    expect(inBooks([line('1', books()), line('1', books())])).toBe(true);
    expect(inBooks([line('1', books()), line('1', books({ isTaxInclusive: false }))])).toBe(false);
    expect(inBooks([line('1', books()), line('1')])).toBe(false);
    expect(inBooks([line('1')])).toBe(false);
    expect(inBooks([])).toBe(false);
  });

  test('of older receipts are known to a cent and a half hundredth', () => {
    expect(inexactOf([line('1'), line('1', books()), line('1')])).toBe('0.01');
    const dollars = { ...of(), foreign: { exchangeRate: '1400' } } as Sale;
    expect(smallest(line('1'), of())).toBe('0.01');
    expect(smallest(line('1', books({ unit: '0.001' })), dollars)).toBe('1.4');
  });

  test('are told apart by their names, unless a refund has one that its sale has not', () => {
    const free = (name: string) => line('1', { source: 'free_text', name });
    const sale = of(free('Rent'), free('Water'));
    expect(keyFor(sale, [of(free('Rent'))])(free('Water'))).toContain('water');
    expect(keyFor(sale, [of(free('Light'))])(free('Water'))).toBe('B free_text');
  });
});
