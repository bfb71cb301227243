import { compare } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Business } from '../../businesses/index.ts';
import { readMappings } from '../../catalogue/index.ts';
import { readPhone } from '../../platform/phone.ts';
import type { Code, Dialect, Dialects } from '../../ports/dialect/index.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { ItemMapping, Setup } from '../sale/sale-setup.model.ts';

/**
 * A document without a location goes to the only branch there is; an unmapped location is a
 * finding, never head office by default.
 */
export function branchOf(
  document: BooksDocument,
  locations: Record<string, Record<string, string>>,
  branches: { id: string }[],
  findings: StoredProblem[],
): string | null {
  const mapped = locations[document.locationId ?? 'none']?.branch_id;
  if (mapped && branches.some((branch) => branch.id === mapped)) return mapped;
  const [only] = branches;
  if (document.locationId === null && branches.length === 1 && only) return only.id;
  findings.push({
    code: 'location_unmapped',
    field: 'location_id',
    key: document.locationId ?? 'none',
  });
  return null;
}

/** Gathers the rules that a document is made a sale by. */
export function setupOf({
  business,
  production,
  dialect,
  mappings,
  lists,
  itemClasses,
  today,
}: {
  business: Business;
  production: Setup['production'];
  dialect: Dialect;
  mappings: Awaited<ReturnType<typeof readMappings>>;
  lists: Record<string, Code[]>;
  /** Those of the mapped classes that the device's lists know; null: it has fetched none. */
  itemClasses: Set<string> | null;
  /** `YYYY-MM-DD` in the device's zone. */
  today: string;
}): Setup {
  const items = (kind: Record<string, Record<string, string>>) =>
    Object.fromEntries(Object.entries(kind).map(([key, value]) => [key, toItemMapping(value)]));
  return {
    currency: dialect.identity.currency,
    today,
    goLiveDate: business.goLiveDate,
    production,
    sealsApproved: business.settings.auto_seal === 'approved',
    documentAgeDaysMax: business.settings.document_age_days_max,
    isVatRegistered: business.isVatRegistered,
    nonVatClass: dialect.sales.nonVatClass,
    rates: ratesOf(dialect, lists.tax_class ?? [], today),
    linesMax: dialect.sales.linesMax,
    amountMax: dialect.sales.amountMax,
    quantityMax: dialect.sales.quantityMax,
    taxes: Object.fromEntries(
      Object.entries(mappings.tax).map(([key, value]) => [key, value.tax_class as string]),
    ),
    items: items(mappings.item),
    charges: items(mappings.charge),
    paymentModes: Object.fromEntries(
      Object.entries(mappings.payment_mode).map(([key, value]) => [
        key,
        value.payment_method as string,
      ]),
    ),
    creditMethod: dialect.sales.creditMethod,
    hasCode(list, code) {
      if (list === 'item_class') return itemClasses?.has(code) ?? true;
      const codes = lists[list];
      return !codes || codes.length === 0 || codes.some((each) => each.code === code);
    },
    readPhone: (text) => readPhone(text, dialect.identity.country),
    checkBuyer: dialect.sales.checkBuyer,
  };
}

/**
 * The device's own rates where its lists have been fetched, else those in force by law on the day.
 */
function ratesOf(dialect: Dialect, fetched: Code[], today: string): Record<string, string> {
  const lawful = dialect.sales.taxClasses
    .filter((each) => each.since <= today)
    .sort((a, b) => (a.since < b.since ? -1 : 1));
  const rates = Object.fromEntries(lawful.map((each) => [each.code, each.percent]));
  for (const each of fetched)
    if (
      each.code in rates &&
      each.data.percent !== undefined &&
      compare(each.data.percent, '0') >= 0
    )
      rates[each.code] = each.data.percent;
  return rates;
}

const toItemMapping = (value: Record<string, string>): ItemMapping => ({
  itemClass: value.item_class as string,
  itemType: value.item_type as string,
  packageUnit: value.package_unit as string,
  quantityUnit: value.quantity_unit as string,
  origin: value.origin as string,
  taxClass: value.tax_class,
  name: value.name,
});

export function dialectOfCountry(dialects: Dialects, country: string): string {
  const found = dialects.in(country);
  if (!found) throw new Error(`no dialect for ${country}`);
  return found.identity.key;
}
