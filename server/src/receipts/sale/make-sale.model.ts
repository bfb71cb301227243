import {
  type Amount,
  add,
  compare,
  divide,
  isNegative,
  isZero,
  multiply,
  multiplyDivide,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { cut } from '@muhuri/shared/text';
import { chargesOf, checkCharges } from './charges.model.ts';
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
import { checkRate, contradictionOf, isCurrency } from './exchange-rate.model.ts';
import {
  checkLineTaxes,
  checkTaxes,
  checkShippingTax,
  discountShares,
  hasEntityDiscount,
  isMadeByTaxTotal,
} from './levied.model.ts';
import type { Answers, Setup } from './setup.model.ts';
import { convertTotal, type Money, priceDocument, type Prices } from './price-document.model.ts';
import type { Foreign, LineInBooks, Sale, SaleLine } from '../../model/sale.model.ts';
import { checkNegativeTaxes } from './withheld.model.ts';

/**
 * Of invoices and of credit notes: what is sent out counts, whatever has been paid or used of it
 * since.
 */
const statusesSettled = [
  'sent',
  'viewed',
  'overdue',
  'unpaid',
  'partially_paid',
  'paid',
  'open',
  'closed',
];
const statusesNotYet = ['draft', 'pending_approval', 'approved', 'rejected', 'submitted'];

/** A document as far as it can be made a sale. */
export type Made = {
  sale: Sale | null;
  /** The same as soon as its money is known, whatever else is still missing. */
  priced: Sale | null;
  findings: StoredProblem[];
};

/**
 * Turns a document into a sale, or says in findings what stands in the way. What the buyer pays for
 * a line in the books is the truth (the VSDC's prices are tax-inclusive, and grossing a unit price
 * up misses the books' line by more than a cent on many lines): so money comes from each line's
 * net, its tax and its share of the entity discount, and the sale's total equals the document's.
 *
 * A finding about the document's shape ends its pricing: what arithmetic would say of such a
 * document is not true. A refund is priced as its sale was, so it is not priced at all before its
 * sale is known. `isSameBuyer`: whether it is of its sale's buyer, who may be another contact by
 * now.
 */
export function makeSale(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
  refunded: Sale | null,
  isSameBuyer = document.customer.id === refunded?.customerId,
): Made {
  const isRefund = document.module === 'creditnotes';
  const lines = document.lines
    .map((line, index) => ({ line, index }))
    .filter(({ line }) => !isNothing(line));
  const findings = checkState(document, setup, answers);
  if (!refunded) findings.push(...checkVat(document, setup));
  // Credits can be applied to an invoice that came after them: then it is not what they refund.
  else if (document.date < refunded.documentDate)
    findings.push({
      code: 'refund_before_sale',
      field: 'date',
      date: document.date,
      sale_date: refunded.documentDate,
    });
  const shape = checkShape(document, lines, setup, refunded);
  findings.push(...shape.findings);
  const isSaleKnown = !isRefund || refunded !== null;
  const priced =
    isSaleKnown && !shape.isUnpriced
      ? price(document, lines, shape, setup, answers, refunded, findings)
      : null;
  if (refunded && !priced) findings.push(...checkUnpriced(lines, shape, refunded, isSameBuyer));
  const buyer = buyerOf(document, setup, answers, refunded);
  let paymentMethod: string | null = null;
  if (isSaleKnown) {
    findings.push(...setup.checkBuyer(buyer));
    const isDamaged = !refunded && buyer.name.includes('\ufffd');
    if (isDamaged && !answers.confirm?.includes('buyer_name_damaged'))
      findings.push({ code: 'buyer_name_damaged', field: 'customer_name', name: buyer.name });
    // Of a document that is worth nothing, or whose figures cannot be, nobody is asked how it was
    // paid.
    if (shape.findings.length === 0 || answers.payment_method)
      paymentMethod = paymentMethodOf(document, setup, answers, refunded, findings);
  }
  if (isRefund && !answers.reason_code)
    findings.push({ code: 'reason_missing', field: 'reason_code' });
  else if (isRefund && answers.reason_code && !setup.hasCode('reason', answers.reason_code))
    findings.push({ code: 'reason_unknown', field: 'reason_code' });
  const total = add('0', ...(priced ?? []).map((line) => line.total));
  if (priced && compare(total, '0') <= 0) findings.push({ code: 'document_zero', field: 'total' });
  const sale: Sale | null = priced && {
    kind: isRefund ? 'refund' : 'sale',
    documentNumber: document.number,
    documentDate: document.date,
    customerId: document.customer.id,
    locationId: document.locationId,
    buyer,
    paymentMethod: paymentMethod ?? '',
    reasonCode: isRefund ? (answers.reason_code ?? null) : null,
    currency: setup.currency,
    foreign: foreignOf(document, setup, refunded),
    lines: priced,
    total: round(total, 2),
    ...(document.takenOff ? { takenOff: document.takenOff } : {}),
  };
  const isWhole = findings.length === 0 && isSaleKnown && paymentMethod !== null;
  return { sale: isWhole ? sale : null, priced: sale, findings: unique(findings) };
}

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

export function foreignOf(
  document: BooksDocument,
  setup: Pick<Setup, 'currency'>,
  refunded: Sale | null,
): Foreign | null {
  if (document.currency === setup.currency) return null;
  const { currency, total } = document;
  const sold = refunded?.foreign;
  if (sold)
    return {
      currency,
      exchangeRate: sold.exchangeRate,
      total,
      rateDate: sold.rateDate ?? (refunded as Sale).documentDate,
      rateSource: 'sale',
    };
  return {
    currency,
    exchangeRate: document.exchangeRate,
    total,
    rateDate: document.date,
    rateSource: 'document',
  };
}

/**
 * What keeps a document from being sealed as it stands in the books, whatever anybody confirms;
 * null: nothing does.
 */
export function keptBack(
  document: BooksDocument,
  { sealsApproved }: Pick<Setup, 'sealsApproved'>,
): StoredProblem | null {
  if (document.kind === 'debit_note') return { code: 'debit_note' };
  if (document.kind === 'other')
    return {
      code: 'document_kind_unknown',
      field: 'type',
      kind: document.kindInBooks,
      ...kindOf(document),
    };
  if (document.status === 'void') return { code: 'document_void', field: 'status' };
  if (
    statusesNotYet.includes(document.status) &&
    !(document.status === 'approved' && sealsApproved)
  )
    return { code: 'document_draft', field: 'status', ...kindOf(document) };
  // What a word means that Zoho has come up with since, nobody here knows: nothing is declared by
  // it.
  if (document.status !== 'approved' && !statusesSettled.includes(document.status))
    return {
      code: 'document_status_unknown',
      field: 'status',
      status_in_books: cut(document.status, 40),
      ...kindOf(document),
    };
  return null;
}

function checkState(document: BooksDocument, setup: Setup, answers: Answers): StoredProblem[] {
  const kept = keptBack(document, setup);
  if (kept) return [kept];
  const findings: StoredProblem[] = [];
  const isSure = answers.confirm?.includes('sealed_elsewhere') ?? false;
  if (setup.elsewhere && !isSure)
    findings.push({ code: 'sealed_elsewhere', field: 'document_id', ...setup.elsewhere });
  // Whoever says that a document was not sealed elsewhere although somebody had said so has
  // answered the others as well, which ask the same.
  else if (isBeforeProduction(document, setup)) {
    if (!isSure && !answers.confirm?.includes('before_production'))
      findings.push({ code: 'before_production', field: 'created_time' });
  } else if (setup.wasExempt && !isSure && !answers.confirm?.includes('was_exempt'))
    findings.push({ code: 'was_exempt', field: 'document_id', ...kindOf(document) });
  if (document.date > setup.today) findings.push({ code: 'document_future', field: 'date' });
  if (document.date < setup.goLiveDate && !answers.confirm?.includes('before_go_live'))
    findings.push({ code: 'before_go_live', field: 'date' });
  else if (
    daysBetween(document.date, setup.today) > setup.documentAgeDaysMax &&
    !answers.confirm?.includes('document_old')
  )
    findings.push({ code: 'document_old', field: 'date' });
  return findings;
}

/**
 * What was created before its branch had a production device, or its place in the books was mapped
 * to such a branch, or was signed at the rehearsal, was a real sale of whatever system sealed until
 * then; so was, for all that is known, what does not say when it was created.
 */
const isBeforeProduction = ({ createdAt }: BooksDocument, { production }: Setup): boolean =>
  production !== null &&
  (production.isRehearsed ||
    production.since === null ||
    createdAt === null ||
    createdAt <= production.since);

/** What helps an invoice may be impossible for a credit note: a finding says that it is of one. */
const kindOf = ({ module }: BooksDocument) => (module === 'creditnotes' ? { module } : {});

/** Neither sold nor charged: some people keep such lines as a note. */
const isNothing = (line: BooksLine) => isZero(line.quantity) && isZero(line.net);

type Kept = { line: BooksLine; index: number };
/**
 * What is wrong with a document as such; `odd` holds the lines of which nothing more can be said.
 */
type Shape = {
  findings: StoredProblem[];
  odd: Set<number>;
  isShippingOdd: boolean;
  isUnpriced: boolean;
};

function checkShape(
  document: BooksDocument,
  lines: Kept[],
  setup: Setup,
  refunded: Sale | null,
): Shape {
  const findings: StoredProblem[] = [];
  const odd = new Set<number>();
  // Its lines bear no tax, or one that nobody paid: whatever would be said of them might have it
  // declared as exempt. What undoes a sale is what that was.
  const reversed = lines.find(({ line }) => line.isReverseCharge);
  if ((document.isReverseCharge || reversed) && !refunded) {
    const of =
      document.isReverseCharge || !reversed
        ? { field: 'is_reverse_charge_applied' }
        : { field: `line_items[${reversed.index}]`, name: reversed.line.name };
    return {
      findings: [{ code: 'reverse_charge', ...of, ...kindOf(document) }],
      odd,
      isShippingOdd: false,
      isUnpriced: true,
    };
  }
  if (document.baseCurrency !== setup.currency)
    findings.push({ code: 'currency_unsupported', field: 'currency_code' });
  const soldIn = refunded && (refunded.foreign?.currency ?? refunded.currency);
  if (soldIn && soldIn !== document.currency)
    findings.push({
      code: 'refund_currency_differs',
      field: 'currency_code',
      currency: document.currency,
      sale_currency: soldIn,
    });
  else if (
    document.module === 'invoices' &&
    document.currency !== document.baseCurrency &&
    !isCurrency(document.currency)
  )
    findings.push({
      code: 'currency_unknown',
      field: 'currency_code',
      currency: document.currency,
    });
  else if (
    document.module === 'invoices' &&
    document.currency !== document.baseCurrency &&
    compare(document.exchangeRate, '0') <= 0
  )
    findings.push({ code: 'exchange_rate_missing', field: 'exchange_rate' });
  // A charge is something that is sold, whether or not anything stands beside it.
  const { shipping, adjustment } = chargesOf(document);
  const isEmpty = lines.length === 0 && isZero(shipping) && isZero(adjustment);
  if (isEmpty) findings.push({ code: 'document_empty', field: 'line_items' });
  else if (isZero(document.total)) findings.push({ code: 'document_zero', field: 'total' });
  if (lines.length > setup.linesMax)
    findings.push({ code: 'too_many_lines', field: 'line_items', ...kindOf(document) });
  const ofCharges = checkCharges(document);
  const ofShippingTax = isZero(shipping)
    ? []
    : checkTaxKind(taxOfShipping(document), {
        field: 'shipping_charge_tax_id',
        name: setup.charges.shipping?.name ?? 'Shipping',
      });
  findings.push(...ofCharges, ...ofShippingTax);
  const isShippingOdd =
    ofShippingTax.length > 0 || ofCharges.some(({ field }) => field === 'shipping_charge');
  if (!document.discount.isBeforeTax && !isZero(document.discount.amount))
    findings.push({ code: 'discount_after_tax', field: 'discount' });
  for (const { line, index } of lines) {
    const field = `line_items[${index}]`;
    const found: StoredProblem[] = [];
    if (isNegative(line.net) || isNegative(line.quantity) || isNegative(line.rate))
      found.push({ code: 'negative_line', field, name: line.name, ...kindOf(document) });
    else if (isZero(line.quantity))
      found.push({ code: 'line_without_quantity', field, name: line.name });
    else if (isZero(round(line.quantity, 2)))
      found.push({ code: 'quantity_unsupported', field, name: line.name, quantity: line.quantity });
    else if (!refunded && compare(round(line.quantity, 2), setup.quantityMax) > 0)
      found.push({
        code: 'quantity_too_large',
        field,
        name: line.name,
        quantity: line.quantity,
        most: setup.quantityMax,
      });
    found.push(...checkTaxKind(line.tax, { field, name: line.name }));
    if (found.length > 0) odd.add(index);
    findings.push(...found);
  }
  // What undoes a sale is what that was.
  if (findings.length === 0 && !refunded) findings.push(...checkNegativeTaxes(document));
  if (findings.length === 0 && isNegative(document.total))
    findings.push({ code: 'document_negative', field: 'total', total: document.total });
  return { findings, odd, isShippingOdd, isUnpriced: isEmpty };
}

/**
 * What a tax of that kind does to an amount must be known, and be what the authority's classes can
 * say.
 */
function checkTaxKind(
  tax: Pick<LineTax, 'id' | 'name' | 'kind' | 'kindUnknown'> | null,
  about: { field: string; name: string },
): StoredProblem[] {
  if (!tax) return [];
  const named = { ...about, tax_id: tax.id, tax_name: tax.name };
  if (tax.kindUnknown !== undefined)
    return [{ code: 'tax_kind_unknown', ...named, kind: tax.kindUnknown }];
  return tax.kind === 'compound_tax' ? [{ code: 'compound_tax', ...named }] : [];
}

const taxOfShipping = ({ shipping: { taxId, taxName, taxKind, taxKindUnknown } }: BooksDocument) =>
  taxId === null
    ? null
    : {
        id: taxId,
        name: taxName ?? '',
        kind: taxKind ?? 'tax',
        ...(taxKindUnknown === undefined ? {} : { kindUnknown: taxKindUnknown }),
      };

/**
 * Whoever is not registered for VAT may not charge it: sealed under the class without tax, nobody
 * would see that it was charged.
 */
function checkVat(document: BooksDocument, setup: Setup): StoredProblem[] {
  if (setup.isVatRegistered) return [];
  const findings: StoredProblem[] = document.lines.flatMap(({ tax }, index) =>
    tax && [tax.percent, tax.amount ?? '0'].some((each) => compare(each, '0') > 0)
      ? [
          {
            code: 'vat_not_registered',
            field: `line_items[${index}].tax_id`,
            tax_id: tax.id,
            tax_name: tax.name,
          },
        ]
      : [],
  );
  if (compare(document.shipping.tax, '0') > 0)
    findings.push({ code: 'vat_not_registered', field: 'shipping_charge_tax_id' });
  return findings;
}

/**
 * What a refund is asked by its sale as soon as it is priced, as far as it can be said of one that
 * is not: else it would come up only after the rest.
 */
function checkUnpriced(
  lines: Kept[],
  shape: Shape,
  refunded: Sale,
  isSameBuyer: boolean,
): StoredProblem[] {
  const findings: StoredProblem[] = [];
  if (!isSameBuyer) findings.push({ code: 'refund_buyer_differs', field: 'customer_id' });
  const all = soldIn(refunded);
  for (const { line, index } of lines) {
    const sold = all.lines.get(all.as({ source: sourceOf(line), name: line.name })) ?? [];
    if (sold.length === 0 || shape.odd.has(index)) continue;
    const quantity = add('0', ...sold.map((each) => each.books?.quantity ?? each.quantity));
    // Older receipts kept quantities cut to two decimals.
    const inexact = add('0', ...sold.map((each) => (each.books ? '0' : '0.005')));
    if (compare(line.quantity, add(quantity, inexact)) > 0)
      findings.push({
        code: 'refund_too_many',
        field: `line_items[${index}]`,
        name: line.name,
        quantity: line.quantity,
        sold_quantity: quantity,
      });
  }
  return findings;
}

/** Lines with class, codes and money; null where that cannot be said, with its findings. */
function price(
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

function buyerOf(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
  refunded: Sale | null,
): Sale['buyer'] {
  // The authority wants a refund to name the buyer of its sale, with the same purchase code.
  if (refunded) return refunded.buyer;
  const given = (answer: string | undefined, known: string | null) =>
    answer !== undefined && answer !== '' ? answer : known;
  const taxpayerId = given(answers.buyer_tin, document.buyer.taxpayerId);
  const mobile = given(answers.buyer_mobile, document.buyer.mobile);
  return {
    name: document.customer.name,
    taxpayerId,
    purchaseCode: given(answers.purchase_code, document.buyer.purchaseCode),
    // What is no number is said where a number is needed, and left out where it is not.
    mobile:
      mobile === null ? null : (setup.readPhone(mobile) ?? (taxpayerId === null ? mobile : null)),
  };
}

function paymentMethodOf(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
  refunded: Sale | null,
  findings: StoredProblem[],
): string | null {
  const field = 'payment_method';
  if (answers.payment_method) {
    if (setup.hasCode('payment_method', answers.payment_method)) return answers.payment_method;
    findings.push({ code: 'payment_method_unknown', field });
    return null;
  }
  const found = knownPaymentMethod(document, setup, refunded);
  if (found === null)
    findings.push({ code: 'payment_method_missing', field, modes: document.paymentModes });
  return found;
}

/**
 * Unpaid means credit; paid by one mapped mode means that method; anything else a person must say.
 */
export function knownPaymentMethod(
  document: BooksDocument,
  setup: Setup,
  refunded: Sale | null,
): string | null {
  if (refunded) return refunded.paymentMethod;
  // What nobody could read is not nothing.
  if (document.unread?.includes('payments')) return null;
  if (document.paymentModes.length === 0 && compare(document.balance, '0') > 0)
    return setup.creditMethod;
  const methods = new Set(document.paymentModes.map((mode) => setup.paymentModes[mode] ?? null));
  if (compare(document.balance, '0') > 0 || methods.size !== 1) return null;
  return [...methods][0] ?? null;
}

const daysBetween = (from: string, to: string) =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);

/** One finding per thing to fix: sixty lines with one unmapped tax are one finding, not sixty. */
function unique(findings: StoredProblem[]): StoredProblem[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([
      finding.code,
      finding.tax_id ?? finding.key ?? finding.field,
      finding.list,
      finding.unknown,
    ]);
    return seen.size < seen.add(key).size;
  });
}
