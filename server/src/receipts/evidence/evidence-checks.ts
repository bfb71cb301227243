import { hashOfEntry } from '../../audit/index.ts';
import { decodeText } from '../../platform/decode-text.ts';
import type { Dialect, SaleReply } from '../../ports/dialect/index.ts';
import type { SigningTerms } from '../sale/signing-input.model.ts';
import { sha256 } from '../../platform/digest.ts';
import type { EvidencePack } from './evidence-pack.ts';

/** How one check came out; null: there is nothing to check. */
type Result = { holds: boolean; note?: string | undefined } | null;
/** A named check. A list of results: it is made for each of several things. */
export type NamedCheck<Subject> = { what: string; of(subject: Subject): Result | Result[] };

/** A pack of a dialect that is known. `signing`: the sends that the signature may come from. */
type Content = {
  pack: EvidencePack;
  dialect: Dialect;
  signing: SigningSends;
  version: string;
  pdfs: Buffer[];
};
type Send = EvidencePack['sends'][number];
type SigningSends = { underNumber: Send[]; own: Send[] };

/**
 * Finds the sends that the signature may come from. A document that was refused and corrected may
 * have had the same number before, with other bytes.
 */
export function signingSendsOf({ sends, signature }: EvidencePack): SigningSends {
  const underNumber = sends.filter((each) => each.invoice_number === signature?.invoiceNumber);
  const signing = underNumber.find(
    (each) => each.outcome === 'signed' || each.settled === 'signed',
  );
  return {
    underNumber,
    own: underNumber.filter((each) => !signing || each.request === signing.request),
  };
}

/** What can be checked whatever the authority. */
export const packChecks: NamedCheck<EvidencePack>[] = [
  {
    // Whole it may be; it shows that the device was tried out, and nothing that was sealed.
    what: 'is of a device that seals for real',
    of: ({ receipt }) =>
      receipt.environment === 'production'
        ? null
        : { holds: false, note: 'a TEST receipt: not a fiscal one' },
  },
  {
    what: 'every request and answer is whole',
    of: ({ sends }) => ({
      holds: sends.length > 0 && sends.every(isWhole),
      note: `${sends.length} sends`,
    }),
  },
  {
    // No fault of the pack: whoever reads it is to know that what the device said went on.
    what: 'of a very long answer only the beginning was kept, and the pack says so',
    of: ({ sends, late_signatures = [] }) => {
      const cut = [...sends, ...late_signatures].filter((each) => each.response_cut).length;
      return cut > 0 ? { holds: true, note: `${cut} answers` } : null;
    },
  },
];

const signatureChecks: NamedCheck<Content>[] = [
  {
    what: 'the request says what was sealed',
    of: (content) => {
      const { pack, signing, version } = content;
      if (!pack.signature || pack.version !== version) return null;
      const first = signing.own.find((each) => !each.is_resend);
      return {
        holds: first !== undefined && saysWhatWasSealed(content, first),
        note: `number ${pack.signature.invoiceNumber}`,
      };
    },
  },
  {
    what: 'what went again was the same, byte for byte',
    of: ({ pack, signing }) =>
      pack.signature && {
        holds: signing.underNumber.every((each, i) =>
          isFirstOrRepeated(each, signing.underNumber.slice(0, i)),
        ),
      },
  },
  {
    what: 'a person brought the signature, and the trail names them',
    of: ({ pack: { signature, trail } }) =>
      signature?.source === 'person'
        ? {
            holds: trail.some(
              (each) => each.action === 'receipt.signed' && each.actor_type === 'person',
            ),
          }
        : null,
  },
  {
    what: 'the signature is what the device answered',
    of: (content) => {
      const { signature } = content.pack;
      if (!signature || signature.source === 'person') return null;
      return {
        holds: repliesOf(content).some((reply) => isSignedAs(reply, signature)),
        note: `${signature.receiptNumber}/${signature.totalReceiptNumber} ${signature.label}`,
      };
    },
  },
  {
    what: 'the code leads to this signature',
    of: ({ pack, dialect }) => {
      const { signature } = pack;
      if (!signature) return null;
      const { verification, device } = termsOf(pack);
      const code = dialect.print.verification(
        { ...signature, signedAt: new Date(signature.signedAt) },
        device,
        verification.form,
        verification.base,
      );
      return { holds: code === signature.verificationUrl, note: signature.verificationUrl };
    },
  },
];

const trailChecks: NamedCheck<Content>[] = [
  {
    what: 'the late signature is what the device answered, and the trail tells of it',
    of: (content) =>
      (content.pack.late_signatures ?? []).map((late) => ({
        holds: isHeardLate(content, late),
        note: `number ${late.invoiceNumber}, ${late.receiptNumber}/${late.totalReceiptNumber} ${late.label}, ${late.settledAs === null ? 'not settled yet' : `settled: ${late.settledAs}`}`,
      })),
  },
  {
    what: 'every entry of the trail is as it was chained',
    of: ({ pack }) => {
      const { trail } = pack;
      const [first] = trail;
      const last = trail.at(-1);
      if (!first || !last) return { holds: false };
      return {
        holds: trail.every((each) => isAsChained(pack, each)),
        note: `places ${first.position} to ${last.position}, last hash ${last.hash}`,
      };
    },
  },
  {
    what: 'the entries follow each other',
    of: ({ pack: { trail } }) => ({
      holds: trail.every((each, i) => follows(each, trail[i - 1])),
    }),
  },
  {
    what: 'somebody had marked the document as sealed by another system, as the trail says',
    of: ({ pack }) => {
      const entries = pack.document_trail ?? [];
      const marked = entries.findLast((each) => each.action === 'document.sealed_elsewhere');
      if (!marked) return null;
      const { reason } = JSON.parse(marked.after ?? '{}') as { reason?: string };
      return {
        holds: entries.every((each) => isAsChained(pack, each)),
        note: `${marked.at}: ${reason}`,
      };
    },
  },
  {
    what: 'the trail says that it was signed, under these numbers',
    of: ({ pack: { signature, trail } }) => {
      if (!signature) return null;
      const entry = trail.find((each) => each.action === 'receipt.signed');
      const after = JSON.parse(entry?.after ?? 'null') as {
        total_receipt_number?: string;
        invoice_number?: string;
      } | null;
      return {
        holds:
          after?.total_receipt_number === signature.totalReceiptNumber &&
          after.invoice_number === signature.invoiceNumber,
        note: entry?.at,
      };
    },
  },
];

const paperChecks: NamedCheck<Content>[] = [
  {
    what: 'the paper is one of its prints',
    of: ({ pack, pdfs }) =>
      pdfs.map((pdf) => {
        const print = pack.prints.find((each) => each.pdf_sha256 === sha256(pdf));
        return {
          holds: print !== undefined,
          note: print && `number ${print.number}, ${print.paper}, ${print.printed_at}`,
        };
      }),
  },
];

/** What can be checked once the authority is known: that the parts of the pack fit each other. */
export const contentChecks = [...signatureChecks, ...trailChecks, ...paperChecks];

type Answer = { response: string | null; response_base64?: string };
type Entry = EvidencePack['trail'][number];
type Late = NonNullable<EvidencePack['late_signatures']>[number];

/** A pack that was made before the terms had that word is as good as when it was signed. */
const termsOf = ({ filed }: EvidencePack): SigningTerms =>
  (filed as typeof filed & { filing?: SigningTerms }).filing ?? filed.terms;

/** Returns the bytes a device answered with. */
const answerOf = (send: Answer): Buffer =>
  send.response_base64 === undefined
    ? Buffer.from(send.response ?? '')
    : Buffer.from(send.response_base64, 'base64');

const isWhole = (send: Send): boolean =>
  sha256(send.request) === send.request_sha256 &&
  (send.response === null || sha256(answerOf(send)) === send.response_sha256);

const saysWhatWasSealed = ({ pack, dialect }: Content, first: Send): boolean =>
  first.request ===
  dialect.sales.toBody(pack.filed.sale, {
    ...termsOf(pack),
    invoiceNumber: first.invoice_number,
    at: new Date(first.started_at),
  });

const isFirstOrRepeated = (send: Send, before: Send[]): boolean =>
  !send.is_resend || before.some((each) => !each.is_resend && each.request === send.request);

const readAnswer = (dialect: Dialect, send: Answer, isResend: boolean): SaleReply | null =>
  send.response === null
    ? null
    : dialect.sales.read({ status: 200, body: decodeText(answerOf(send)) }, isResend);

const repliesOf = ({ dialect, signing }: Content): (SaleReply | null)[] =>
  signing.own.map((each) => readAnswer(dialect, each, each.is_resend));

const isSignedAs = (
  reply: SaleReply | null,
  signature: NonNullable<EvidencePack['signature']>,
): boolean =>
  reply?.is === 'signed' &&
  reply.signature.receiptSignature === signature.receiptSignature &&
  reply.signature.internalData === signature.internalData &&
  reply.signature.totalReceiptNumber === signature.totalReceiptNumber &&
  reply.signature.sdcId === signature.sdcId &&
  reply.signature.signedAt.toISOString() === signature.signedAt;

function isHeardLate({ pack, dialect }: Content, late: Late): boolean {
  const reply = readAnswer(dialect, late, false);
  return (
    reply?.is === 'signed' &&
    reply.signature.receiptSignature === late.receiptSignature &&
    reply.signature.totalReceiptNumber === late.totalReceiptNumber &&
    reply.signature.sdcId === late.sdcId &&
    sha256(answerOf(late)) === late.response_sha256 &&
    pack.trail.some(
      (each) =>
        each.action === 'receipt.signed_late' && each.after?.includes(late.receiptSignature),
    )
  );
}

const isAsChained = ({ business }: EvidencePack, entry: Entry): boolean =>
  entry.hash === hashOfEntry(business.business_id, entry.position, entry.previous_hash, entry);

function follows(entry: Entry, before: Entry | undefined): boolean {
  if (!before) return true;
  const [place, last] = [BigInt(entry.position), BigInt(before.position)];
  return place > last && (place !== last + 1n || entry.previous_hash === before.hash);
}
