import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import { isStill } from '../sale/document-hash.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { ownReceipt } from './receipt-of-environment.ts';
import type { Prepared, PrepareSale } from './prepare-sale.ts';
import { findReceiptOf, lockReceipt, setDrift } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { whyContested } from '../receipt/second-signature.model.ts';
import { toForeignView, toReceiptView } from '../receipt/receipt-view.ts';

export type RunPreflight = (
  ctx: Context,
  module: BooksDocument['module'],
  documentId: string,
  saleReceiptId?: string,
) => Promise<Preflight>;
type Preflight = ReturnType<typeof toView>;

/**
 * What would be sealed and what is missing, in plain words; asks no device. For a document that is
 * sealed already it looks whether the world has moved since: changed, moved to another branch, void
 * or deleted in the books is *drift*.
 */
export const runPreflight =
  (ports: { prepareSale: PrepareSale; dialects: Dialects; clock: Clock }): RunPreflight =>
  async (ctx, module, documentId, saleReceiptId) => {
    let existing = await ctx.transaction((tx) => findReceiptOf(tx, module, documentId));
    let prepared: Prepared | null = null;
    const chosen = saleReceiptId ? { sale_receipt_id: saleReceiptId } : {};
    const read = () => ports.prepareSale(ctx, module, documentId, chosen, existing);
    try {
      prepared = await read();
      const own = await ownReceipt(ctx, prepared, existing);
      if (own?.id !== existing?.id) {
        existing = own;
        prepared = await read();
      }
    } catch (error) {
      if (
        !(error instanceof AppError) ||
        error.code !== 'document_unknown' ||
        existing?.state !== 'signed'
      )
        throw error;
    }
    const receipt =
      existing?.state === 'signed'
        ? await findDrift(ctx, existing, prepared, ports.clock)
        : existing;
    if (!prepared)
      throw new AppError('document_unknown', {
        field: 'document_id',
        drift: receipt?.drift,
        receipt_id: receipt?.id,
      });
    return toView(ctx, prepared, receipt, ports.dialects);
  };

/**
 * Changed, moved to another branch, void or deleted in the books after it was sealed; `prepared`
 * null: it is not there any more.
 */
export async function findDrift(
  ctx: Context,
  receipt: Receipt,
  prepared: Prepared | null,
  clock: Clock,
): Promise<Receipt> {
  const code = !prepared
    ? 'drift_deleted'
    : prepared.document.status === 'void'
      ? 'drift_void'
      : !isStill(prepared.document, receipt.documentHash) || namesAnother(prepared, receipt)
        ? 'drift_changed'
        : isMoved(prepared, receipt)
          ? 'drift_moved'
          : null;
  if ((receipt.drift?.code ?? null) === code) return receipt;
  const drift: StoredProblem | null = code && {
    code,
    module: receipt.module,
    sealed_total: receipt.filed.sale.total,
    ...(prepared ? { present_total: prepared.document.total } : {}),
  };
  await ctx.transaction(async (tx) => {
    await lockReceipt(tx, receipt.id);
    await setDrift(tx, receipt.id, drift, clock.now());
  });
  return { ...receipt, drift };
}

/**
 * Whether a credit note that named its sale names others by now. One that did not, and whose sale a
 * person chose, says nothing by the invoices that its credit is used for afterwards.
 */
function namesAnother(
  { document, saleReceipt }: Prepared,
  { answers: { about } }: Receipt,
): boolean {
  const { invoiceIds } = document.corrects;
  if (!saleReceipt || !about?.corrects.invoiceIds.includes(saleReceipt.documentId)) return false;
  return invoiceIds.length > 0 && !invoiceIds.includes(saleReceipt.documentId);
}

/**
 * Whether a sale was moved, after it was sealed, to a place in the books that is not its branch's.
 * A place that was mapped anew since has not moved anything; nor have places that the books did not
 * have yet, before somebody has mapped them.
 */
function isMoved(
  { document, branchId }: Prepared,
  { module, branchId: sealedAt, filed }: Receipt,
): boolean {
  const { locationId: was } = filed.sale;
  if (
    module !== 'invoices' ||
    was === undefined ||
    document.locationId === was ||
    branchId === sealedAt
  )
    return false;
  return was !== null || branchId !== null;
}

function toView(ctx: Context, prepared: Prepared, receipt: Receipt | null, dialects: Dialects) {
  const { document } = prepared;
  const isSealed = receipt !== null && receipt.state === 'signed';
  const findings = findingsOn(prepared, receipt);
  return {
    module: document.module,
    document_id: document.id,
    document_number: document.number,
    document_date: document.date,
    status: document.status,
    buyer_name: document.customer.name,
    currency: document.currency,
    total: document.total,
    environment: prepared.device?.environment ?? null,
    kind: (document.module === 'creditnotes' ? 'refund' : 'sale') as 'sale' | 'refund',
    ready: findings.length === 0 && prepared.filed !== null && isToBeSigned(receipt),
    findings: findings.map((finding) => describeProblem(finding, ctx.language)),
    remarks: (isSealed ? [] : prepared.remarks).map((remark) =>
      describeProblem(remark, ctx.language),
    ),
    asks: toAsksView(prepared),
    payment_methods: prepared.paymentMethods.map(({ code, name }) => ({ code, name })),
    reasons: prepared.reasons.map(({ code, name }) => ({ code, name })),
    sales: toSalesView(prepared),
    sale_receipt_id: saleOf(prepared, isSealed ? receipt : null),
    refund_left: isSealed ? [] : toLeftView(prepared),
    foreign: toForeignView(prepared.foreign, document.date),
    base_currency: prepared.baseCurrency,
    base_total: isSealed ? receipt.filed.sale.total : prepared.baseTotal,
    reversal_offered: prepared.business.settings.reversal_without_data,
    receipt: receipt && toReceiptView(receipt, dialects, ctx.language),
  };
}

/** What stands in the way; of a document that is sealed only that its receipt is contested. */
const findingsOn = ({ findings }: Prepared, receipt: Receipt | null): StoredProblem[] => [
  ...(receipt?.isContested ? [whyContested(receipt)] : []),
  ...(receipt?.state === 'signed' ? [] : findings),
];

const saleOf = ({ saleReceipt }: Prepared, sealed: Receipt | null): string | null =>
  sealed?.saleReceiptId ?? saleReceipt?.id ?? null;

const isToBeSigned = (receipt: Receipt | null) =>
  receipt === null || receipt.state === 'refused' || receipt.state === 'withdrawn';

/** What a person may answer, filled with what is known. */
function toAsksView({ filed, document, answers, paymentMethod }: Prepared) {
  const buyer = filed?.sale.buyer ?? document.buyer;
  return {
    buyer_tin: buyer.taxpayerId,
    purchase_code: buyer.purchaseCode,
    buyer_mobile: buyer.mobile,
    payment_method: answers.payment_method ?? paymentMethod,
    reason_code: answers.reason_code ?? null,
  };
}

const toSalesView = ({ sales }: Prepared) =>
  sales
    .filter((sale) => sale.state === 'signed')
    .map((sale) => ({
      receipt_id: sale.id,
      document_number: sale.documentNumber,
      document_date: sale.documentDate,
      total: sale.total,
      label: sale.label,
    }));

const toLeftView = ({ refund }: Prepared) =>
  (refund?.left ?? []).map(({ unitPrice, ...row }) => ({ ...row, unit_price: unitPrice }));
