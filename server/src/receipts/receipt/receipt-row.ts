import type { StoredProblem } from '@muhuri/shared/problems';
import type { KeptAnswers } from '../sale/user-answers.model.ts';
import type { OriginalPaper } from './original-print.model.ts';
import { fromJson, toDate, toDateOrNull } from '../../platform/db/query.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import type { ReceiptState } from './receipt.model.ts';
import type { Signature } from '../../model/sale.model.ts';
import type { SecondSignature } from './second-signature.model.ts';
import { secondSignaturesOf, toSecondSignatures } from './second-signature.store.ts';

export type StoredSignature = Signature & {
  verificationUrl: string;
  label: string;
  source: 'device' | 'late_answer' | 'read_back' | 'person';
};

/** As it stands in its table. */
export type StoredReversal = {
  invoice_number: string;
  reason_code: string;
  source: string;
  proposed_by: string;
  proposed_name: string;
  proposed_at: string;
  confirmed_by: string | null;
  confirmed_name: string | null;
  confirmed_at: string | null;
  reversal_receipt_id: string | null;
  reversed_at: string | null;
  /** How its refund stands. */
  refund_state: ReceiptState | null;
  refund_problem: StoredProblem | null;
};

export type Receipt = {
  id: string;
  module: 'invoices' | 'creditnotes';
  documentId: string;
  kind: 'sale' | 'refund';
  documentNumber: string;
  documentDate: string;
  branchId: string;
  branchCode: string;
  deviceId: string;
  dialect: string;
  /**
   * Of the device it was opened at, like that device for good: what a sandbox device signs is a
   * test receipt.
   */
  environment: 'sandbox' | 'production';
  isDeviceRetired: boolean;
  /** The receipt that took its place at the device's successor; it holds nothing any more. */
  movedTo: string | null;
  /** Why nothing at all goes to its device: it tells another taxpayer, or is paused. */
  laneStop: StoredProblem | null;
  /** Another document of its device is in doubt. */
  isBehindDoubt: boolean;
  filed: SigningInput;
  documentHash: string;
  answers: KeptAnswers;
  saleReceiptId: string | null;
  state: ReceiptState;
  invoiceNumber: string | null;
  problem: StoredProblem | null;
  drift: StoredProblem | null;
  tries: number;
  openedAt: Date;
  updatedAt: Date;
  prints: number;
  /** The one original, once it is printed, and what the branch has chosen for its originals. */
  original: { paper: string; went_with: 'mail' | 'zoho' | null; printed_at: string } | null;
  originalPaper: OriginalPaper | null;
  /** Of a sale whose data were lost: who proposed and confirmed to undo it, and what came of it. */
  reversal: StoredReversal | null;
  /**
   * The refund that undoes it, while it waits or may be signed, and the number it names. Found by
   * what it says itself: a later proposal forgets it.
   */
  undoing: { receipt_id: string; invoice_number: string } | null;
  /** What one person says the authority holds, until a second one has confirmed it. */
  settlement: {
    evidence: unknown;
    proposed_by: string;
    proposed_name: string;
    proposed_at: string;
  } | null;
  signature: StoredSignature | null;
  /**
   * Signatures that came late, settled or not; contested while one is not: nothing more of the
   * document is sealed until a person has settled it.
   */
  secondSignatures: SecondSignature[];
  isContested: boolean;
};

export const select = `
  select r.id, r.module, r.document_id, r.kind, r.document_number, r.document_date::text, r.branch_id, b.branch_code, r.device_id, d.dialect, r.environment, r.moved_to, d.state as device_state, d.problem as device_problem, d.difference as device_difference,
    exists (select 1 from receipt o where o.business_id = r.business_id and o.device_id = r.device_id and o.state = 'in_doubt' and o.id <> r.id) as has_doubt,
    r.signing_input, r.document_hash, r.answers, r.sale_receipt_id, r.state, r.invoice_number::text, r.problem, r.drift, r.tries, r.opened_at, r.updated_at,
    (select to_jsonb(v) - 'business_id' || jsonb_build_object('refund_state', f.state, 'refund_problem', f.problem) from reversal v
       left join receipt f on f.business_id = v.business_id and f.id = v.reversal_receipt_id where v.business_id = r.business_id and v.receipt_id = r.id) as reversal,
    (select jsonb_build_object('receipt_id', f.id, 'invoice_number', f.signing_input->'terms'->'reverses'->>'invoiceNumber') from receipt f
      where r.kind = 'sale' and f.business_id = r.business_id and f.module = r.module and f.document_id = r.document_id and f.kind = 'refund'
        and f.environment = r.environment and coalesce(f.moved_to, '') = '' and f.state in ('queued', 'in_doubt')
        and f.signing_input->'terms'->'reverses'->>'receiptId' = r.id) as undoing,
    (select to_jsonb(t) - 'business_id' from settlement t where t.business_id = r.business_id and t.receipt_id = r.id) as settlement,
    (select count(*)::int from print p where p.business_id = r.business_id and p.receipt_id = r.id) as prints, b.original_paper,
    (select jsonb_build_object('paper', p.paper, 'went_with', p.went_with, 'printed_at', p.printed_at)
       from print p where p.business_id = r.business_id and p.receipt_id = r.id and p.number = 0) as original,
    s.receipt_number::text, s.total_receipt_number::text, s.internal_data, s.receipt_signature, s.sdc_id, s.mrc_number, s.signed_at, s.verification_url, s.label, s.source,
    r.contested, ${secondSignaturesOf('r')} as second_signatures
  from receipt r
  join branch b on b.business_id = r.business_id and b.id = r.branch_id
  join device d on d.business_id = r.business_id and d.id = r.device_id
  left join signature s on s.business_id = r.business_id and s.receipt_id = r.id`;

export function toReceipt(row: Record<string, unknown>): Receipt {
  return {
    id: row.id as string,
    module: row.module as Receipt['module'],
    documentId: row.document_id as string,
    kind: row.kind as Receipt['kind'],
    documentNumber: row.document_number as string,
    documentDate: row.document_date as string,
    branchId: row.branch_id as string,
    branchCode: row.branch_code as string,
    deviceId: row.device_id as string,
    dialect: row.dialect as string,
    environment: row.environment as Receipt['environment'],
    isDeviceRetired: row.device_state === 'retired',
    movedTo: row.moved_to as string | null,
    laneStop:
      fromJson<StoredProblem | null>(row.device_difference) ??
      (row.device_state === 'paused'
        ? (fromJson<StoredProblem | null>(row.device_problem) ?? { code: 'device_paused' })
        : null),
    isBehindDoubt: row.has_doubt as boolean,
    filed: fromJson(row.signing_input),
    documentHash: row.document_hash as string,
    answers: fromJson(row.answers),
    saleReceiptId: row.sale_receipt_id as string | null,
    state: row.state as ReceiptState,
    invoiceNumber: row.invoice_number as string | null,
    problem: fromJson(row.problem),
    drift: fromJson(row.drift),
    tries: row.tries as number,
    openedAt: toDate(row.opened_at),
    updatedAt: toDate(row.updated_at),
    prints: row.prints as number,
    original: fromJson(row.original),
    originalPaper: row.original_paper as OriginalPaper | null,
    reversal: fromJson(row.reversal),
    undoing: fromJson(row.undoing),
    settlement: fromJson(row.settlement),
    secondSignatures: toSecondSignatures(row.second_signatures),
    isContested: row.contested as boolean,
    signature:
      row.receipt_signature === null
        ? null
        : {
            receiptNumber: row.receipt_number as string,
            totalReceiptNumber: row.total_receipt_number as string,
            internalData: row.internal_data as string,
            receiptSignature: row.receipt_signature as string,
            sdcId: row.sdc_id as string,
            mrcNumber: row.mrc_number as string,
            signedAt: toDateOrNull(row.signed_at) as Date,
            verificationUrl: row.verification_url as string,
            label: row.label as string,
            source: row.source as StoredSignature['source'],
          },
  };
}
