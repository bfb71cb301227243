import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Books } from '../../ports/books.ts';
import { aboutOf, answersAbout } from '../sale/user-answers.model.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { numberOfSaleElsewhere } from '../receipt/sealed-elsewhere.store.ts';
import type { Answers } from '../sale/sale-setup.model.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import { findSales, listRefundsOf, type SaleCandidate } from '../receipt/find-sales.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { fitRefund, type RefundRules } from '../sale/fit-refund.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import { ofConnection } from './check-duplicate-number.ts';

/**
 * Whether a refund is of its sale's buyer. Where two contacts were merged in the books since, or a
 * sale was given to another one, both documents are the other's now: what the books themselves say
 * the credit note is of decides then, and the refund names the buyer of its sale whatever they say.
 */
export async function isOfSameBuyer(
  books: Books,
  source: Parameters<Books['readDocument']>[0],
  note: BooksDocument,
  sale: Receipt,
): Promise<boolean> {
  if (note.customer.id === sale.filed.sale.customerId) return true;
  if (!note.corrects.invoiceIds.includes(sale.documentId)) return false;
  const read = await books
    .readDocument(source, 'invoices', sale.documentId)
    .catch((error: unknown) => {
      // One that cannot be read says nothing of whose it is.
      if (error instanceof AppError && !ofConnection.includes(error.code)) return null;
      throw error;
    });
  return read !== null && read.is !== 'missing' && read.document.customer.id === note.customer.id;
}

/** Fits a refund to its sale, beside the other refunds of it. */
export async function fitToSale(
  ctx: Context,
  asked: Sale,
  saleReceipt: Receipt,
  ownReceiptId: string | null,
  rules: RefundRules,
) {
  const others = await ctx.transaction((tx) => listRefundsOf(tx, saleReceipt.id, ownReceiptId));
  return fitRefund(
    asked,
    saleReceipt.filed.sale,
    others.map((other) => other.sale),
    rules,
  );
}

/** The sale that a credit note refunds, if it is clear; else the sales a person chooses from. */
type RefundedSale = { saleReceipt: Receipt | null; sales: SaleCandidate[] };

/**
 * Finds the sale of a credit note by the order of trust: what a person chose, the invoice that it
 * was made from or applied to, its reference. Adds a finding if the sale is not clear or not
 * signed.
 */
export const findSaleOf = (
  ctx: Context,
  document: BooksDocument,
  own: Receipt | null,
  given: Answers,
  findings: StoredProblem[],
): Promise<RefundedSale> =>
  ctx.transaction(async (tx) => {
    const { corrects } = document;
    const toBeChosen = (sales: SaleCandidate[]): RefundedSale => {
      findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
      return { saleReceipt: null, sales };
    };
    const chosen = chosenSale(document, own, given);
    // What its credit is used for may be another sale than its reference says: as long as that is
    // not known, a person says which one it is.
    if (chosen === null && document.unread?.includes('applied'))
      return toBeChosen(await signedOrOfCustomer(tx, document, await findReferred(tx, document)));
    const named = await findNamed(tx, document, chosen);
    const meant = chosen === null ? await meantBeside(tx, document, own) : [];
    if (meant.length > 0 && !meant.some((sale) => corrects.invoiceIds.includes(sale.documentId)))
      return toBeChosen([...named, ...meant]);
    const only = chosen !== null || corrects.invoiceIds.length <= 1 ? onlyOf(named) : null;
    if (only) {
      // A person had chosen another one, and this one is named only since: it may be where the
      // credit was used.
      const before = chosen === null ? chosenBefore(own, only) : null;
      if (before) return toBeChosen([only, ...(await findSales(tx, { receiptId: before }))]);
      if (only.state === 'signed')
        return { saleReceipt: await findReceipt(tx, only.id), sales: named };
      const about = { document_number: only.documentNumber };
      findings.push(await unsignedSale(tx, only.documentId, about));
      return { saleReceipt: null, sales: named };
    }
    const invoiceId = chosen ? null : onlyOf(corrects.invoiceIds);
    if (invoiceId) {
      findings.push(await unsignedSale(tx, invoiceId, {}));
      return { saleReceipt: null, sales: [] };
    }
    return toBeChosen(await signedOrOfCustomer(tx, document, named));
  });

/**
 * Returns the id of the sale's receipt that a refund is of whatever its document says: of one that
 * is signed, or may be, what it was sent for; of any other what a person has said.
 */
function chosenSale(document: BooksDocument, own: Receipt | null, given: Answers): string | null {
  const sent = own?.state === 'signed' || own?.state === 'in_doubt' ? own.saleReceiptId : null;
  const about = aboutOf(document, { elsewhere: null, since: null, others: [] });
  return sent ?? answersAbout(about, own, given).sale_receipt_id ?? null;
}

const chosenBefore = (own: Receipt | null, only: SaleCandidate): string | null => {
  const before = own?.answers.sale_receipt_id;
  return before === undefined || before === only.id ? null : before;
};

const onlyOf = <T>(list: T[]): T | null => (list.length === 1 ? (list[0] as T) : null);

const findReferred = async (tx: Tx, { corrects }: BooksDocument): Promise<SaleCandidate[]> =>
  corrects.reference ? findSales(tx, { documentNumber: corrects.reference }) : [];

async function findNamed(
  tx: Tx,
  document: BooksDocument,
  chosen: string | null,
): Promise<SaleCandidate[]> {
  if (chosen) return findSales(tx, { receiptId: chosen });
  const { invoiceIds } = document.corrects;
  return invoiceIds.length > 0
    ? findSales(tx, { documentIds: invoiceIds })
    : findReferred(tx, document);
}

/** Of these sales the signed ones; if there are none, those of the customer. */
async function signedOrOfCustomer(
  tx: Tx,
  document: BooksDocument,
  named: SaleCandidate[],
): Promise<SaleCandidate[]> {
  const signed = named.filter((sale) => sale.state === 'signed');
  return signed.length > 0 ? signed : findSales(tx, { customerId: document.customer.id });
}

/** A sale that is not signed here: it is to be, unless another system has sealed it. */
async function unsignedSale(tx: Tx, saleId: string, about: object): Promise<StoredProblem> {
  const number = await numberOfSaleElsewhere(tx, saleId);
  return number
    ? { code: 'refund_sale_elsewhere', field: 'invoice_id', document_number: number }
    : { code: 'refund_sale_unsigned', field: 'invoice_id', ...about };
}

/**
 * The sealed sales that a credit note means beside those that its credit is used for, which may be
 * any: those of its reference, and where that names none, what it was opened for before. What it
 * says itself of the invoice it corrects is all that counts, where it says that.
 */
async function meantBeside(
  tx: Tx,
  { corrects }: BooksDocument,
  own: Receipt | null,
): Promise<SaleCandidate[]> {
  if (!corrects.isUseOfCredit) return [];
  const sealed = async (by: Parameters<typeof findSales>[1]) =>
    (await findSales(tx, by)).filter((sale) => sale.state === 'signed');
  const referred = corrects.reference ? await sealed({ documentNumber: corrects.reference }) : [];
  return referred.length > 0 || !own?.saleReceiptId
    ? referred
    : await sealed({ receiptId: own.saleReceiptId });
}
