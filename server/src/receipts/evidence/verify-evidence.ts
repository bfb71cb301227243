import { hashOfEntry } from '../../audit/index.ts';
import { fingerprintOf, isSignedBy } from '../../platform/evidence-signer.ts';
import { decodeText } from '../../platform/decode-text.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import type { SigningTerms } from '../sale/signing-input.model.ts';
import { type EvidencePack, sha256, type SignedPack } from './evidence-pack.ts';

/** The bytes a device answered with. */
const answerOf = (send: { response: string | null; response_base64?: string }): Buffer =>
  send.response_base64 === undefined
    ? Buffer.from(send.response ?? '')
    : Buffer.from(send.response_base64, 'base64');

/** A pack that was made before the terms had that word is as good as when it was signed. */
const termsOf = (filed: EvidencePack['filed'] & { filing?: SigningTerms }): SigningTerms =>
  filed.filing ?? filed.terms;

export type Check = { what: string; holds: boolean; note?: string };

/**
 * Checks an evidence pack with nothing but itself: who vouches for it, that request, answer,
 * signature, code, trail and papers fit each other. `pdfs`: papers that should be among its prints;
 * `fingerprints`: of the keys that may have signed it. A pack that somebody else has made up and
 * signed fits in itself just as well: without a named key nothing is proven, unless it is said that
 * any key will do.
 */
export function verifyEvidence(
  file: unknown,
  ports: { dialects: Dialects; version: string },
  given: { pdfs?: Buffer[]; fingerprints?: string[]; anyKey?: boolean } = {},
): Check[] {
  const checks: Check[] = [];
  const check = (what: string, holds: boolean, note?: string) =>
    void checks.push({ what, holds, ...(note ? { note } : {}) });
  const signed = file as SignedPack;
  if (
    typeof signed?.pack !== 'string' ||
    typeof signed.public_key !== 'string' ||
    typeof signed.signature !== 'string'
  )
    return [{ what: 'is an evidence pack', holds: false }];
  const own = fingerprintOf(signed.public_key);
  check(
    'the pack is as it was signed',
    isSignedBy(signed.public_key, signed.pack, signed.signature),
    `key ${own}`,
  );
  if (given.fingerprints?.length)
    check('the key is the one that was named', given.fingerprints.includes(own));
  else if (!given.anyKey)
    check('nobody has said whose key this is', false, 'name it with --key, or say --any-key');
  const pack = JSON.parse(signed.pack) as EvidencePack;
  if (pack.format !== 'muhuri-evidence/1')
    return [
      ...checks,
      { what: 'has a form this version knows', holds: false, note: String(pack.format) },
    ];
  // Whole it may be; it shows that the device was tried out, and nothing that was sealed.
  if (pack.receipt.environment !== 'production')
    check('is of a device that seals for real', false, 'a TEST receipt: not a fiscal one');
  const { signature, sends, trail, document_trail: aboutDocument = [], filed } = pack;
  const terms = termsOf(filed);
  check(
    'every request and answer is whole',
    sends.length > 0 &&
      sends.every(
        (each) =>
          sha256(each.request) === each.request_sha256 &&
          (each.response === null || sha256(answerOf(each)) === each.response_sha256),
      ),
    `${sends.length} sends`,
  );
  // No fault of the pack: whoever reads it is to know that what the device said went on.
  const cut = [...sends, ...(pack.late_signatures ?? [])].filter(
    (each) => each.response_cut,
  ).length;
  if (cut > 0)
    check(
      'of a very long answer only the beginning was kept, and the pack says so',
      true,
      `${cut} answers`,
    );
  const dialect = ports.dialects.all().find(({ identity }) => identity.key === pack.device.dialect);
  if (!dialect)
    return [
      ...checks,
      { what: 'is of an authority this version knows', holds: false, note: pack.device.dialect },
    ];
  const underNumber = sends.filter((each) => each.invoice_number === signature?.invoiceNumber);
  // A document that was refused and corrected may have had the same number before, with other
  // bytes.
  const signing = underNumber.find(
    (each) => each.outcome === 'signed' || each.settled === 'signed',
  );
  const ownSends = underNumber.filter((each) => !signing || each.request === signing.request);
  const first = ownSends.find((each) => !each.is_resend);
  if (signature) {
    if (pack.version === ports.version)
      check(
        'the request says what was sealed',
        first !== undefined &&
          first.request ===
            dialect.sales.toBody(filed.sale, {
              ...terms,
              invoiceNumber: signature.invoiceNumber,
              at: new Date(first.started_at),
            }),
        `number ${signature.invoiceNumber}`,
      );
    check(
      'what went again was the same, byte for byte',
      underNumber.every(
        (each, i) =>
          !each.is_resend ||
          underNumber
            .slice(0, i)
            .some((before) => !before.is_resend && before.request === each.request),
      ),
    );
    if (signature.source === 'person')
      check(
        'a person brought the signature, and the trail names them',
        trail.some((each) => each.action === 'receipt.signed' && each.actor_type === 'person'),
      );
    else {
      const answers = ownSends.flatMap((each) =>
        each.response === null
          ? []
          : [dialect.sales.read({ status: 200, body: decodeText(answerOf(each)) }, each.is_resend)],
      );
      const isSaid = answers.some(
        (each) =>
          each.is === 'signed' &&
          each.signature.receiptSignature === signature.receiptSignature &&
          each.signature.internalData === signature.internalData &&
          each.signature.totalReceiptNumber === signature.totalReceiptNumber &&
          each.signature.sdcId === signature.sdcId &&
          each.signature.signedAt.toISOString() === signature.signedAt,
      );
      check(
        'the signature is what the device answered',
        isSaid,
        `${signature.receiptNumber}/${signature.totalReceiptNumber} ${signature.label}`,
      );
    }
    const { verification, device } = terms;
    check(
      'the code leads to this signature',
      dialect.print.verification(
        { ...signature, signedAt: new Date(signature.signedAt) },
        device,
        verification.form,
        verification.base,
      ) === signature.verificationUrl,
      signature.verificationUrl,
    );
  }
  for (const late of pack.late_signatures ?? []) {
    const said =
      late.response === null
        ? null
        : dialect.sales.read({ status: 200, body: decodeText(answerOf(late)) }, false);
    check(
      'the late signature is what the device answered, and the trail tells of it',
      said?.is === 'signed' &&
        said.signature.receiptSignature === late.receiptSignature &&
        said.signature.totalReceiptNumber === late.totalReceiptNumber &&
        said.signature.sdcId === late.sdcId &&
        sha256(answerOf(late)) === late.response_sha256 &&
        trail.some(
          (each) =>
            each.action === 'receipt.signed_late' && each.after?.includes(late.receiptSignature),
        ),
      `number ${late.invoiceNumber}, ${late.receiptNumber}/${late.totalReceiptNumber} ${late.label}, ${late.settledAs === null ? 'not settled yet' : `settled: ${late.settledAs}`}`,
    );
  }
  const isAsChained = (each: (typeof trail)[number]) =>
    each.hash === hashOfEntry(pack.business.business_id, each.position, each.previous_hash, each);
  check(
    'every entry of the trail is as it was chained',
    trail.length > 0 && trail.every(isAsChained),
    trail.length > 0
      ? `places ${trail[0]?.position} to ${trail.at(-1)?.position}, last hash ${trail.at(-1)?.hash}`
      : '',
  );
  check(
    'the entries follow each other',
    trail.every((each, i) => {
      const before = trail[i - 1];
      return (
        !before ||
        (BigInt(each.position) > BigInt(before.position) &&
          (BigInt(each.position) !== BigInt(before.position) + 1n ||
            each.previous_hash === before.hash))
      );
    }),
  );
  const marked = aboutDocument.filter((each) => each.action === 'document.sealed_elsewhere').at(-1);
  if (marked) {
    const { reason } = JSON.parse(marked.after ?? '{}') as { reason?: string };
    check(
      'somebody had marked the document as sealed by another system, as the trail says',
      aboutDocument.every(isAsChained),
      `${marked.at}: ${reason}`,
    );
  }
  if (signature) {
    const entry = trail.find((each) => each.action === 'receipt.signed');
    const after = JSON.parse(entry?.after ?? 'null') as {
      total_receipt_number?: string;
      invoice_number?: string;
    } | null;
    check(
      'the trail says that it was signed, under these numbers',
      after?.total_receipt_number === signature.totalReceiptNumber &&
        after.invoice_number === signature.invoiceNumber,
      entry?.at,
    );
  }
  for (const pdf of given.pdfs ?? []) {
    const print = pack.prints.find((each) => each.pdf_sha256 === sha256(pdf));
    check(
      'the paper is one of its prints',
      print !== undefined,
      print && `number ${print.number}, ${print.paper}, ${print.printed_at}`,
    );
  }
  return checks;
}
