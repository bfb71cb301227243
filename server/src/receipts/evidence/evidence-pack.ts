import { createHash } from 'node:crypto';
import { type ChainedEntry, listChain, type Recorder } from '../../audit/index.ts';
import { findDevice } from '../../branches/index.ts';
import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { EvidenceSigner } from '../../platform/evidence-signer.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import { bytesOf, isCut } from '../receipt/kept-answer.ts';
import { listAttempts } from '../receipt/attempt.store.ts';
import { listPrints } from '../paper/print.store.ts';
import { findReceipt } from '../receipt/receipt.store.ts';
import type { Receipt, StoredSignature } from '../receipt/receipt-row.ts';
import type { SecondSignature } from '../receipt/second-signature.model.ts';
import { listAnswers } from '../receipt/second-signature.store.ts';

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
 * Only once the trail of the receipt has its place in the chain, seconds after the last thing that
 * happened to it.
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
      const at = ports.clock.now();
      const business = await getBusiness(tx);
      const device = await findDevice(tx, receipt.deviceId);
      const attempts = await listAttempts(tx, receiptId, at);
      const pack: EvidencePack = {
        format: 'muhuri-evidence/1',
        version: ports.version,
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
        sends: attempts.map((each) => ({
          id: each.id,
          invoice_number: each.invoiceNumber,
          is_resend: each.isResend,
          started_at: each.startedAt.toISOString(),
          ended_at: each.endedAt?.toISOString() ?? null,
          outcome: each.outcome,
          settled: each.resolution,
          device_code: each.deviceCode,
          device_text: each.deviceText,
          request: each.request,
          request_sha256: sha256(each.request),
          response: each.response?.text ?? null,
          ...(each.response?.raw ? { response_base64: each.response.raw.toString('base64') } : {}),
          ...(each.response && isCut(each.response) ? { response_cut: true as const } : {}),
          response_sha256: each.response && sha256(bytesOf(each.response)),
        })),
        signature: receipt.signature && {
          ...receipt.signature,
          signedAt: receipt.signature.signedAt.toISOString(),
          invoiceNumber: receipt.invoiceNumber as string,
        },
        ...(receipt.secondSignatures.length > 0
          ? { late_signatures: await lateOf(tx, receipt) }
          : {}),
        trail: await listChain(tx, receiptId),
        document_trail: await listChain(tx, receipt.documentId),
        prints: (await listPrints(tx, receiptId)).map((each) => ({
          number: each.number,
          paper: each.paper,
          printed_at: each.printedAt.toISOString(),
          pdf_sha256: sha256(each.pdf),
        })),
      };
      const text = JSON.stringify(pack);
      await ports.record(tx, ctx, {
        action: 'receipt.evidence_taken',
        subject: receiptId,
        after: { sha256: sha256(text) },
      });
      return {
        name: `${receipt.environment === 'sandbox' ? 'TEST-' : ''}${receipt.documentNumber.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60) || 'receipt'}.evidence.json`,
        file: {
          pack: text,
          public_key: ports.notary.publicKey,
          signature: ports.notary.sign(text),
        },
      };
    });

async function lateOf(
  tx: Tx,
  receipt: Receipt,
): Promise<NonNullable<EvidencePack['late_signatures']>> {
  const answers = await listAnswers(tx, receipt.id);
  return receipt.secondSignatures.map((each) => {
    const answer = answers.get(each.receiptSignature);
    return {
      ...each,
      signedAt: each.signedAt.toISOString(),
      heardAt: each.heardAt.toISOString(),
      settledAt: each.settledAt?.toISOString() ?? null,
      response: answer?.text ?? null,
      ...(answer?.raw ? { response_base64: answer.raw.toString('base64') } : {}),
      ...(answer && isCut(answer) ? { response_cut: true as const } : {}),
      response_sha256: answer ? sha256(bytesOf(answer)) : null,
    };
  });
}

export const sha256 = (of: string | Buffer): string =>
  createHash('sha256').update(of).digest('hex');
