import { add, compare, isNegative, isZero, round } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { chargesOf, checkCharges } from './charges.model.ts';
import { soldIn, sourceOf } from './classify.model.ts';
import type { BooksDocument, BooksLine, LineTax } from '../../model/books-document.model.ts';
import { isCurrency } from './exchange-rate.model.ts';
import type { Setup } from './sale-setup.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import { checkNegativeTaxes } from './withheld-tax.model.ts';
import { kindOf } from './check-eligibility.model.ts';

/** Neither sold nor charged: some people keep such lines as a note. */
export const isNothing = (line: BooksLine) => isZero(line.quantity) && isZero(line.net);

export type Kept = { line: BooksLine; index: number };
/**
 * What is wrong with a document as such; `odd` holds the lines of which nothing more can be said.
 */
export type Shape = {
  findings: StoredProblem[];
  odd: Set<number>;
  isShippingOdd: boolean;
  isUnpriced: boolean;
};

/** Checks a document as such, before anything of it is priced. */
export function checkShape(
  document: BooksDocument,
  lines: Kept[],
  setup: Setup,
  refunded: Sale | null,
): Shape {
  // What undoes a sale is what that was.
  const reversed = refunded ? null : checkReverseCharge(document, lines);
  if (reversed)
    return { findings: [reversed], odd: new Set(), isShippingOdd: false, isUnpriced: true };
  const { shipping, adjustment } = chargesOf(document);
  // A charge is something that is sold, whether or not anything stands beside it.
  const isEmpty = lines.length === 0 && isZero(shipping) && isZero(adjustment);
  const ofCharges = checkCharges(document);
  const ofShippingTax = isZero(shipping) ? [] : checkShippingTaxKind(document, setup);
  const findings = [
    ...checkCurrency(document, setup, refunded),
    ...checkSize(document, lines, isEmpty, setup),
    ...ofCharges,
    ...ofShippingTax,
  ];
  if (!document.discount.isBeforeTax && !isZero(document.discount.amount))
    findings.push({ code: 'discount_after_tax', field: 'discount' });
  const odd = new Set<number>();
  for (const kept of lines) {
    const found = checkLine(document, kept, setup, refunded);
    if (found.length > 0) odd.add(kept.index);
    findings.push(...found);
  }
  // What undoes a sale is what that was.
  if (findings.length === 0 && !refunded) findings.push(...checkNegativeTaxes(document));
  if (findings.length === 0 && isNegative(document.total))
    findings.push({ code: 'document_negative', field: 'total', total: document.total });
  const isShippingOdd =
    ofShippingTax.length > 0 || ofCharges.some(({ field }) => field === 'shipping_charge');
  return { findings, odd, isShippingOdd, isUnpriced: isEmpty };
}

/** Says if there is nothing to sell, or more than a device can be told. */
function checkSize(
  document: BooksDocument,
  lines: Kept[],
  isEmpty: boolean,
  { linesMax }: Setup,
): StoredProblem[] {
  const findings: StoredProblem[] = [];
  if (isEmpty) findings.push({ code: 'document_empty', field: 'line_items' });
  else if (isZero(document.total)) findings.push({ code: 'document_zero', field: 'total' });
  if (lines.length > linesMax)
    findings.push({ code: 'too_many_lines', field: 'line_items', ...kindOf(document) });
  return findings;
}

/**
 * Says if the buyer accounts for the tax. The lines of such a document bear no tax, or one that
 * nobody paid: whatever would be said of them might have it declared as exempt.
 */
function checkReverseCharge(document: BooksDocument, lines: Kept[]): StoredProblem | null {
  if (document.isReverseCharge)
    return { code: 'reverse_charge', field: 'is_reverse_charge_applied', ...kindOf(document) };
  const reversed = lines.find(({ line }) => line.isReverseCharge);
  return reversed
    ? {
        code: 'reverse_charge',
        field: `line_items[${reversed.index}]`,
        name: reversed.line.name,
        ...kindOf(document),
      }
    : null;
}

function checkCurrency(
  document: BooksDocument,
  setup: Setup,
  refunded: Sale | null,
): StoredProblem[] {
  const { currency } = document;
  const findings: StoredProblem[] =
    document.baseCurrency === setup.currency
      ? []
      : [{ code: 'currency_unsupported', field: 'currency_code' }];
  const saleCurrency = refunded && (refunded.foreign?.currency ?? refunded.currency);
  const isForeignSale = document.module === 'invoices' && currency !== document.baseCurrency;
  if (saleCurrency && saleCurrency !== currency)
    findings.push({
      code: 'refund_currency_differs',
      field: 'currency_code',
      currency,
      sale_currency: saleCurrency,
    });
  else if (isForeignSale && !isCurrency(currency))
    findings.push({ code: 'currency_unknown', field: 'currency_code', currency });
  else if (isForeignSale && compare(document.exchangeRate, '0') <= 0)
    findings.push({ code: 'exchange_rate_missing', field: 'exchange_rate' });
  return findings;
}

function checkLine(
  document: BooksDocument,
  { line, index }: Kept,
  setup: Setup,
  refunded: Sale | null,
): StoredProblem[] {
  const about = { field: `line_items[${index}]`, name: line.name };
  const found = checkTaxKind(line.tax, about);
  const quantity = checkQuantity(line, setup, refunded);
  if (!quantity) return found;
  const { code, ...more } = quantity;
  return [
    { code, ...about, ...more, ...(code === 'negative_line' ? kindOf(document) : {}) },
    ...found,
  ];
}

/** Says what a device cannot be told of a line's quantity, price or amount. */
function checkQuantity(
  line: BooksLine,
  { quantityMax }: Setup,
  refunded: Sale | null,
): StoredProblem | null {
  const { quantity } = line;
  if (isNegative(line.net) || isNegative(quantity) || isNegative(line.rate))
    return { code: 'negative_line' };
  if (isZero(quantity)) return { code: 'line_without_quantity' };
  if (isZero(round(quantity, 2))) return { code: 'quantity_unsupported', quantity };
  return !refunded && compare(round(quantity, 2), quantityMax) > 0
    ? { code: 'quantity_too_large', quantity, most: quantityMax }
    : null;
}

const checkShippingTaxKind = (document: BooksDocument, setup: Setup): StoredProblem[] =>
  checkTaxKind(taxOfShipping(document), {
    field: 'shipping_charge_tax_id',
    name: setup.charges.shipping?.name ?? 'Shipping',
  });

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
export function checkVat(document: BooksDocument, setup: Setup): StoredProblem[] {
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
export function checkUnpriced(
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
