import { z } from 'zod';
import { characters } from './characters.ts';
import { purchaseCode, taxpayerNumber } from '../text.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';

const amount = z.string().regex(/^-?\d+(\.\d+)?$/);
const documentModule = z.enum(['invoices', 'creditnotes']);
export const documentId = z.string().regex(/^\d{1,25}$/);
/** A counter as text or as a JSON number. */
const counter = z.union([z.string().regex(/^\d{1,18}$/), z.int().positive()]).transform(String);

export const problemView = z
  .looseObject({
    type: z.string(),
    code: z.string(),
    title: z.string(),
    detail: z.string(),
    status: z.number(),
    fix: z.string(),
    field: z.string().optional(),
    device_code: z.string().optional(),
    device_text: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export const receiptView = z
  .object({
    id: z.string(),
    state: z.enum(['queued', 'signed', 'refused', 'in_doubt', 'withdrawn']),
    module: documentModule,
    document_id: z.string(),
    document_number: z.string(),
    document_date: z.string(),
    kind: z.enum(['sale', 'refund']),
    environment: z.enum(['sandbox', 'production']),
    /**
     * Nothing is sent to its device any more: what is open is settled with the authority's data.
     */
    device_retired: z.boolean(),
    branch_code: z.string(),
    buyer_name: z.string(),
    invoice_number: z.string().nullable(),
    receipt_number: z.string().nullable(),
    total_receipt_number: z.string().nullable(),
    label: z.string().nullable(),
    internal_data: z.string().nullable(),
    receipt_signature: z.string().nullable(),
    sdc_id: z.string().nullable(),
    mrc_number: z.string().nullable(),
    signed_at: time.nullable(),
    verification_url: z.string().nullable(),
    totals: z.object({
      currency: z.string(),
      taxable: amount,
      tax: amount,
      total: amount,
      by_class: z.array(
        z.object({ tax_class: z.string(), rate: amount, taxable: amount, tax: amount }),
      ),
    }),
    /**
     * Of a document in another currency: its total there, and what it was converted by, as frozen
     * when it was sealed.
     */
    foreign: z
      .object({
        currency: z.string(),
        total: amount,
        exchange_rate: amount,
        rate_date: z.string(),
        rate_source: z.enum(['document', 'sale']),
      })
      .nullable(),
    /** The sale that a refund refunds. */
    sale_receipt_id: z.string().nullable(),
    prints: z.number(),
    /**
     * The one original, once it is printed: on what, when, and whether it went with the mail or the
     * file in Zoho.
     */
    original: z
      .object({
        paper: z.string(),
        went_with: z.enum(['mail', 'zoho']).nullable(),
        printed_at: time,
      })
      .nullable(),
    /** What the branch has chosen for its originals. */
    original_paper: z.enum(['a4', 'a5', '80mm', '58mm', 'mail', 'zoho']).nullable(),
    /** Of a sale whose data were lost: how two persons undo it, so that it can be sold anew. */
    reversal: z
      .object({
        invoice_number: z.string(),
        reason_code: z.string(),
        source: z.string(),
        proposed_by: z.string(),
        proposed_name: z.string(),
        proposed_at: time,
        confirmed_by: z.string().nullable(),
        confirmed_name: z.string().nullable(),
        confirmed_at: time.nullable(),
        reversal_receipt_id: z.string().nullable(),
        reversed_at: time.nullable(),
        /**
         * Why its refund was not signed and will not be: the reversal is over, and can be proposed
         * again.
         */
        ended: problemView.nullable(),
      })
      .nullable(),
    /**
     * What one person says the authority holds of a document in doubt; a second one has to confirm
     * it.
     */
    settlement: z
      .object({
        evidence: z.record(z.string(), z.unknown()),
        proposed_by: z.string(),
        proposed_name: z.string(),
        proposed_at: time,
      })
      .nullable(),
    /**
     * Signatures of the device that came after the document had another one, or had been settled as
     * not signed. While one is not settled nothing more of the document is sealed; settled: it is
     * the receipt after all, was undone at the authority, or had been reversed before.
     */
    second_signatures: z.array(
      z.object({
        invoice_number: z.string(),
        receipt_number: z.string(),
        total_receipt_number: z.string(),
        label: z.string(),
        internal_data: z.string(),
        receipt_signature: z.string(),
        sdc_id: z.string(),
        mrc_number: z.string(),
        signed_at: time,
        verification_url: z.string(),
        heard_at: time,
        settled_as: z.enum(['receipt', 'undone', 'reversed']).nullable(),
        settled_evidence: z.record(z.string(), z.unknown()).nullable(),
        settled_at: time.nullable(),
      }),
    ),
    /** Of such a refund: the receipt it undoes. */
    reverses_receipt_id: z.string().nullable(),
    problem: problemView.nullable(),
    /** What happened to the document in Zoho after it was sealed. */
    drift: problemView.nullable(),
    /**
     * What is said beside it: `refund_rounded`, where a refund was sealed at another amount than
     * its document has.
     */
    remarks: z.array(problemView),
    updated_at: time,
  })
  .meta({ id: 'Receipt' });

export const answers = {
  // As people copy them: with blanks, groups of three, a fraction of nothing. What is said of the
  // buyer goes with no other one, should the document be given to another customer before it is
  // sealed.
  buyer_tin: z.string().max(60).overwrite(taxpayerNumber).max(20).optional(),
  purchase_code: z.string().max(60).overwrite(purchaseCode).max(20).optional(),
  buyer_mobile: characters(z.string().trim(), 30).optional(),
  reason_code: characters(z.string().trim(), 5).optional(),
  payment_method: characters(z.string().trim(), 5).optional(),
  /**
   * The sealed sale a refund refunds, where the document does not tell. It holds while the document
   * names the same invoices and is of the same customer.
   */
  sale_receipt_id: z.string().max(60).optional(),
  /**
   * Codes of the findings that a person confirmed: `before_go_live`, `document_old`,
   * `before_production` (no other system sealed it), `sealed_elsewhere` (nor did it although
   * somebody had said so), `exchange_rate_unlikely`, `buyer_name_damaged` (it did not come whole,
   * and stands with a sign for what is missing), `number_sealed_before` (it is no other form of the
   * document that was sealed under its number), `was_exempt` (no other system sealed it while it
   * was exempt). They are added to those of an earlier attempt. Like every answer they hold for
   * what they are about: the date, the number with the other documents sealed under it, the buyer's
   * name; where that has changed by the next attempt, it is asked anew.
   */
  confirm: z
    .array(
      z.enum([
        'before_go_live',
        'document_old',
        'before_production',
        'sealed_elsewhere',
        'exchange_rate_unlikely',
        'buyer_name_damaged',
        'number_sealed_before',
        'was_exempt',
      ]),
    )
    .max(8)
    .optional(),
  /**
   * With `exchange_rate_unlikely`: the rate that was confirmed, as it was shown. Where the document
   * has another one by now, it is asked anew.
   */
  confirmed_rate: amount.max(40).optional(),
};

export const openReceipt = endpoint({
  method: 'POST',
  path: '/receipts',
  summary:
    'Seal a document: opens its receipt or finds the one there is, and waits up to ten seconds for the device',
  guard: 'seal',
  input: z.strictObject({ module: documentModule, document_id: documentId, ...answers }),
  output: receiptView,
});

export const findReceipt = endpoint({
  method: 'GET',
  path: '/receipts',
  summary: 'The receipts of one document',
  guard: 'read',
  query: z.strictObject({ module: documentModule, document_id: documentId }),
  output: z.object({ receipts: z.array(receiptView), next_cursor: z.string().nullable() }),
});

export const getReceipt = endpoint({
  method: 'GET',
  path: '/receipts/{id}',
  summary: 'One receipt in its present state',
  guard: 'read',
  output: receiptView,
});

export const choiceView = z.object({ code: z.string(), name: z.string() });

export const preflightView = z
  .object({
    module: documentModule,
    document_id: z.string(),
    document_number: z.string(),
    document_date: z.string(),
    status: z.string(),
    buyer_name: z.string(),
    currency: z.string(),
    total: amount,
    environment: z.enum(['sandbox', 'production']).nullable(),
    kind: z.enum(['sale', 'refund']),
    /** True when a click would seal it as it is. */
    ready: z.boolean(),
    findings: z.array(problemView),
    /**
     * What is said beside it and keeps nothing back: `refund_rounded`, where a refund is sealed at
     * another amount than its document has.
     */
    remarks: z.array(problemView),
    asks: z.object({
      buyer_tin: z.string().nullable(),
      purchase_code: z.string().nullable(),
      buyer_mobile: z.string().nullable(),
      payment_method: z.string().nullable(),
      reason_code: z.string().nullable(),
    }),
    payment_methods: z.array(choiceView),
    reasons: z.array(choiceView),
    /** For a refund: the signed sales it may refund. */
    sales: z.array(
      z.object({
        receipt_id: z.string(),
        document_number: z.string(),
        document_date: z.string(),
        total: amount,
        label: z.string(),
      }),
    ),
    sale_receipt_id: z.string().nullable(),
    /**
     * For a refund: what is left of each item of its sale, in the device's currency; the unit price
     * is the document's.
     */
    refund_left: z.array(
      z.object({
        name: z.string(),
        quantity: amount,
        unit_price: amount,
        sold: amount,
        refunded: amount,
        left: amount,
        asked: amount,
      }),
    ),
    /**
     * Of a document in another currency: what it would be converted by. Null where it is in the
     * device's, or its sale is not known yet.
     */
    foreign: z
      .object({
        currency: z.string(),
        total: amount,
        exchange_rate: amount,
        rate_date: z.string(),
        rate_source: z.enum(['document', 'sale']),
      })
      .nullable(),
    /** What it would be sealed at, in the device's currency; null where that cannot be said. */
    base_currency: z.string(),
    base_total: amount.nullable(),
    /** Whether this business may undo a sale whose data were lost without those data. */
    reversal_offered: z.boolean(),
    receipt: receiptView.nullable(),
  })
  .meta({ id: 'Preflight' });

export const preflight = endpoint({
  method: 'GET',
  path: '/receipts/preflight',
  summary:
    'What would be sealed, and what is still missing, in plain words; sends nothing to the device',
  guard: 'read',
  /** With the sale that a person means, a refund is looked at as it would be with that answer. */
  query: z.strictObject({
    module: documentModule,
    document_id: documentId,
    sale_receipt_id: answers.sale_receipt_id,
  }),
  output: preflightView,
});

export const withdrawReceipt = endpoint({
  method: 'POST',
  path: '/receipts/{id}/withdraw',
  summary: 'Take a waiting document out of the lane, as long as nothing of it may have left',
  guard: 'seal',
  output: receiptView,
});

const absence = {
  source: characters(z.string().trim().min(3), 300),
  /**
   * Of a device that was retired: when the authority's list was taken, and that the device cannot
   * upload anything any more.
   */
  listed_at: time.optional(),
  cannot_upload: z.literal(true).optional(),
};

export const attachEvidence = endpoint({
  method: 'POST',
  path: '/receipts/{id}/evidence',
  summary:
    "Settle a doubt with the authority's own data: the receipt it holds, nothing, or another program's; where a second person is needed, a proposal",
  guard: 'settle',
  secondFactor: true,
  input: z.discriminatedUnion('found', [
    z.strictObject({
      found: z.literal(true),
      source: characters(z.string().trim().min(3), 300),
      receipt_number: counter,
      total_receipt_number: counter,
      internal_data: characters(z.string().trim(), 60),
      receipt_signature: characters(z.string().trim(), 40),
      sdc_id: characters(z.string().trim().min(1), 30),
      mrc_number: characters(z.string().trim(), 20).optional(),
      signed_at: time,
      invoice_number: counter.optional(),
      buyer_tin: characters(z.string().trim(), 20).optional(),
      total: amount.optional(),
    }),
    // The device's own answer as it is kept, which `offered` shows.
    z.strictObject({ found: z.literal('kept') }),
    z.strictObject({ found: z.literal('other'), ...absence }),
    // Of a signature that came late: it is the receipt of the document, or the authority holds it
    // as refunded or cancelled.
    z.strictObject({
      found: z.literal('late'),
      receipt_signature: characters(z.string().trim().min(1), 40),
      as: z.enum(['receipt', 'undone']),
      source: characters(z.string().trim().min(3), 300),
    }),
    z.strictObject({ found: z.literal(false), ...absence }),
  ]),
  output: receiptView,
});

export const takeOverRefund = endpoint({
  method: 'POST',
  path: '/receipts/{id}/takeover',
  summary:
    'Confirm, with what the authority shows of a sale, that the device which followed the one that signed it takes its refund',
  guard: 'manage_devices',
  secondFactor: true,
  input: z.strictObject({
    source: characters(z.string().trim().min(3), 300),
    answer: characters(z.string().trim().min(3), 5000),
  }),
  output: receiptView,
});

/**
 * Which proposal the second person has looked at: its own `proposed_at`, as the receipt shows it.
 * Where another one is open by then, nothing is confirmed.
 */
const seen = z.strictObject({ proposed_at: time });

export const confirmEvidence = endpoint({
  method: 'POST',
  path: '/receipts/{id}/evidence/confirm',
  summary: 'Confirm what another person says the authority holds',
  guard: 'check',
  secondFactor: true,
  input: seen,
  output: receiptView,
});

export const dropEvidence = endpoint({
  method: 'POST',
  path: '/receipts/{id}/evidence/drop',
  summary: 'Take back what waits for a second person',
  guard: 'settle',
  output: receiptView,
});

export const doubtView = z
  .object({
    invoice_number: z.string().nullable(),
    /** The exact bytes that went to the device. */
    request: z.string().nullable(),
    since: time.nullable(),
    next_try_at: time.nullable(),
    /** The device's total receipt number before the doubt began, and the last one known now. */
    total_before: z.string().nullable(),
    total_now: z.string().nullable(),
    sdc_id: z.string().nullable(),
    /**
     * A whole signature of the device from an answer that is kept and could not be taken as one; a
     * person confirms it.
     */
    offered: z
      .object({
        source: z.string(),
        receipt_number: z.string(),
        total_receipt_number: z.string(),
        internal_data: z.string(),
        receipt_signature: z.string(),
        sdc_id: z.string(),
        mrc_number: z.string().optional(),
        signed_at: time,
      })
      .nullable(),
    sends: z.array(
      z.object({
        invoice_number: z.string(),
        is_resend: z.boolean(),
        started_at: time,
        ended_at: time.nullable(),
        outcome: z.string().nullable(),
        device_code: z.string().nullable(),
        device_text: z.string().nullable(),
        answer: z.string().nullable(),
        may_still_answer: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'Doubt' });

export const readDoubt = endpoint({
  method: 'GET',
  path: '/receipts/{id}/doubt',
  summary:
    'What is known of a document in doubt: the request, every send and its answer, the counters before and now',
  guard: 'settle',
  output: doubtView,
});

export const evidencePack = endpoint({
  method: 'GET',
  path: '/receipts/{id}/evidence-pack',
  summary:
    'How this receipt came to be, as one signed file that can be checked without this server',
  guard: 'read_trail',
  output: z.any(),
  produces: 'application/json',
});

export const proposeReversal = endpoint({
  method: 'POST',
  path: '/receipts/{id}/reversal',
  summary:
    'Propose to undo a signed sale whose data are lost: refund it under its number and sell the document anew',
  guard: 'settle',
  secondFactor: true,
  input: z.strictObject({
    reason_code: characters(z.string().trim().min(1), 5),
    source: characters(z.string().trim().min(3), 300),
  }),
  output: receiptView,
});

export const confirmReversal = endpoint({
  method: 'POST',
  path: '/receipts/{id}/reversal/confirm',
  summary:
    "Confirm another person's proposal: the refund is sent, and once it is signed the document is sold anew",
  guard: 'check',
  secondFactor: true,
  input: seen,
  output: receiptView,
});

export const dropReversal = endpoint({
  method: 'POST',
  path: '/receipts/{id}/reversal/drop',
  summary: 'Take an unconfirmed proposal back',
  guard: 'settle',
  output: receiptView,
});

/** A sheet, its half, and the two widths of roll that counters print on. */
export const paperSize = z.enum(['a4', 'a5', '80mm', '58mm']);
/**
 * What a branch gives out as the original: a paper, the mail to the buyer, or the file attached to
 * the document in Zoho.
 */
export const originalPaper = z.enum(['a4', 'a5', '80mm', '58mm', 'mail', 'zoho']);

export const printReceipt = endpoint({
  method: 'POST',
  path: '/receipts/{id}/prints',
  summary:
    'A short-lived single-use link to a print; the print is recorded, as the original or a copy, when the link is opened',
  guard: 'seal',
  answersSecret: true,
  input: z.strictObject({
    paper: paperSize,
    /**
     * True: this is to be the original; false: a copy. Left out: what the branch has chosen
     * decides, else the first print is the original.
     */
    original: z.boolean().optional(),
  }),
  /** `copy`: what it will be as things stand. */
  output: z.object({ paper: paperSize, copy: z.boolean(), url: z.string(), expires_at: time }),
});

export const printTogether = endpoint({
  method: 'POST',
  path: '/receipts/prints',
  summary: 'Print several receipts into one file; each print is recorded like any other',
  guard: 'seal',
  input: z.strictObject({
    receipt_ids: z.array(z.string().max(60)).min(1).max(50),
    paper: paperSize.default('a4'),
    /**
     * True: the original of each that has none yet; false: copies. Left out: originals only where
     * the branch has chosen this paper for them.
     */
    original: z.boolean().optional(),
  }),
  output: z.any(),
  produces: 'application/pdf',
});

export const receiptPdf = endpoint({
  method: 'GET',
  path: '/receipts/{id}/pdf',
  summary:
    'The latest print on that paper, byte for byte; where there is none, a copy, or the original if the branch has chosen this paper for it',
  guard: 'read',
  query: z.strictObject({ paper: paperSize }),
  output: z.any(),
  produces: 'application/pdf',
});

export const receiptQr = endpoint({
  method: 'GET',
  path: '/receipts/{id}/qr.svg',
  summary: 'The QR code of a signed receipt',
  guard: 'read',
  output: z.any(),
  produces: 'image/svg+xml',
});

export const openPrint = endpoint({
  method: 'GET',
  path: '/prints/{link}',
  summary:
    'The print behind a single-use link, recorded by this call: a page that prints itself, or the PDF alone',
  guard: 'anyone',
  query: z.strictObject({ as: z.enum(['pdf']).optional() }),
  output: z.any(),
  produces: 'text/html',
});
