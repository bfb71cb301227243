import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import type { Dialects } from '../../ports/dialect/index.ts';
import type { Receipt, StoredReversal } from './receipt-row.ts';
import { remarksOn } from '../sale/refund-remarks.model.ts';
import type { Foreign, Signature } from '../../model/sale.model.ts';
import { type SecondSignature, whyContested } from './second-signature.model.ts';

/**
 * A receipt on the wire: money as decimal text, times in UTC with offset, problems in the reader's
 * language.
 */
export const toReceiptView = (receipt: Receipt, dialects: Dialects, language: string) => {
  const { sale, terms } = receipt.filed;
  const problem = problemOf(receipt);
  return {
    id: receipt.id,
    state: receipt.state,
    module: receipt.module,
    document_id: receipt.documentId,
    document_number: receipt.documentNumber,
    document_date: receipt.documentDate,
    kind: receipt.kind,
    environment: receipt.environment,
    device_retired: receipt.isDeviceRetired,
    branch_code: receipt.branchCode,
    buyer_name: sale.buyer.name,
    invoice_number: receipt.invoiceNumber,
    ...(receipt.signature ? toSignatureView(receipt.signature) : unsigned),
    totals: toTotalsView(receipt, dialects),
    foreign: toForeignView(sale.foreign, sale.documentDate),
    sale_receipt_id: receipt.saleReceiptId,
    prints: receipt.prints,
    original: receipt.original && {
      ...receipt.original,
      printed_at: new Date(receipt.original.printed_at).toISOString(),
    },
    original_paper: receipt.originalPaper,
    reversal: receipt.reversal && toReversalView(receipt.reversal, language),
    settlement: receipt.settlement && toSettlementView(receipt.settlement),
    second_signatures: receipt.secondSignatures.map(toSecondView),
    reverses_receipt_id: terms.reverses?.receiptId ?? null,
    problem: problem && describeProblem(problem, language),
    // Kept without its module at first.
    drift: receipt.drift && describeProblem({ ...receipt.drift, module: receipt.module }, language),
    remarks: remarksOn(sale).map((remark) => describeProblem(remark, language)),
    updated_at: receipt.updatedAt.toISOString(),
  };
};

const problemOf = (receipt: Receipt): StoredProblem | null => {
  if (receipt.isContested) return whyContested(receipt);
  return receipt.state === 'queued' ? whyItWaits(receipt) : receipt.problem;
};

const toSignatureView = (signature: Signature & { label: string; verificationUrl: string }) => ({
  receipt_number: signature.receiptNumber,
  total_receipt_number: signature.totalReceiptNumber,
  label: signature.label,
  internal_data: signature.internalData,
  receipt_signature: signature.receiptSignature,
  sdc_id: signature.sdcId,
  mrc_number: signature.mrcNumber,
  signed_at: signature.signedAt.toISOString(),
  verification_url: signature.verificationUrl,
});

const unsigned = {
  receipt_number: null,
  total_receipt_number: null,
  label: null,
  internal_data: null,
  receipt_signature: null,
  sdc_id: null,
  mrc_number: null,
  signed_at: null,
  verification_url: null,
};

function toTotalsView(receipt: Receipt, dialects: Dialects) {
  const { sale, terms } = receipt.filed;
  const totals = dialects
    .of(receipt.dialect)
    .sales.totals(sale.lines, terms.rates, terms.headerTax);
  return {
    currency: sale.currency,
    taxable: totals.taxable,
    tax: totals.tax,
    total: totals.total,
    by_class: totals.byClass.map((each) => ({
      tax_class: each.taxClass,
      rate: each.rate,
      taxable: each.taxable,
      tax: each.tax,
    })),
  };
}

const toSettlementView = (settlement: NonNullable<Receipt['settlement']>) => ({
  evidence: settlement.evidence as Record<string, unknown>,
  proposed_by: settlement.proposed_by,
  proposed_name: settlement.proposed_name,
  proposed_at: new Date(settlement.proposed_at).toISOString(),
});

const toSecondView = (second: SecondSignature) => ({
  invoice_number: second.invoiceNumber,
  ...toSignatureView(second),
  heard_at: second.heardAt.toISOString(),
  settled_as: second.settledAs,
  settled_evidence: second.settledEvidence as Record<string, unknown> | null,
  settled_at: second.settledAt?.toISOString() ?? null,
});

function toReversalView(stored: StoredReversal, language: string) {
  const { refund_state: state, refund_problem: problem, ...reversal } = stored;
  const isOver =
    reversal.confirmed_by !== null &&
    reversal.reversed_at === null &&
    (state === 'refused' || state === 'withdrawn');
  return {
    ...reversal,
    invoice_number: String(reversal.invoice_number),
    proposed_at: new Date(reversal.proposed_at).toISOString(),
    confirmed_at: reversal.confirmed_at && new Date(reversal.confirmed_at).toISOString(),
    reversed_at: reversal.reversed_at && new Date(reversal.reversed_at).toISOString(),
    ended: isOver && problem ? describeProblem(problem, language) : null,
  };
}

/** What stops the whole lane says more than what the document itself was last told. */
const whyItWaits = ({ laneStop, problem, isBehindDoubt }: Receipt): StoredProblem =>
  laneStop ?? problem ?? { code: isBehindDoubt ? 'behind_doubt' : 'device_busy' };

/**
 * Receipts of the first time kept no day and no source: the rate was the document's, of its own
 * day.
 */
export const toForeignView = (foreign: Foreign | null, documentDate: string) =>
  foreign && {
    currency: foreign.currency,
    total: foreign.total,
    exchange_rate: foreign.exchangeRate,
    rate_date: foreign.rateDate ?? documentDate,
    rate_source: foreign.rateSource ?? ('document' as const),
  };

export type ReceiptView = ReturnType<typeof toReceiptView>;
/** Shows a receipt in the language of whoever asked. */
export type ViewReceipt = (receipt: Receipt, language: string) => ReceiptView;
