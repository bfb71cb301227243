import type { BooksDocument } from '../model/books-document.model.ts';
import { type Fields, list, text } from './json-fields.ts';

/**
 * The invoices a credit note corrects, by the first source that names any; several stay several,
 * for a person to choose. What its credit is used for comes last: that is often the invoice it
 * corrects, and may be any other.
 */
const idsOf = (sources: string[][]): string[] =>
  sources.map((ids) => [...new Set(ids.filter((id) => id !== ''))]).find((ids) => ids.length > 0) ??
  [];
const correctedOn = (raw: Fields): string[] =>
  idsOf([list(raw.line_items).map((line) => text(line.invoice_id)), [text(raw.invoice_id)]]);
const creditedOn = (raw: Fields): string[] =>
  [...list(raw.invoices), ...list(raw.invoices_credited)].map((each) => text(each.invoice_id));
/** The invoices that a credit note names itself, for whatever reason. */
export const namedInvoices = (raw: Fields): string[] => idsOf([correctedOn(raw), creditedOn(raw)]);

export function correctedInvoices(
  raw: Fields,
  appliedTo: string[],
): Omit<BooksDocument['corrects'], 'reference'> {
  const own = correctedOn(raw);
  if (own.length > 0) return { invoiceIds: own };
  const used = idsOf([creditedOn(raw), appliedTo]);
  return used.length > 0 ? { invoiceIds: used, isUseOfCredit: true } : { invoiceIds: [] };
}
