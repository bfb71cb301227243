import { type ChainedEntry, listChain, type Recorder } from '../../audit/index.ts';
import { findDevice } from '../../branches/index.ts';
import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { EvidenceSigner } from '../../platform/evidence-signer.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import { bytesOf, isCut, type KeptAnswer } from '../receipt/stored-answer.ts';
import { listAttempts, type StoredAttempt } from '../receipt/attempt.store.ts';
import { listPrints } from '../paper/print.store.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import type { Receipt, StoredSignature } from '../receipt/receipt-row.ts';
import type { SecondSignature } from '../receipt/second-signature.model.ts';
import { listAnswers } from '../receipt/second-signature.store.ts';
import { sha256 } from '../../platform/digest.ts';

/**
 * Everything that shows how one receipt came to be, in one file that needs nothing of ours to be
 * checked. Times in UTC.
 */
export type EvidencePack = {
  format: 'muhuri-evidence/1';
  version: string;
  made_at: string;
  business: { business_id: string; name: string; tin_number: string };
  receipt: {
    id: string;
    module: string;
    document_id: string;
    document_number: string;
    kind: string;
    environment: string;
    state: string;
    document_hash: string;
  };
  device: { dialect: string; serial: string; sdc_id: string | null };
  /** What was sealed, frozen. */
  filed: SigningInput;
  sends: {
    id: string;
    invoice_number: string;
    is_resend: boolean;
    started_at: string;
    ended_at: string | null;
    outcome: string | null;
    settled: string | null;
    device_code: string | null;
    device_text: string | null;
    request: string;
    request_sha256: string;
    response: string | null;
    /** Its bytes, where the text is not exactly them; absent in packs of earlier versions. */
    response_base64?: string;
    /**
     * Only the beginning of the answer was kept: it was longer than these bytes. Absent where all
     * of it stands here.
     */
    response_cut?: true;
    /** Of its bytes, as far as they stand here. */
    response_sha256: string | null;
  }[];
  signature:
    | (Omit<StoredSignature, 'signedAt'> & { signedAt: string; invoiceNumber: string })
    | null;
  /**
   * Signatures that came late, each with the answer it stands in and what people have settled;
   * absent where there was none, as in earlier versions.
   */
  late_signatures?: (Omit<SecondSignature, 'signedAt' | 'heardAt' | 'settledAt'> & {
    signedAt: string;
    heardAt: string;
    settledAt: string | null;
    response: string | null;
    response_base64?: string;
    response_cut?: true;
    response_sha256: string | null;
  })[];
  /** What the trail says of it, with each entry's place in the chain of the business. */
  trail: (ChainedEntry & { position: string; previous_hash: string; hash: string })[];
  /**
   * What it says of the document itself: that somebody marked it as sealed by another system, and
   * that this was taken back. Absent in earlier packs.
   */
  document_trail?: EvidencePack['trail'];
  prints: { number: number; paper: string; printed_at: string; pdf_sha256: string }[];
};

/** The file: the pack as text, and who vouches for it. */
export type SignedPack = { pack: string; public_key: string; signature: string };

export type MakeEvidencePack = (
  ctx: Context,
  receiptId: string,
) => Promise<{ name: string; file: SignedPack }>;

/**
 * Makes the evidence pack of a receipt, and records that it was taken. It succeeds only once the
 * trail of the receipt has its place in the chain, seconds after the last thing that happened to
 * it.
 */
export const makeEvidencePack =
  (ports: {
    notary: EvidenceSigner;
    clock: Clock;
    version: string;
    record: Recorder;
  }): MakeEvidencePack =>
  (ctx, receiptId) =>
    ctx.transaction(async (tx) => {
      const receipt = await findReceipt(tx, receiptId);
      if (!receipt) throw new AppError('not_found');
      const pack = JSON.stringify(await packOf(tx, receipt, ports.clock.now(), ports.version));
      await ports.record(tx, ctx, {
        action: 'receipt.evidence_taken',
        subject: receiptId,
        after: { sha256: sha256(pack) },
      });
      return {
        name: fileNameOf(receipt),
        file: { pack, public_key: ports.notary.publicKey, signature: ports.notary.sign(pack) },
      };
    });

const fileNameOf = ({ environment, documentNumber }: Receipt): string =>
  `${environment === 'sandbox' ? 'TEST-' : ''}${documentNumber.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60) || 'receipt'}.evidence.json`;

async function packOf(tx: Tx, receipt: Receipt, at: Date, version: string): Promise<EvidencePack> {
  const business = await getBusiness(tx);
  const device = await findDevice(tx, receipt.deviceId);
  const attempts = await listAttempts(tx, receipt.id, at);
  return {
    format: 'muhuri-evidence/1',
    version,
    made_at: at.toISOString(),
    business: {
      business_id: business.id,
      name: business.name,
      tin_number: business.taxpayerId,
    },
    receipt: {
      id: receipt.id,
      module: receipt.module,
      document_id: receipt.documentId,
      document_number: receipt.documentNumber,
      kind: receipt.kind,
      environment: receipt.environment,
      state: receipt.state,
      document_hash: receipt.documentHash,
    },
    device: {
      dialect: receipt.dialect,
      serial: device?.serial ?? '',
      sdc_id: device?.sdcId ?? null,
    },
    filed: receipt.filed,
    sends: attempts.map(sendOf),
    signature: receipt.signature && {
      ...receipt.signature,
      signedAt: receipt.signature.signedAt.toISOString(),
      invoiceNumber: receipt.invoiceNumber as string,
    },
    ...(receipt.secondSignatures.length > 0 ? { late_signatures: await lateOf(tx, receipt) } : {}),
    trail: await listChain(tx, receipt.id),
    document_trail: await listChain(tx, receipt.documentId),
    prints: (await listPrints(tx, receipt.id)).map((each) => ({
      number: each.number,
      paper: each.paper,
      printed_at: each.printedAt.toISOString(),
      pdf_sha256: sha256(each.pdf),
    })),
  };
}

const sendOf = (attempt: StoredAttempt): EvidencePack['sends'][number] => ({
  id: attempt.id,
  invoice_number: attempt.invoiceNumber,
  is_resend: attempt.isResend,
  started_at: attempt.startedAt.toISOString(),
  ended_at: attempt.endedAt?.toISOString() ?? null,
  outcome: attempt.outcome,
  settled: attempt.resolution,
  device_code: attempt.deviceCode,
  device_text: attempt.deviceText,
  request: attempt.request,
  request_sha256: sha256(attempt.request),
  ...responseOf(attempt.response),
});

/** An answer as it is kept, with its bytes where its text is not exactly them. */
const responseOf = (answer: KeptAnswer | null | undefined) => ({
  response: answer?.text ?? null,
  ...(answer?.raw ? { response_base64: answer.raw.toString('base64') } : {}),
  ...(answer && isCut(answer) ? { response_cut: true as const } : {}),
  response_sha256: answer ? sha256(bytesOf(answer)) : null,
});

async function lateOf(
  tx: Tx,
  receipt: Receipt,
): Promise<NonNullable<EvidencePack['late_signatures']>> {
  const answers = await listAnswers(tx, receipt.id);
  return receipt.secondSignatures.map((each) => ({
    ...each,
    signedAt: each.signedAt.toISOString(),
    heardAt: each.heardAt.toISOString(),
    settledAt: each.settledAt?.toISOString() ?? null,
    ...responseOf(answers.get(each.receiptSignature)),
  }));
}
