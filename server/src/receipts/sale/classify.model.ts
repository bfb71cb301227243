import { compare, isZero, multiply, subtract } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import { clean } from '@muhuri/shared/text';
import type { BooksDocument, BooksLine } from '../../model/books-document.model.ts';
import { isLevied } from './levied-taxes.model.ts';
import type { ItemMapping, Setup } from './sale-setup.model.ts';
import type { Sale, SaleLine } from '../../model/sale.model.ts';

/** What a line or a charge is to the authority: which item of ours, and under which tax class. */
export type Classified = { source: string; mapping: ItemMapping; taxClass: string };

/** By the business's mappings, or in findings what is missing. */
export function classifyLine(
  line: BooksLine,
  index: number,
  setup: Setup,
  findings: StoredProblem[],
): Classified | null {
  const field = `line_items[${index}]`;
  const mapping =
    line.itemId === null
      ? setup.items.free_text
      : (setup.items[line.itemId] ?? setup.items.default);
  if (!mapping)
    findings.push(
      line.itemId === null
        ? { code: 'free_line_unmapped', field, key: 'free_text', name: line.name }
        : { code: 'item_unmapped', field, key: line.itemId, name: line.name },
    );
  else
    checkCodes(
      mapping,
      { field, key: line.itemId ?? 'free_text', name: line.name },
      setup,
      findings,
    );
  const taxClass = classOfTax(
    line.tax,
    { field: `${field}.tax_id`, name: line.name, exemption: line.exemption },
    setup,
    findings,
  );
  return mapping && taxClass ? { source: sourceOf(line), mapping, taxClass } : null;
}

const freeText = 'free_text';
export const sourceOf = (line: BooksLine): string =>
  line.itemId === null ? freeText : `item:${line.itemId}`;

type SoldAs = (part: { source: string; name: string }) => string;
/**
 * Which of the things that were sold it is. Lines of free text are one item to the authority and
 * many to whoever writes them: the name is all that tells them apart, however its letters and
 * blanks are written.
 */
const soldAs: SoldAs = ({ source, name }) =>
  source === freeText
    ? `${source}:${clean(name.normalize('NFKC'))
        .replace(/\p{Cf}/gu, '')
        .replace(/\s+/g, ' ')
        .trim()
        .toLowerCase()}`
    : source;

/** What one sale has: each thing with its lines, and which of them another line is. */
export type Sold = { as: SoldAs; lines: Map<string, SaleLine[]>; hasFreeText: boolean };

/**
 * Where it has but one thing of free text, every line of free text is that thing, whatever it is
 * called there.
 */
export function soldIn(sale: Sale): Sold {
  const names = new Set(sale.lines.filter(({ source }) => source === freeText).map(soldAs));
  // A name is looked at once, and not again beside every other line.
  const known = new Map<string, string>();
  const as: SoldAs = (part) => {
    if (part.source !== freeText) return part.source;
    if (names.size === 1) return freeText;
    const found = known.get(part.name) ?? soldAs(part);
    known.set(part.name, found);
    return found;
  };
  return { as, lines: Map.groupBy(sale.lines, as), hasFreeText: names.size > 0 };
}

const shippingUnmapped: StoredProblem = {
  code: 'charge_unmapped',
  field: 'shipping_charge',
  key: 'shipping',
};

/**
 * Shipping bears a tax of its own in the books, which is looked at as a line's; without one the
 * mapping says the class.
 */
export function classifyShipping(
  document: BooksDocument,
  setup: Setup,
  findings: StoredProblem[],
): Classified | null {
  const { taxId, taxName } = document.shipping;
  const mapping = setup.charges.shipping ?? null;
  if (mapping)
    checkCodes(
      mapping,
      { field: 'shipping_charge', key: 'shipping', of: 'charge' },
      setup,
      findings,
    );
  else findings.push(shippingUnmapped);
  const taxClass = taxId
    ? classOfTaxedShipping(document, { id: taxId, name: taxName ?? '' }, setup, findings)
    : classOfUntaxedShipping(document, mapping, setup, findings);
  return mapping && taxClass ? { source: 'charge:shipping', mapping, taxClass } : null;
}

const shippingTaxField = 'shipping_charge_tax_id';

/** The class of shipping with a tax of its own, if the tax is what the class levies. */
function classOfTaxedShipping(
  document: BooksDocument,
  { id, name }: { id: string; name: string },
  setup: Setup,
  findings: StoredProblem[],
): string | null {
  const { tax, net } = document.shipping;
  const taxClass = classOfTax(
    { id, name, percent: percentOfShipping(document) },
    { field: shippingTaxField, tax: { net, amount: tax, places: document.places } },
    setup,
    findings,
  );
  // What its tax is said to be is one thing, what was charged another: the class says how much VAT
  // the authority sees in it.
  const rate = setup.isVatRegistered && taxClass ? setup.rates[taxClass] : undefined;
  if (rate === undefined || isLevied(tax, net, rate, document.places, '2')) return taxClass;
  findings.push({
    code: 'tax_rate_differs',
    field: shippingTaxField,
    tax_id: id,
    tax_name: name,
    tax_class: taxClass as string,
    percent: rate,
    charged: tax,
    base: net,
  });
  return null;
}

/** The class that the business chose for shipping whose tax has no name in the books. */
function classOfUntaxedShipping(
  document: BooksDocument,
  mapping: ItemMapping | null,
  setup: Setup,
  findings: StoredProblem[],
): string | null {
  if (!setup.isVatRegistered) return setup.nonVatClass;
  const taxClass = mapping?.taxClass ?? null;
  if (mapping && !taxClass) findings.push(shippingUnmapped);
  const { tax, net } = document.shipping;
  // A tax without an id can only be told by what it comes to.
  if (!taxClass || isZero(tax) || isLevied(tax, net, setup.rates[taxClass] ?? '0', document.places))
    return taxClass;
  const percent = percentOfShipping(document);
  findings.push({
    code: 'tax_rate_differs',
    field: shippingTaxField,
    tax_class: taxClass,
    ...(percent === null ? {} : { percent }),
  });
  return null;
}

/** An adjustment bears no tax in the books: its class is the one the business chose. */
export function classifyAdjustment(setup: Setup, findings: StoredProblem[]): Classified | null {
  const mapping = setup.charges.adjustment ?? null;
  const taxClass = setup.isVatRegistered ? (mapping?.taxClass ?? null) : setup.nonVatClass;
  if (mapping)
    checkCodes(mapping, { field: 'adjustment', key: 'adjustment', of: 'charge' }, setup, findings);
  if (!mapping || !taxClass)
    findings.push({ code: 'charge_unmapped', field: 'adjustment', key: 'adjustment' });
  return mapping && taxClass ? { source: 'charge:adjustment', mapping, taxClass } : null;
}

/**
 * A refund is what its sale was: the same item, class and codes as sealed, whatever mappings and
 * rates say today. `setup.rates` are those the sale was sealed with.
 */
export function classifyRefund(
  part: { source: string; field: string; name: string; percent: string | null },
  { as, lines, hasFreeText }: Sold,
  setup: Setup,
  findings: StoredProblem[],
): Classified | null {
  const sold = lines.get(as(part)) ?? [];
  if (sold.length === 0) {
    const isOneOfNames = part.source === freeText && hasFreeText;
    findings.push({
      code: 'refund_line_unknown',
      field: part.field,
      name: part.name,
      ...(isOneOfNames ? { free_text: true } : {}),
    });
    return null;
  }
  const rateOf = (line: SaleLine) => setup.rates[line.taxClass] ?? '0';
  // A seller who was not registered for VAT used one class for whatever the books say of taxes.
  const fits = (line: SaleLine) =>
    part.percent === null ||
    line.taxClass === setup.nonVatClass ||
    compare(rateOf(line), part.percent) === 0;
  const found = sold.find(fits);
  if (!found) {
    const [first] = sold as [SaleLine, ...SaleLine[]];
    findings.push({
      code: 'refund_rate_differs',
      field: part.field,
      name: part.name,
      percent: part.percent,
      sale_percent: rateOf(first),
    });
    return null;
  }
  return {
    source: part.source,
    mapping: { ...found.content, name: found.name },
    taxClass: found.taxClass,
  };
}

/**
 * The rate of shipping's tax as given, else that of a line under the same tax; null where nothing
 * says it.
 */
function percentOfShipping({ shipping, lines }: BooksDocument): string | null {
  return (
    shipping.taxPercent ??
    lines.find((line) => line.tax !== null && line.tax.id === shipping.taxId)?.tax?.percent ??
    null
  );
}

/**
 * The same of a credit note. One that says nothing of a tax on its shipping refunds it without one;
 * that is what its sale was only where the books levied none on it there either, and the mapping
 * alone has said the class.
 */
export function percentOfRefundedShipping(
  document: BooksDocument,
  refunded: Sale,
  setup: Setup,
): string | null {
  const { taxId, tax } = document.shipping;
  const percent = percentOfShipping(document);
  return percent === null &&
    taxId === null &&
    isZero(tax) &&
    refunded.lines.some((line) => isShippingLevied(line, setup))
    ? '0'
    : percent;
}

/**
 * Whether the books levied the tax of its class on it, rather than only rounded the total; not
 * known of receipts that did not keep what they say.
 */
const isShippingLevied = ({ source, taxClass, books }: SaleLine, setup: Setup): boolean =>
  source === 'charge:shipping' &&
  books !== undefined &&
  compare(
    multiply(subtract(books.paid, books.worth), '200'),
    multiply(books.worth, setup.rates[taxClass] ?? '0'),
  ) > 0;

type LeviedTax = { id: string; name: string; percent: string | null };
type At = {
  field: string;
  name?: string;
  exemption?: string | undefined;
  tax?: { net: string; amount: string; places: number };
};

function classOfTax(
  tax: LeviedTax | null,
  { field, name, exemption, tax: levied }: At,
  setup: Setup,
  findings: StoredProblem[],
): string | null {
  if (!setup.isVatRegistered) return setup.nonVatClass;
  if (!tax) {
    findings.push({
      code: 'line_without_tax',
      field,
      ...(name === undefined ? {} : { name }),
      ...(exemption === undefined ? {} : { exemption }),
    });
    return null;
  }
  const about = {
    field,
    tax_id: tax.id,
    tax_name: tax.name,
    ...(tax.percent === null ? {} : { percent: tax.percent }),
  };
  const taxClass = setup.taxes[tax.id];
  if (!taxClass) {
    findings.push({ code: 'tax_unmapped', ...about });
    return null;
  }
  const rate = setup.rates[taxClass];
  const isOfClass =
    rate !== undefined &&
    (tax.percent === null
      ? levied !== undefined && isLevied(levied.amount, levied.net, rate, levied.places)
      : compare(rate, tax.percent) === 0);
  if (isOfClass) return taxClass;
  findings.push({ code: 'tax_rate_differs', ...about, tax_class: taxClass });
  return null;
}

function checkCodes(
  mapping: ItemMapping,
  about: Omit<StoredProblem, 'code'>,
  setup: Setup,
  findings: StoredProblem[],
): void {
  const checks = [
    ['item_class', mapping.itemClass],
    ['package_unit', mapping.packageUnit],
    ['quantity_unit', mapping.quantityUnit],
    ['origin', mapping.origin],
  ] as const;
  for (const [list, code] of checks)
    if (!setup.hasCode(list, code))
      findings.push({ code: 'code_unknown', ...about, list, unknown: code });
}
