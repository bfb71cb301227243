import {
  type Amount,
  absolute,
  add,
  compare,
  divide,
  isZero,
  multiply,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument, BooksLine, LineTax } from '../../model/books-document.model.ts';

/** What a tax of a document comes to, on what, and the lines under it. */
export type LeviedTax = {
  id: string;
  percent: Amount;
  base: Amount;
  amount: Amount;
  lines: BooksLine[];
};

type Kept = { line: BooksLine; index: number };

export const hasEntityDiscount = (document: BooksDocument): boolean =>
  document.discount.isBeforeTax && !isZero(document.discount.amount);

/** What a line costs in the basis of its price, after its own discount. */
export const grossOf = (document: BooksDocument, line: BooksLine): Amount =>
  subtract(round(multiply(line.rate, line.quantity), document.places), line.discount);

/**
 * What of the whole document's discount is each line's: as the books say it, else in proportion to
 * what the line comes to. Not rounded: a share is no amount that anybody pays.
 */
export function discountShares(
  document: BooksDocument,
  lines: BooksLine[],
  weights: Amount[],
): Amount[] {
  if (!hasEntityDiscount(document)) return weights.map(() => '0');
  const { amount } = document.discount;
  const said = lines.flatMap(({ share }) => share ?? []);
  const isSaid = said.length === weights.length && compare(add('0', ...said), amount) === 0;
  const parts = isSaid ? said : weights;
  const all = add('0', ...parts);
  const shares = parts.map((part) =>
    isZero(all) ? divide(amount, String(parts.length)) : divide(multiply(amount, part), all),
  );
  // What dividing has cut off belongs to somebody, or the shares would not be the discount.
  const last = shares.findLastIndex((share) => !isZero(share));
  return shares.map((share, index) =>
    index === last ? add(share, subtract(amount, add('0', ...shares))) : share,
  );
}

/**
 * Whether a tax can have come about at that rate, to so many units of the document's precision:
 * each tax of a group is rounded for itself.
 */
export const isLevied = (
  amount: Amount,
  net: Amount,
  rate: Amount,
  places: number,
  units = '1',
): boolean =>
  compare(
    absolute(subtract(amount, divide(multiply(net, rate), '100'))),
    multiply(unit(places), units),
  ) <= 0;

/**
 * What a tax is said to be is one thing, what was charged under its name another: a device takes
 * the VAT of its class out of whatever was paid. So each line's tax has to be what its own rate
 * comes to, on the line as it is discounted, however the books rounded it. Where the lines do not
 * say what their taxes come to, `checkTaxes` looks at them by tax.
 */
export function checkLineTaxes(
  document: BooksDocument,
  kept: Kept[],
  isAsked: (tax: LineTax) => boolean,
): StoredProblem[] {
  const lines = kept.map(({ line }) => line);
  const nets = lines.map((line) => line.net);
  const shares = discountShares(document, lines, nets);
  const ways = [nets.map((net, index) => subtract(net, shares[index] as Amount))];
  if (document.isTaxInclusive && hasEntityDiscount(document)) {
    const gross = lines.map((line) => grossOf(document, line));
    const cuts = discountShares(document, lines, gross);
    ways.push(
      gross.map((amount, index) =>
        withoutTax(subtract(amount, cuts[index] as Amount), lines[index]?.tax?.percent ?? '0'),
      ),
    );
  }
  const told = new Set<string>();
  return kept.flatMap(({ line, index }, at) => {
    const { tax } = line;
    if (!tax || tax.amount === null || told.has(tax.id) || !isAsked(tax)) return [];
    const { percent, amount } = tax;
    // A discount is shared out in whole units, and what is left of it may all be one line's.
    const ofShares = hasEntityDiscount(document)
      ? divide(multiply(percent, String(lines.length)), '100')
      : '0';
    const units = add(roundingsOf(line), ofShares);
    if (
      ways.some((bases) => isLevied(amount, bases[at] as Amount, percent, document.places, units))
    )
      return [];
    told.add(tax.id);
    return [differs(tax, index, amount, (ways[0] as Amount[])[at] as Amount, document.places)];
  });
}

/**
 * The same by tax, as the document says it: many lines that are each a little off are together too
 * much off.
 */
export function checkTaxes(
  document: BooksDocument,
  taxes: LeviedTax[],
  isAsked: (tax: LineTax) => boolean,
): StoredProblem[] {
  return taxes.flatMap(({ percent, base, amount, lines }) => {
    const [{ tax } = { tax: null }] = lines;
    const units = add(hasEntityDiscount(document) ? '2' : '1', ...lines.map(roundingsOf));
    if (!tax || !isAsked(tax) || isLevied(amount, base, percent, document.places, units)) return [];
    return [
      differs(tax, document.lines.indexOf(lines[0] as BooksLine), amount, base, document.places),
    ];
  });
}

/**
 * The same of shipping that is refunded, at the rate it was sold at; that of a sale is looked at
 * where its class is found.
 */
export function checkShippingTax(
  { shipping, places }: BooksDocument,
  rate: Amount | undefined,
): StoredProblem[] {
  const { taxId, taxName, tax, net } = shipping;
  if (
    rate === undefined ||
    (taxId === null && isZero(tax)) ||
    isLevied(tax, net, rate, places, '2')
  )
    return [];
  return [
    {
      code: 'tax_rate_differs',
      field: 'shipping_charge_tax_id',
      tax_name: taxName ?? '',
      percent: rate,
      charged: tax,
      base: net,
    },
  ];
}

/**
 * Whether a document's lines make its total with what it says all its taxes come to, which then is
 * not what their rates come to.
 */
export const isMadeByTaxTotal = (document: BooksDocument, charges: Amount): boolean => {
  const discount = hasEntityDiscount(document) ? document.discount.amount : '0';
  const without = subtract(add(...document.lines.map(({ net }) => net), charges), discount);
  return [document.taxTotal, subtract(document.taxTotal, document.shipping.tax)].some(
    (tax) => compare(add(without, tax), document.total) === 0,
  );
};

/** How many amounts were rounded to make a line's tax. */
const roundingsOf = ({ tax }: BooksLine): Amount => String(Math.max(tax?.parts?.length ?? 0, 1));

const withoutTax = (gross: Amount, percent: Amount): Amount =>
  divide(multiply(gross, '100'), add('100', percent));

/** Without the tax's id: no other mapping would mend it. */
const differs = (
  tax: LineTax,
  index: number,
  amount: Amount,
  base: Amount,
  places: number,
): StoredProblem => ({
  code: 'tax_rate_differs',
  field: `line_items[${index}].tax_id`,
  tax_name: tax.name,
  percent: tax.percent,
  charged: round(amount, places),
  base: round(base, places),
});
