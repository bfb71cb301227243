import { add, compare, isNegative, isZero, round } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { cut } from '@muhuri/shared/text';
import { chargesOf, checkCharges } from './charges.model.ts';
import { soldIn, sourceOf } from './classify.model.ts';
import type { BooksDocument, BooksLine, LineTax } from '../../model/books-document.model.ts';
import { isCurrency } from './exchange-rate.model.ts';
import type { Answers, Setup } from './setup.model.ts';
import type { Sale } from '../../model/sale.model.ts';
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

export function checkState(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
): StoredProblem[] {
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

export function checkShape(
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

const daysBetween = (from: string, to: string) =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
