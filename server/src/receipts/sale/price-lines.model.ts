import { add, type Amount, compare, isZero, round, unit } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { LineTax } from '../../model/books-document.model.ts';
import type { LineInBooks, SaleLine } from '../../model/sale.model.ts';
import { baseTotalOf, baseUnitOf, placesOf, rateOf } from './convert-total.model.ts';
import { type Charges, chargesOf } from './charges.model.ts';
import type { Kept } from './check-document.model.ts';
import type { Classified } from './classify.model.ts';
import { type ClassifiedDocument, classifyDocument } from './classify-document.model.ts';
import type { Draft } from './sale-draft.model.ts';
import { checkRate, contradictionOf } from './exchange-rate.model.ts';
import {
  checkLineTaxes,
  checkShippingTax,
  checkTaxes,
  isMadeByTaxTotal,
} from './levied-taxes.model.ts';
import { moneyOfLine } from './line-money.model.ts';
import { linesInBooks } from './lines-in-books.model.ts';
import { type Money, priceDocument, type Prices } from './price-document.model.ts';
import type { Setup } from './sale-setup.model.ts';

/**
 * Returns the lines with class, codes and money, or null if that cannot be said; adds to the
 * findings.
 */
export function price(draft: Draft): SaleLine[] | null {
  const { document, shape, setup, refunded, findings } = draft;
  const charges = chargesOf(document);
  const classified = classifyDocument(draft, charges);
  if (shape.findings.length > 0) return null;
  const into = {
    rate: rateOf(document, setup, refunded) as Amount,
    places: document.currency === setup.currency ? 2 : placesOf(document),
    total: baseTotalOf(document, setup, refunded) as Amount,
  };
  const levied = checkLevied(draft, classified.shipping);
  const prices = priceDocument(
    document,
    draft.lines.map(({ line }) => line),
    classesFor(draft, classified),
    charges,
    into,
  );
  if (!prices) {
    findings.push(...explainTotal(draft, charges));
    return null;
  }
  if (levied.length === 0)
    findings.push(...checkTaxes(document, prices.taxes, isTaxAsked(setup, findings)));
  findings.push(...checkForeignRate(draft, into));
  const parts = partsOf(draft, classified, charges, prices);
  if (parts.some((part) => part.classified === null)) return null;
  const made = parts.map((part) => toLine(part, part.classified as Classified));
  // A device has taken the sale already, and takes what it undoes as well.
  if (!refunded) findings.push(...checkAmounts(made, draft.lines, setup.amountMax));
  return made;
}

/** Returns the class of each line as it is priced: of one without a class, its tax. */
function classesFor({ lines, setup }: Draft, { lines: ofLines, ...charges }: ClassifiedDocument) {
  const isTaxed = (charge: Classified | null) =>
    !isZero(setup.rates[charge?.taxClass ?? ''] ?? '0');
  return {
    lines: ofLines.map((each, at) => each?.taxClass ?? `tax:${lines[at]?.line.tax?.id ?? ''}`),
    shipping: charges.shipping?.taxClass ?? 'shipping',
    adjustment: charges.adjustment?.taxClass ?? 'adjustment',
    isShippingTaxed: isTaxed(charges.shipping),
    isAdjustmentTaxed: isTaxed(charges.adjustment),
  };
}

/**
 * Says which taxes are asked about. Nobody but a registered seller levies a tax, and a tax whose
 * class is at another rate has its finding.
 */
const isTaxAsked = (setup: Setup, findings: StoredProblem[]) => (tax: LineTax) =>
  setup.isVatRegistered &&
  !findings.some((each) => each.code === 'tax_rate_differs' && each.tax_id === tax.id);

/** Adds what is wrong with the taxes of lines and shipping; returns that of the lines. */
function checkLevied(
  { document, lines, setup, refunded, findings }: Draft,
  shipping: Classified | null,
): StoredProblem[] {
  const levied = checkLineTaxes(document, lines, isTaxAsked(setup, findings));
  findings.push(...levied);
  if (refunded && shipping && setup.isVatRegistered)
    findings.push(...checkShippingTax(document, setup.rates[shipping.taxClass]));
  return levied;
}

/** Says why a document's total is not what its lines and charges come to. */
function explainTotal({ document, setup, findings }: Draft, charges: Charges): StoredProblem[] {
  // What a line without its tax comes to nobody knows: no sum that it is part of can be said to be
  // wrong.
  if (findings.some(({ code }) => code === 'line_without_tax')) return [];
  const { total } = document;
  const inCharges = add(charges.shipping, charges.adjustment, charges.roundOff);
  if (!isMadeByTaxTotal(document, inCharges)) {
    const [withheld] = document.withheld ?? [];
    return [
      withheld === undefined
        ? { code: 'total_mismatch', field: 'total', total }
        : { code: 'tax_withheld', field: 'total', total, withheld },
    ];
  }
  if (findings.some(({ code }) => code === 'tax_rate_differs' || code === 'vat_not_registered'))
    return [];
  const code = setup.isVatRegistered ? 'tax_rate_differs' : 'vat_not_registered';
  return [{ code, field: 'tax_total', tax_total: document.taxTotal }];
}

/** Says if the rate that a sale in another currency is converted by cannot be meant. */
function checkForeignRate(
  { document, setup, answers, refunded }: Draft,
  { rate, total }: { rate: Amount; total: Amount },
): StoredProblem[] {
  if (refunded || document.currency === setup.currency) return [];
  const finding = checkRate(
    {
      currency: document.currency,
      rate,
      total,
      baseCurrency: setup.currency,
      booksTotal: contradictionOf(document, rate),
    },
    setup.sealedRate ?? null,
    {
      isConfirmed: answers.confirm?.includes('exchange_rate_unlikely') ?? false,
      rate: answers.confirmed_rate,
    },
  );
  return finding ? [finding] : [];
}

/** What becomes one line of the sale: a line of the document, or a charge of it. */
type Part = {
  classified: Classified | null;
  name: string;
  quantity: Amount;
  money: Money;
  books: LineInBooks;
};

function partsOf(
  { document, lines }: Draft,
  classified: ClassifiedDocument,
  charges: Charges,
  prices: Prices,
): Part[] {
  const inBooks = linesInBooks(
    document,
    lines.map(({ line }) => line),
    prices,
  );
  const ofLines = lines.map(({ line }, index) => ({
    classified: classified.lines[index] ?? null,
    name: line.name,
    quantity: round(line.quantity, 2),
    money: prices.lines[index] as Money,
    books: inBooks[index] as LineInBooks,
  }));
  const ofCharge = (charge: Classified | null, name: string, money: Money, worth: Amount) => ({
    classified: charge,
    name: charge?.mapping.name ?? name,
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
  const { shipping, adjustment } = prices;
  return [
    ...ofLines,
    ...(shipping
      ? [ofCharge(classified.shipping, 'Shipping', shipping, document.shipping.net)]
      : []),
    ...(adjustment
      ? [ofCharge(classified.adjustment, 'Adjustment', adjustment, charges.adjustment)]
      : []),
  ];
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

function toLine(part: Part, { source, mapping, taxClass }: Classified): SaleLine {
  const { money, quantity, name, books } = part;
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
