import {
  add,
  type Amount,
  compare,
  divide,
  isZero,
  multiply,
  multiplyDivide,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { chargesOf } from './charges.model.ts';
import {
  type Classified,
  classifyAdjustment,
  classifyLine,
  classifyRefund,
  classifyShipping,
  percentOfRefundedShipping,
  soldIn,
  sourceOf,
} from './classify.model.ts';
import type { BooksDocument, BooksLine, LineTax } from '../../model/books-document.model.ts';
import { checkRate, contradictionOf } from './exchange-rate.model.ts';
import {
  checkLineTaxes,
  checkShippingTax,
  checkTaxes,
  discountShares,
  hasEntityDiscount,
  isMadeByTaxTotal,
} from './levied.model.ts';
import type { Answers, Setup } from './setup.model.ts';
import { convertTotal, type Money, priceDocument, type Prices } from './price-document.model.ts';
import type { LineInBooks, Sale, SaleLine } from '../../model/sale.model.ts';
import type { Kept, Shape } from './check-document.model.ts';

/**
 * A document's total as the device is told it, and what it was converted by; null where it cannot
 * be converted.
 */
export function baseTotalOf(
  document: BooksDocument,
  setup: Pick<Setup, 'currency'>,
  refunded: Sale | null,
): Amount | null {
  const rate = rateOf(document, setup, refunded);
  return (
    rate &&
    convertTotal(
      document.total,
      rate,
      setup.currency === document.currency ? 2 : placesOf(document),
      refunded ? null : document.baseTotal,
    )
  );
}

/**
 * Lines of a document in the books' own currency are settled to what the wire takes, whatever its
 * precision.
 */
const baseUnitOf = (document: BooksDocument) =>
  unit(document.currency === document.baseCurrency ? 2 : Math.min(placesOf(document), 2));
const placesOf = (document: BooksDocument) => document.basePlaces ?? 2;

/** Units of the device's currency for one of the document's: for a refund, those of its sale. */
function rateOf(
  document: BooksDocument,
  setup: Pick<Setup, 'currency'>,
  refunded: Sale | null,
): Amount | null {
  if (document.currency === setup.currency) return '1';
  const rate = refunded ? (refunded.foreign?.exchangeRate ?? '0') : document.exchangeRate;
  return compare(rate, '0') > 0 ? rate : null;
}

/** Lines with class, codes and money; null where that cannot be said, with its findings. */
export function price(
  document: BooksDocument,
  kept: Kept[],
  shape: Shape,
  setup: Setup,
  answers: Answers,
  refunded: Sale | null,
  findings: StoredProblem[],
): SaleLine[] | null {
  const sold = refunded && soldIn(refunded);
  const classify = (line: BooksLine, index: number) =>
    sold
      ? classifyRefund(
          {
            source: sourceOf(line),
            field: `line_items[${index}]`,
            name: line.name,
            percent: line.tax?.percent ?? '0',
          },
          sold,
          setup,
          findings,
        )
      : classifyLine(line, index, setup, findings);
  const classified = kept.map(({ line, index }) =>
    shape.odd.has(index) ? null : classify(line, index),
  );
  const charges = chargesOf(document);
  const ofCharge = (
    source: string,
    field: string,
    amount: Amount,
    percent: (sale: Sale) => string | null,
    usual: () => Classified | null,
  ) => {
    if (compare(amount, '0') <= 0 || (source === 'charge:shipping' && shape.isShippingOdd))
      return null;
    return refunded && sold
      ? classifyRefund(
          { source, field, name: setup.charges[field]?.name ?? field, percent: percent(refunded) },
          sold,
          setup,
          findings,
        )
      : usual();
  };
  const shippingPercent = (sale: Sale) => percentOfRefundedShipping(document, sale, setup);
  const shipping = ofCharge('charge:shipping', 'shipping', charges.shipping, shippingPercent, () =>
    classifyShipping(document, setup, findings),
  );
  const adjustment = ofCharge(
    'charge:adjustment',
    'adjustment',
    charges.adjustment,
    () => null,
    () => classifyAdjustment(setup, findings),
  );
  if (shape.findings.length > 0) return null;
  const lines = kept.map(({ line }) => line);
  const classes = {
    lines: classified.map((each, index) => each?.taxClass ?? `tax:${lines[index]?.tax?.id ?? ''}`),
    shipping: shipping?.taxClass ?? 'shipping',
    adjustment: adjustment?.taxClass ?? 'adjustment',
    isShippingTaxed: !isZero(setup.rates[shipping?.taxClass ?? ''] ?? '0'),
    isAdjustmentTaxed: !isZero(setup.rates[adjustment?.taxClass ?? ''] ?? '0'),
  };
  const rate = rateOf(document, setup, refunded) as Amount;
  const into = {
    rate,
    places: document.currency === setup.currency ? 2 : placesOf(document),
    total: baseTotalOf(document, setup, refunded) as Amount,
  };
  // Nobody but a registered seller levies a tax, and a tax whose class is at another rate has its
  // finding.
  const isAsked = (tax: LineTax) =>
    setup.isVatRegistered &&
    !findings.some((each) => each.code === 'tax_rate_differs' && each.tax_id === tax.id);
  const levied = checkLineTaxes(document, kept, isAsked);
  findings.push(
    ...levied,
    ...(refunded && shipping && setup.isVatRegistered
      ? checkShippingTax(document, setup.rates[shipping.taxClass])
      : []),
  );
  const prices = priceDocument(document, lines, classes, charges, into);
  if (!prices) {
    const isOfTaxes = isMadeByTaxTotal(
      document,
      add(charges.shipping, charges.adjustment, charges.roundOff),
    );
    const known = findings.some(
      ({ code }) => code === 'tax_rate_differs' || code === 'vat_not_registered',
    );
    // What a line without its tax comes to nobody knows: no sum that it is part of can be said to
    // be wrong.
    if (findings.some(({ code }) => code === 'line_without_tax')) return null;
    const [withheld] = document.withheld ?? [];
    if (!isOfTaxes && withheld !== undefined)
      findings.push({ code: 'tax_withheld', field: 'total', total: document.total, withheld });
    else if (!isOfTaxes)
      findings.push({ code: 'total_mismatch', field: 'total', total: document.total });
    else if (!known)
      findings.push({
        code: setup.isVatRegistered ? 'tax_rate_differs' : 'vat_not_registered',
        field: 'tax_total',
        tax_total: document.taxTotal,
      });
    return null;
  }
  if (levied.length === 0) findings.push(...checkTaxes(document, prices.taxes, isAsked));
  if (!refunded && document.currency !== setup.currency) {
    const about = {
      currency: document.currency,
      rate,
      total: into.total,
      baseCurrency: setup.currency,
      booksTotal: contradictionOf(document, rate),
    };
    const isConfirmed = answers.confirm?.includes('exchange_rate_unlikely') ?? false;
    const finding = checkRate(about, setup.sealedRate ?? null, {
      isConfirmed,
      rate: answers.confirmed_rate,
    });
    if (finding) findings.push(finding);
  }
  const inBooks = linesInBooks(document, lines, prices);
  const parts: {
    as: Classified | null;
    name: string;
    quantity: Amount;
    money: Money;
    books: LineInBooks;
  }[] = lines.map((line, index) => ({
    as: classified[index] ?? null,
    name: line.name,
    quantity: round(line.quantity, 2),
    money: prices.lines[index] as Money,
    books: inBooks[index] as LineInBooks,
  }));
  const charge = (as: Classified | null, name: string, money: Money, worth: Amount) =>
    parts.push({
      as,
      name: as?.mapping.name ?? name,
      quantity: '1',
      money,
      books: {
        quantity: '1',
        rate: worth,
        isTaxInclusive: false,
        worth,
        slack: '0',
        unit: unit(document.places),
        baseUnit: baseUnitOf(document),
        paid: money.own,
      },
    });
  if (prices.shipping) charge(shipping, 'Shipping', prices.shipping, document.shipping.net);
  if (prices.adjustment) charge(adjustment, 'Adjustment', prices.adjustment, charges.adjustment);
  if (parts.some((part) => part.as === null)) return null;
  const made = parts.map((part) => toLine({ ...part, as: part.as as Classified }));
  // A device has taken the sale already, and takes what it undoes as well.
  if (!refunded) findings.push(...checkAmounts(made, kept, setup.amountMax));
  return made;
}

/**
 * What is longer than a device can be told, or a paper shows: said of the lines that are, and of
 * the total only where none of them is.
 */
function checkAmounts(lines: SaleLine[], kept: Kept[], most: Amount): StoredProblem[] {
  const isTooLarge = (amount: Amount) => compare(amount, most) > 0;
  const found = lines.flatMap((line, at): StoredProblem[] => {
    const amount = [line.total, line.gross, line.unitPrice].find(isTooLarge);
    const charge = line.source.replace('charge:', '');
    const field = kept[at]
      ? `line_items[${kept[at].index}]`
      : charge === 'shipping'
        ? 'shipping_charge'
        : charge;
    return amount === undefined
      ? []
      : [{ code: 'amount_too_large', field, name: line.name, amount, most }];
  });
  const total = round(add('0', ...lines.map((line) => line.total)), 2);
  return found.length > 0 || !isTooLarge(total)
    ? found
    : [{ code: 'amount_too_large', field: 'total', amount: total, most }];
}

/**
 * What each line is worth in the books before anything is rounded: parts of a sale are measured by
 * it when it is refunded.
 */
function linesInBooks(
  document: BooksDocument,
  lines: BooksLine[],
  { lines: prices, isDiscountGross }: Prices,
): LineInBooks[] {
  const own = lines.map((line) => subtract(multiply(line.quantity, line.rate), line.discount));
  // In the proportion that the discount was reckoned in: only so is a part of the lines worth as
  // much by itself as within the whole.
  const shares = discountShares(
    document,
    lines,
    isDiscountGross ? own : lines.map((line) => line.net),
  );
  return lines.map((line, index) => {
    // A discount of the document is rounded, and so is what it was reckoned on.
    const roundings = (isZero(line.discount) ? 0 : 1) + (hasEntityDiscount(document) ? 2 : 0);
    return {
      quantity: line.quantity,
      rate: line.rate,
      isTaxInclusive: document.isTaxInclusive,
      // Far finer than money, so that what is cut here is no part of a cent.
      worth: round(subtract(own[index] as Amount, shares[index] as Amount), 12),
      slack: divide(multiply(unit(document.places), String(roundings)), '2'),
      unit: unit(document.places),
      moved: movedBy(line, document),
      baseUnit: baseUnitOf(document),
      paid: prices[index]?.own as Amount,
    };
  });
}

/**
 * Half a unit each: of what the line comes to, with the tax on it, and of every tax; and what
 * sharing a discount of the document out in units moves.
 */
function movedBy({ tax }: BooksLine, document: BooksDocument): Amount {
  const withTax = add('1', divide(tax?.percent ?? '0', '100'));
  const ofTaxes = tax ? Math.max(tax.parts?.length ?? 0, 1) : 0;
  const halves = add(
    withTax,
    String(ofTaxes),
    hasEntityDiscount(document) ? multiply(withTax, '3') : '0',
  );
  return multiply(unit(document.places), divide(halves, '2'));
}

function toLine(part: {
  as: Classified;
  name: string;
  quantity: Amount;
  money: Money;
  books: LineInBooks;
}): SaleLine {
  const { money, quantity, name, books } = part;
  const { source, mapping, taxClass } = part.as;
  const gross =
    money.listed !== null && compare(money.listed, money.paid) > 0 ? money.listed : money.paid;
  const { taxClass: _own, name: _name, ...codes } = mapping;
  return {
    source,
    itemCode: '',
    name,
    content: { ...codes, name, taxClass },
    quantity,
    taxClass,
    books,
    ...moneyOfLine(gross, money.paid, quantity),
  };
}

/** The money of a line from what it would be without its discount and what is paid for it. */
export function moneyOfLine(
  gross: Amount,
  paid: Amount,
  quantity: Amount,
): Pick<SaleLine, 'unitPrice' | 'gross' | 'discountRate' | 'discount' | 'total'> {
  const discount = subtract(gross, paid);
  return {
    unitPrice: round(divide(gross, quantity), 2),
    gross: round(gross, 2),
    discountRate: discountRateOf(discount, gross),
    discount: round(discount, 2),
    total: round(paid, 2),
  };
}

/**
 * In percent, two decimals; never zero where there is a discount, because the device refuses an
 * amount without a rate.
 */
function discountRateOf(discount: Amount, gross: Amount): Amount {
  if (isZero(discount) || isZero(gross)) return '0.00';
  const rate = multiplyDivide(discount, '100', gross, 2);
  return isZero(rate) ? '0.01' : rate;
}
