import {
  type Amount,
  absolute,
  add,
  apportion,
  compare,
  divide,
  isNegative,
  isZero,
  multiply,
  multiplyDivide,
  negate,
  round,
  subtract,
  unit,
} from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument, BooksLine } from './document.model.ts';
import type { ItemContent, Sale, SaleLine } from './sale.model.ts';

export type ItemMapping = Omit<ItemContent, 'name' | 'taxClass'> & { taxClass?: string | undefined; name?: string | undefined };

/** What a business has decided, and what its authority knows. */
export type Setup = {
  currency: string;
  /** The device's day today, for documents of the future. */
  today: string;
  goLiveDate: string;
  /** Where the device seals for real: since when its branch does, and whether the document was signed at the rehearsal. */
  production: { since: Date | null; isRehearsed: boolean } | null;
  /** Whether an approved document that was not sent yet may be sealed. */
  sealsApproved: boolean;
  documentAgeDaysMax: number;
  isVatRegistered: boolean;
  /** The class a seller not registered for VAT uses throughout. */
  nonVatClass: string;
  /** Rate in percent by tax class, in force. */
  rates: Record<string, Amount>;
  linesMax: number;
  taxes: Record<string, string>;
  items: Record<string, ItemMapping>;
  charges: Record<string, ItemMapping>;
  paymentModes: Record<string, string>;
  /** The authority's code for a sale on credit. */
  creditMethod: string;
  hasCode(list: 'item_class' | 'package_unit' | 'quantity_unit' | 'origin' | 'payment_method' | 'reason', code: string): boolean;
  /** A telephone number in its one form; null where there are too few digits to be one. */
  readPhone(text: string): string | null;
  checkBuyer(buyer: Sale['buyer']): StoredProblem[];
};

/** What a person added where the document could not know. */
export type Answers = {
  buyer_tin?: string | undefined;
  purchase_code?: string | undefined;
  buyer_mobile?: string | undefined;
  reason_code?: string | undefined;
  payment_method?: string | undefined;
  sale_receipt_id?: string | undefined;
  confirm?: ('before_go_live' | 'document_old' | 'before_production')[] | undefined;
};

const statusesNotYet = ['draft', 'pending_approval', 'approved', 'rejected', 'submitted'];

/**
 * Turns a document into a sale, or says in findings what stands in the way. What the buyer pays for a line in the books is the truth
 * (the VSDC's prices are tax-inclusive, and grossing a unit price up misses the books' line by more than a cent on many lines): so
 * money comes from each line's net, its tax and its share of the entity discount, and the sale's total equals the document's.
 */
export function makeSale(document: BooksDocument, setup: Setup, answers: Answers, refunded: Sale | null): { sale: Sale | null; findings: StoredProblem[] } {
  const findings = [...checkState(document, setup, answers), ...checkShape(document, setup), ...(refunded ? [] : checkVat(document, setup))];
  const priced = document.lines.length > 0 ? price(document, setup, findings) : [];
  const buyer = buyerOf(document, setup, answers, refunded);
  findings.push(...setup.checkBuyer(buyer));
  const paymentMethod = paymentMethodOf(document, setup, answers, refunded, findings);
  const isRefund = document.module === 'creditnotes';
  if (isRefund && !answers.reason_code) findings.push({ code: 'reason_missing', field: 'reason_code' });
  else if (isRefund && answers.reason_code && !setup.hasCode('reason', answers.reason_code)) findings.push({ code: 'reason_unknown', field: 'reason_code' });
  const total = add('0', ...priced.map((line) => line.total));
  if (document.lines.length > 0 && findings.length === 0 && compare(total, '0') <= 0) findings.push({ code: 'document_zero', field: 'total' });
  if (findings.length > 0 || paymentMethod === null) return { sale: null, findings: unique(findings) };
  return {
    findings: [],
    sale: {
      kind: isRefund ? 'refund' : 'sale',
      documentNumber: document.number,
      documentDate: document.date,
      customerId: document.customer.id,
      buyer,
      paymentMethod,
      reasonCode: isRefund ? (answers.reason_code ?? null) : null,
      currency: setup.currency,
      foreign: document.currency === setup.currency ? null : { currency: document.currency, exchangeRate: document.exchangeRate, total: document.total },
      lines: priced,
      total: round(total, 2),
    },
  };
}

function checkState(document: BooksDocument, setup: Setup, answers: Answers): StoredProblem[] {
  if (document.kind === 'debit_note') return [{ code: 'debit_note' }];
  if (document.status === 'void') return [{ code: 'document_void', field: 'status' }];
  if (statusesNotYet.includes(document.status) && !(document.status === 'approved' && setup.sealsApproved))
    return [{ code: 'document_draft', field: 'status' }];
  const findings: StoredProblem[] = [];
  if (isBeforeProduction(document, setup) && !answers.confirm?.includes('before_production'))
    findings.push({ code: 'before_production', field: 'created_time' });
  if (document.date > setup.today) findings.push({ code: 'document_future', field: 'date' });
  if (document.date < setup.goLiveDate && !answers.confirm?.includes('before_go_live')) findings.push({ code: 'before_go_live', field: 'date' });
  else if (daysBetween(document.date, setup.today) > setup.documentAgeDaysMax && !answers.confirm?.includes('document_old'))
    findings.push({ code: 'document_old', field: 'date' });
  return findings;
}

/**
 * What was created before its branch had a production device, or was signed at the rehearsal, was a real sale of whatever system sealed until then;
 * so was, for all that is known, what does not say when it was created.
 */
const isBeforeProduction = ({ createdAt }: BooksDocument, { production }: Setup): boolean =>
  production !== null && (production.isRehearsed || production.since === null || createdAt === null || createdAt < production.since);

function checkShape(document: BooksDocument, setup: Setup): StoredProblem[] {
  const findings: StoredProblem[] = [];
  if (document.baseCurrency !== setup.currency) findings.push({ code: 'currency_unsupported', field: 'currency_code' });
  if (document.currency !== document.baseCurrency && compare(document.exchangeRate, '0') <= 0)
    findings.push({ code: 'exchange_rate_missing', field: 'exchange_rate' });
  if (document.lines.length === 0) findings.push({ code: 'document_empty', field: 'line_items' });
  else if (isZero(document.total)) findings.push({ code: 'document_zero', field: 'total' });
  if (document.lines.length > setup.linesMax) findings.push({ code: 'too_many_lines', field: 'line_items' });
  if (isNegative(document.adjustment)) findings.push({ code: 'negative_adjustment', field: 'adjustment' });
  if (isNegative(document.roundOff)) findings.push({ code: 'negative_adjustment', field: 'roundoff_value' });
  if (!document.discount.isBeforeTax && !isZero(document.discount.amount)) findings.push({ code: 'discount_after_tax', field: 'discount' });
  document.lines.forEach((line, index) => {
    const field = `line_items[${index}]`;
    if (isNegative(line.net) || compare(line.quantity, '0') <= 0 || isNegative(line.rate)) findings.push({ code: 'negative_line', field });
    else if (isZero(round(line.quantity, 2))) findings.push({ code: 'quantity_unsupported', field });
    if (line.tax?.kind === 'compound_tax') findings.push({ code: 'compound_tax', field, tax_id: line.tax.id, tax_name: line.tax.name });
  });
  return findings;
}

/** Whoever is not registered for VAT may not charge it: sealed under the class without tax, nobody would see that it was charged. */
function checkVat(document: BooksDocument, setup: Setup): StoredProblem[] {
  if (setup.isVatRegistered) return [];
  const findings: StoredProblem[] = document.lines.flatMap(({ tax }, index) =>
    tax && compare(tax.percent, '0') > 0 ? [{ code: 'vat_not_registered', field: `line_items[${index}].tax_id`, tax_id: tax.id, tax_name: tax.name }] : [],
  );
  if (compare(document.shipping.tax, '0') > 0) findings.push({ code: 'vat_not_registered', field: 'shipping_charge_tax_id' });
  return findings;
}

type Draft = { source: string; mapping: ItemMapping | null; name: string; quantity: Amount; paid: Amount; listed: Amount | null; taxClass: string | null };

function price(document: BooksDocument, setup: Setup, findings: StoredProblem[]): SaleLine[] {
  const paid = paidPerLine(document);
  if (paid === null) {
    findings.push({ code: 'total_mismatch', field: 'total', total: document.total });
    return [];
  }
  const drafts: Draft[] = document.lines.map((line, index) => ({
    ...itemOf(line, index, setup, findings),
    name: line.name,
    quantity: round(line.quantity, 2),
    paid: paid[index] as Amount,
    listed: listedPrice(document, line),
    taxClass: classOf(line, index, setup, findings),
  }));
  const shipping = add(document.shipping.net, document.shipping.tax);
  if (compare(shipping, '0') > 0) {
    const mapping = setup.charges.shipping ?? null;
    if (!mapping) findings.push({ code: 'charge_unmapped', field: 'shipping_charge', key: 'shipping' });
    const byTax = document.shipping.taxId ? (setup.taxes[document.shipping.taxId] ?? null) : null;
    if (document.shipping.taxId && !byTax && setup.isVatRegistered)
      findings.push({ code: 'tax_unmapped', field: 'shipping_charge_tax_id', tax_id: document.shipping.taxId });
    const taxClass = setup.isVatRegistered ? (byTax ?? mapping?.taxClass ?? null) : setup.nonVatClass;
    if (mapping && !taxClass) findings.push({ code: 'charge_unmapped', field: 'shipping_charge', key: 'shipping' });
    drafts.push({ source: 'charge:shipping', mapping, name: mapping?.name ?? 'Shipping', quantity: '1', paid: shipping, listed: null, taxClass });
  }
  const adjustment = add(document.adjustment, document.roundOff);
  if (compare(adjustment, '0') > 0) {
    const mapping = setup.charges.adjustment ?? null;
    const taxClass = setup.isVatRegistered ? (mapping?.taxClass ?? null) : setup.nonVatClass;
    if (!mapping || !taxClass) findings.push({ code: 'charge_unmapped', field: 'adjustment', key: 'adjustment' });
    drafts.push({ source: 'charge:adjustment', mapping, name: mapping?.name ?? 'Adjustment', quantity: '1', paid: adjustment, listed: null, taxClass });
  }
  const base = inBaseCurrency(document, setup, drafts);
  if (base === null) {
    findings.push({ code: 'total_mismatch', field: 'total', total: document.total });
    return [];
  }
  return drafts.flatMap((draft, index) => {
    if (!draft.mapping || !draft.taxClass) return [];
    return [toLine(draft, draft.mapping, draft.taxClass, base[index] as { total: Amount; listed: Amount | null })];
  });
}

/** What the buyer pays per line, in the document's currency, or null where the lines do not make the total. */
function paidPerLine(document: BooksDocument): Amount[] | null {
  const p = document.places;
  const target = subtract(document.total, add(document.shipping.net, document.shipping.tax, document.adjustment, document.roundOff));
  const tolerance = multiply(unit(p), String(document.lines.length + 1));
  const taxed = document.lines.map((line) => add(line.net, taxOf(document, line)));
  const discount = document.discount.isBeforeTax ? document.discount.amount : '0';
  const near = (sum: Amount) => compare(absolute(subtract(sum, target)), tolerance) <= 0;
  // Zoho lowers the tax by an entity discount but leaves item_total as it was; on tax-inclusive documents the discount may stand in
  // gross money instead. Whichever of the two makes the total is the one that was meant.
  const byNet = apportion(
    discount,
    document.lines.map((line) => line.net),
    p,
  );
  const exclusive = taxed.map((amount, index) => subtract(amount, byNet[index] as Amount));
  if (near(add('0', ...exclusive))) return settle(exclusive, target, p);
  if (document.isTaxInclusive && !isZero(discount)) {
    const gross = document.lines.map((line) => subtract(round(multiply(line.rate, line.quantity), p), line.discount));
    const byGross = apportion(discount, gross, p);
    const inclusive = gross.map((amount, index) => subtract(amount, byGross[index] as Amount));
    if (near(add('0', ...inclusive))) return settle(inclusive, target, p);
  }
  return null;
}

/** Tax of a line as given, else computed from its percentage on the discounted base. */
function taxOf(document: BooksDocument, line: BooksLine): Amount {
  if (!line.tax) return '0';
  if (line.tax.amount !== null) return line.tax.amount;
  return round(divide(multiply(line.net, line.tax.percent), '100'), document.places);
}

/**
 * Gives the last units of rounding to the largest lines, so that the parts make the target exactly and none falls below zero; null
 * where that cannot be.
 */
function settle(parts: Amount[], target: Amount, places: number): Amount[] | null {
  const result = parts.map((part) => (isNegative(part) ? '0' : part));
  const order = result.map((part, index) => ({ part, index })).sort((a, b) => compare(b.part, a.part) || a.index - b.index);
  let rest = subtract(target, add('0', ...result));
  for (let rounds = 0; !isZero(rest) && rounds < 1_000; rounds++) {
    const before = rest;
    for (const { index } of order) {
      if (isZero(rest)) break;
      // A remainder finer than the currency's unit goes to one line whole.
      const size = compare(absolute(rest), unit(places)) < 0 ? absolute(rest) : unit(places);
      const give = isNegative(rest) ? negate(size) : size;
      const settled = add(result[index] as Amount, give);
      if (isNegative(settled)) continue;
      result[index] = settled;
      rest = subtract(rest, give);
    }
    if (compare(rest, before) === 0) return null;
  }
  return isZero(rest) ? result : null;
}

/** The price before the line's own discount, tax inside, or null where the line has none. */
function listedPrice(document: BooksDocument, line: BooksLine): Amount | null {
  if (isZero(line.discount) && isZero(document.discount.amount)) return null;
  const gross = round(multiply(line.rate, line.quantity), document.places);
  if (document.isTaxInclusive || !line.tax) return gross;
  return multiplyDivide(gross, add('100', line.tax.percent), '100', document.places);
}

/** Lines in the device's currency; on a foreign document each is converted by the document's own rate and reconciled to its total. */
function inBaseCurrency(document: BooksDocument, setup: Setup, drafts: Draft[]): { total: Amount; listed: Amount | null }[] | null {
  if (document.currency === setup.currency || compare(document.exchangeRate, '0') <= 0)
    return drafts.map((draft) => ({ total: round(draft.paid, 2), listed: draft.listed === null ? null : round(draft.listed, 2) }));
  const convert = (amount: Amount) => round(multiply(amount, document.exchangeRate), 2);
  const converted = drafts.map((draft) => convert(draft.paid));
  const own = convert(document.total);
  const tolerance = multiply('0.01', String(drafts.length + 1));
  const target = document.baseTotal !== null && compare(absolute(subtract(document.baseTotal, own)), tolerance) <= 0 ? round(document.baseTotal, 2) : own;
  const settled = settle(converted, target, 2);
  if (settled === null) return null;
  return drafts.map((draft, index) => ({ total: settled[index] as Amount, listed: draft.listed === null ? null : convert(draft.listed) }));
}

function toLine(draft: Draft, mapping: ItemMapping, taxClass: string, money: { total: Amount; listed: Amount | null }): SaleLine {
  const gross = money.listed !== null && compare(money.listed, money.total) > 0 ? money.listed : money.total;
  const discount = subtract(gross, money.total);
  const { taxClass: _own, name: _name, ...codes } = mapping;
  return {
    source: draft.source,
    itemCode: '',
    name: draft.name,
    content: { ...codes, name: draft.name, taxClass },
    quantity: draft.quantity,
    unitPrice: round(divide(gross, draft.quantity), 2),
    gross: round(gross, 2),
    discountRate: rateOf(discount, gross),
    discount: round(discount, 2),
    total: round(money.total, 2),
    taxClass,
  };
}

/** In percent, two decimals; never zero where there is a discount, because the device refuses an amount without a rate. */
function rateOf(discount: Amount, gross: Amount): Amount {
  if (isZero(discount) || isZero(gross)) return '0.00';
  const rate = multiplyDivide(discount, '100', gross, 2);
  return isZero(rate) ? '0.01' : rate;
}

function itemOf(line: BooksLine, index: number, setup: Setup, findings: StoredProblem[]): { source: string; mapping: ItemMapping | null } {
  const field = `line_items[${index}]`;
  const mapping = line.itemId === null ? setup.items.free_text : (setup.items[line.itemId] ?? setup.items.default);
  if (!mapping) {
    findings.push(
      line.itemId === null
        ? { code: 'free_line_unmapped', field, key: 'free_text', name: line.name }
        : { code: 'item_unmapped', field, key: line.itemId, name: line.name },
    );
    return { source: '', mapping: null };
  }
  const checks = [
    ['item_class', mapping.itemClass],
    ['package_unit', mapping.packageUnit],
    ['quantity_unit', mapping.quantityUnit],
    ['origin', mapping.origin],
  ] as const;
  for (const [list, code] of checks) {
    if (!setup.hasCode(list, code)) findings.push({ code: 'code_unknown', field, key: line.itemId ?? 'free_text', list, unknown: code, name: line.name });
  }
  return { source: line.itemId === null ? 'free_text' : `item:${line.itemId}`, mapping };
}

function classOf(line: BooksLine, index: number, setup: Setup, findings: StoredProblem[]): string | null {
  if (!setup.isVatRegistered) return setup.nonVatClass;
  const field = `line_items[${index}].tax_id`;
  if (!line.tax) {
    findings.push({ code: 'line_without_tax', field, name: line.name });
    return null;
  }
  const taxClass = setup.taxes[line.tax.id];
  if (!taxClass) {
    findings.push({ code: 'tax_unmapped', field, tax_id: line.tax.id, tax_name: line.tax.name, percent: line.tax.percent });
    return null;
  }
  const rate = setup.rates[taxClass];
  if (rate === undefined || compare(rate, line.tax.percent) !== 0) {
    findings.push({ code: 'tax_rate_differs', field, tax_id: line.tax.id, tax_name: line.tax.name, percent: line.tax.percent, tax_class: taxClass });
    return null;
  }
  return taxClass;
}

function buyerOf(document: BooksDocument, setup: Setup, answers: Answers, refunded: Sale | null): Sale['buyer'] {
  // The authority wants a refund to name the buyer of its sale, with the same purchase code.
  if (refunded) return refunded.buyer;
  const given = (answer: string | undefined, known: string | null) => (answer !== undefined && answer !== '' ? answer : known);
  const taxpayerId = given(answers.buyer_tin, document.buyer.taxpayerId);
  const mobile = given(answers.buyer_mobile, document.buyer.mobile);
  return {
    name: document.customer.name,
    taxpayerId,
    purchaseCode: given(answers.purchase_code, document.buyer.purchaseCode),
    // What is no number is said where a number is needed, and left out where it is not.
    mobile: mobile === null ? null : (setup.readPhone(mobile) ?? (taxpayerId === null ? mobile : null)),
  };
}

function paymentMethodOf(document: BooksDocument, setup: Setup, answers: Answers, refunded: Sale | null, findings: StoredProblem[]): string | null {
  const field = 'payment_method';
  if (answers.payment_method) {
    if (setup.hasCode('payment_method', answers.payment_method)) return answers.payment_method;
    findings.push({ code: 'payment_method_unknown', field });
    return null;
  }
  const found = knownPaymentMethod(document, setup, refunded);
  if (found === null) findings.push({ code: 'payment_method_missing', field, modes: document.paymentModes });
  return found;
}

/** Unpaid means credit; paid by one mapped mode means that method; anything else a person must say. */
export function knownPaymentMethod(document: BooksDocument, setup: Setup, refunded: Sale | null): string | null {
  if (refunded) return refunded.paymentMethod;
  if (document.paymentModes.length === 0 && compare(document.balance, '0') > 0) return setup.creditMethod;
  const methods = new Set(document.paymentModes.map((mode) => setup.paymentModes[mode] ?? null));
  if (compare(document.balance, '0') > 0 || methods.size !== 1) return null;
  return [...methods][0] ?? null;
}

const daysBetween = (from: string, to: string) => Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);

/** One finding per thing to fix: sixty lines with one unmapped tax are one finding, not sixty. */
function unique(findings: StoredProblem[]): StoredProblem[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.code, finding.tax_id ?? finding.key ?? finding.field, finding.list, finding.unknown]);
    return seen.size < seen.add(key).size;
  });
}
