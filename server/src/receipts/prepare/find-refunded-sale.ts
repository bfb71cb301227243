import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Books } from '../../ports/books.ts';
import { aboutOf, answersAbout } from '../sale/answers.model.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { numberOfSaleElsewhere } from '../receipt/elsewhere.store.ts';
import type { Answers } from '../sale/setup.model.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import { findSales, listRefundsOf, type SaleCandidate } from '../receipt/find-sales.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { fitRefund } from '../sale/refund.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import { ofConnection } from './check-number.ts';

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

export async function fitToSale(
  ctx: Context,
  asked: Sale,
  saleReceipt: Receipt,
  isSameBuyer: boolean,
  ownReceiptId: string | null,
  allowsPartial: boolean,
  countsQuantities: boolean,
) {
  const others = await ctx.transaction((tx) => listRefundsOf(tx, saleReceipt.id, ownReceiptId));
  return fitRefund(
    asked,
    saleReceipt.filed.sale,
    others.map((other) => other.sale),
    isSameBuyer,
    allowsPartial,
    countsQuantities,
  );
}

/**
 * By the order of trust: what a person chose, the invoice the credit note was made from or applied
 * to, its reference.
 */
export async function findSaleOf(
  ctx: Context,
  document: BooksDocument,
  own: Receipt | null,
  given: Answers,
  findings: StoredProblem[],
): Promise<{ saleReceipt: Receipt | null; sales: SaleCandidate[] }> {
  return ctx.transaction(async (tx) => {
    /** A sale that is not sealed here: it is to be, unless another system has sealed it. */
    const unsigned = async (saleId: string, about: object): Promise<StoredProblem> => {
      const number = await numberOfSaleElsewhere(tx, saleId);
      return number
        ? { code: 'refund_sale_elsewhere', field: 'invoice_id', document_number: number }
        : { code: 'refund_sale_unsigned', field: 'invoice_id', ...about };
    };
    // What is sealed, or may be, is a refund of what it was sealed for; anything else of what its
    // document says now, unless a person has said it.
    const filed = own?.state === 'signed' || own?.state === 'in_doubt' ? own.saleReceiptId : null;
    const { sale_receipt_id: said } = answersAbout(
      aboutOf(document, { elsewhere: null, since: null, others: [] }),
      own,
      given,
    );
    const chosen = filed ?? said ?? null;
    // What its credit is used for may be another sale than its reference says: as long as that is
    // not known, a person says which one it is.
    if (chosen === null && document.unread?.includes('applied')) {
      findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
      const referred = document.corrects.reference
        ? await findSales(tx, { documentNumber: document.corrects.reference })
        : [];
      const signed = referred.filter((sale) => sale.state === 'signed');
      return {
        saleReceipt: null,
        sales:
          signed.length > 0 ? signed : await findSales(tx, { customerId: document.customer.id }),
      };
    }
    const named = chosen
      ? await findSales(tx, { receiptId: chosen })
      : document.corrects.invoiceIds.length > 0
        ? await findSales(tx, { documentIds: document.corrects.invoiceIds })
        : document.corrects.reference
          ? await findSales(tx, { documentNumber: document.corrects.reference })
          : [];
    const [only] = named;
    const isClear = chosen !== null || document.corrects.invoiceIds.length <= 1;
    const meant = chosen === null ? await meantBeside(tx, document, own) : [];
    if (
      meant.length > 0 &&
      !meant.some((sale) => document.corrects.invoiceIds.includes(sale.documentId))
    ) {
      findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
      return { saleReceipt: null, sales: [...named, ...meant] };
    }
    if (named.length === 1 && only && isClear) {
      const before = chosen === null ? own?.answers.sale_receipt_id : undefined;
      if (before !== undefined && before !== only.id) {
        // A person had chosen another one, and this one is named only since: it may be where the
        // credit was used.
        findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
        return {
          saleReceipt: null,
          sales: [only, ...(await findSales(tx, { receiptId: before }))],
        };
      }
      if (only.state !== 'signed')
        findings.push(await unsigned(only.documentId, { document_number: only.documentNumber }));
      return {
        saleReceipt: only.state === 'signed' ? await findReceipt(tx, only.id) : null,
        sales: named,
      };
    }
    const [invoiceId] = document.corrects.invoiceIds;
    if (!chosen && invoiceId && document.corrects.invoiceIds.length === 1) {
      findings.push(await unsigned(invoiceId, {}));
      return { saleReceipt: null, sales: [] };
    }
    const signed = named.filter((sale) => sale.state === 'signed');
    const sales =
      signed.length > 0 ? signed : await findSales(tx, { customerId: document.customer.id });
    findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
    return { saleReceipt: null, sales };
  });
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
