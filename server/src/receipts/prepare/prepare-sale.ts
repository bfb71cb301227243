import type { StoredProblem } from '@muhuri/shared/problems';
import type { Device } from '../../branches/index.ts';
import { type Business, isExempt, wasExemptWhenMade } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Foreign, Sale } from '../../model/sale.model.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Books } from '../../ports/books.ts';
import type { Code, Dialects } from '../../ports/dialect/index.ts';
import type { SaleCandidate } from '../receipt/find-sales.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { type About, aboutOf, answersAbout, type KeptAnswers } from '../sale/user-answers.model.ts';
import { baseTotalOf } from '../sale/convert-total.model.ts';
import { foreignOf, knownPaymentMethod } from '../sale/buyer-and-payment.model.ts';
import { keptBack } from '../sale/check-eligibility.model.ts';
import { hashOf } from '../sale/document-hash.ts';
import { type Made, makeSale } from '../sale/make-sale.model.ts';
import type { Left } from '../sale/refundable-items.model.ts';
import type { Fitted } from '../sale/fit-refund.model.ts';
import { remarksOn } from '../sale/refund-remarks.model.ts';
import type { Answers, Setup } from '../sale/sale-setup.model.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import { findUnreadPart, sayUnread } from '../sale/unread-parts.model.ts';
import { checkNumber, checkTakeover } from './check-duplicate-number.ts';
import { findSaleOf, fitToSale, isOfSameBuyer } from './find-refunded-sale.ts';
import { type FindUnprintable, textsOn } from './find-unprintable.ts';
import { type DocumentContext, readAround } from './document-context.ts';
import { type ReadDocument, readDocument } from './read-document.ts';
import { branchOf, dialectOfCountry, setupOf } from './resolve-setup.ts';
import { termsOf, laterOf } from './signing-terms.ts';

export type Prepared = {
  business: Business;
  document: BooksDocument;
  documentHash: string;
  /** What it was prepared with, and what that is about. */
  answers: KeptAnswers & { about: About };
  device: Device | null;
  branchId: string | null;
  findings: StoredProblem[];
  /** What is said beside it, and stands in nobody's way. */
  remarks: StoredProblem[];
  /** Complete but for item codes, which are given when the receipt is opened. */
  filed: SigningInput | null;
  saleReceipt: Receipt | null;
  sales: SaleCandidate[];
  /**
   * Of a refund whose money is known: as its document has it, before it is cut to what is left of
   * its sale; what that is; and whether its buyer is the sale's.
   */
  refund: { asked: Sale; left: Left[]; isSameBuyer: boolean } | null;
  /**
   * What a document in another currency is converted by, and what it comes to in the device's
   * currency.
   */
  foreign: Foreign | null;
  baseCurrency: string;
  baseTotal: string | null;
  paymentMethod: string | null;
  paymentMethods: Code[];
  reasons: Code[];
};

type Ports = {
  books: Books;
  dialects: Dialects;
  clock: Clock;
  findUnprintable: FindUnprintable;
  day(at: Date, timeZone: string): string;
};

export type PrepareSale = (
  ctx: Context,
  module: BooksDocument['module'],
  documentId: string,
  given: Answers,
  own: Receipt | null,
) => Promise<Prepared>;

/**
 * Reads the document from the books with the business's own grant and says what would be sealed, or
 * what stands in the way. Amounts come from here and nowhere else. Writes nothing but whose books
 * it is of and which document they do not give, asks no device. What was answered before stands
 * with its own receipt, and is used as far as it is still about the document that is read here.
 */
export const prepareSale =
  (ports: Ports): PrepareSale =>
  async (ctx, module, documentId, given, own) => {
    const findings: StoredProblem[] = [];
    const read = await readDocument(ports.books, ctx, module, documentId);
    const placed = await placeDocument(ports, ctx, read, { given, own, findings });
    const { document, business } = read;
    const { saleReceipt, around, answers } = placed;
    const { device, lists } = around;
    const { setup, baseCurrency } = rulesOf(ports, read, placed);
    const priced = await priceDocument(ports, ctx, { read, placed, setup, own, findings });
    waitForUnread(ctx, document, findings, own, setup);
    const { made, refund } = priced;
    const sold = saleReceipt?.filed.sale ?? null;
    const sale = made.sale && (refund?.refund ?? made.sale);
    return {
      business,
      document,
      documentHash: hashOf(document),
      answers,
      device,
      branchId: placed.branchId,
      findings: sayUnread(document, findings),
      remarks: remarksBeside(
        module === 'creditnotes' ? refund : { refund: made.priced, findings: [] },
      ),
      filed:
        sale && device && findings.length === 0
          ? { sale, terms: termsOf(ctx, business, device, setup.rates, saleReceipt) }
          : null,
      saleReceipt,
      sales: placed.sales,
      refund: refund && {
        asked: refund.asked,
        left: refund.left,
        isSameBuyer: refund.isSameBuyer,
      },
      ...inBaseCurrency(document, setup, sold, priced),
      baseCurrency,
      paymentMethod: knownPaymentMethod(document, setup, sold),
      paymentMethods: lists.payment_method ?? [],
      reasons: lists.reason ?? [],
    };
  };

/** Where a document would be signed, of which sale, and with which answers. */
type Placed = {
  saleReceipt: Receipt | null;
  sales: SaleCandidate[];
  branchId: string | null;
  around: DocumentContext;
  answers: Prepared['answers'];
};

/** Finds branch, device and, of a refund, the sale; adds what stands in the way of each. */
async function placeDocument(
  ports: Ports,
  ctx: Context,
  read: ReadDocument,
  { given, own, findings }: { given: Answers; own: Receipt | null; findings: StoredProblem[] },
): Promise<Placed> {
  const { document, mappings } = read;
  const { saleReceipt, sales } =
    document.module === 'creditnotes'
      ? await findSaleOf(ctx, document, own, given, findings)
      : { saleReceipt: null, sales: [] };
  const branchId =
    saleReceipt?.branchId ?? branchOf(document, mappings.location, read.branches, findings);
  const around = await readAround(ctx, read, saleReceipt, branchId);
  const about = aboutOf(document, {
    elsewhere: around.elsewhere?.at ?? null,
    since: productionOf(around)?.since?.toISOString() ?? null,
    others: around.others.map((other) => other.documentId),
  });
  const placed = {
    saleReceipt,
    sales,
    branchId,
    around,
    answers: { ...answersAbout(about, own, given), about },
  };
  await checkPlace(ports, ctx, read, placed, findings);
  return placed;
}

/** Gathers the rules by which the document is made a sale. */
function rulesOf(
  { dialects, clock, day }: Ports,
  { document, business, mappings }: ReadDocument,
  { around, saleReceipt }: Placed,
): { setup: Setup; baseCurrency: string } {
  const dialect = dialects.of(
    around.device?.dialect ?? dialectOfCountry(dialects, business.country),
  );
  const today = day(clock.now(), dialect.identity.timeZone);
  const production = productionOf(around);
  return {
    setup: {
      ...setupOf({ business, production, dialect, today, mappings, ...around }),
      sealedRate: around.sealedRate,
      elsewhere: around.elsewhere,
      wasExempt: wasLeftToOthers(business, document, around),
      // A refund undoes what was sealed: at the rates of its sale, whatever holds today.
      ...(saleReceipt ? { rates: saleReceipt.filed.terms.rates } : {}),
    },
    baseCurrency: dialect.identity.currency,
  };
}

type Priced = { made: Made; refund: Refund | null };
type Refund = Fitted & { asked: Sale; isSameBuyer: boolean };

/** What the document comes to in the device's currency; of a refund only once its sale is known. */
const inBaseCurrency = (
  document: BooksDocument,
  setup: Setup,
  sold: Sale | null,
  priced: Priced,
): Pick<Prepared, 'foreign' | 'baseTotal'> =>
  document.module === 'creditnotes' && !sold
    ? { foreign: null, baseTotal: null }
    : {
        foreign: foreignOf(document, setup, sold),
        baseTotal: totalOf(priced) ?? baseTotalOf(document, setup, sold),
      };

const totalOf = ({ made, refund }: Priced): string | null =>
  (refund?.refund ?? made.priced)?.total ?? null;

/** Prices the document, and fits a refund to its sale; adds what stands in the way. */
async function priceDocument(
  ports: Ports,
  ctx: Context,
  {
    read,
    placed,
    setup,
    own,
    findings,
  }: {
    read: ReadDocument;
    placed: Placed;
    setup: Setup;
    own: Receipt | null;
    findings: StoredProblem[];
  },
): Promise<Priced> {
  const { document, business } = read;
  const { saleReceipt, around, answers } = placed;
  const isSameBuyer = saleReceipt
    ? await isOfSameBuyer(ports.books, read.source, document, saleReceipt)
    : false;
  const sold = saleReceipt?.filed.sale ?? null;
  const made = makeSale(document, setup, answers, sold, isSameBuyer);
  findings.push(
    ...made.findings,
    ...(await ports.findUnprintable(ctx.businessId, textsOn(document))),
  );
  if (!saleReceipt || !made.priced) return { made, refund: null };
  const fitted = await fitToSale(ctx, made.priced, saleReceipt, own?.id ?? null, {
    isSameBuyer,
    allowsPartial: business.settings.partial_refunds,
    countsQuantities: around.device?.demands.includes('refund_quantities') ?? false,
  });
  findings.push(...fitted.findings);
  return { made, refund: { ...fitted, asked: made.priced, isSameBuyer } };
}

/** Since when documents of its place are signed for real, if they are. */
const productionOf = ({ device, mappedSince, wasRehearsed }: DocumentContext) =>
  device?.environment === 'production'
    ? { since: laterOf(device.productionSince, mappedSince), isRehearsed: wasRehearsed }
    : null;

/**
 * Adds what is wrong with the device of a document, with the sale of a refund at it, and with its
 * number.
 */
async function checkPlace(
  ports: Ports,
  ctx: Context,
  read: ReadDocument,
  { around, saleReceipt, branchId, answers }: Placed,
  findings: StoredProblem[],
): Promise<void> {
  const { document, business } = read;
  const { device } = around;
  if (branchId && (!device || device.state === 'new')) findings.push({ code: 'device_missing' });
  if (!device) return;
  if (saleReceipt && saleReceipt.deviceId !== device.id)
    findings.push(...(await checkTakeover(ctx, saleReceipt, device)));
  if (
    !answers.confirm?.includes('number_sealed_before') &&
    !keptBack(document, { sealsApproved: business.settings.auto_seal === 'approved' })
  )
    findings.push(...(await checkNumber(ports, ctx, read, device, around.others)));
  if (device.difference) findings.unshift(device.difference);
}

/**
 * Whether the business had left a document to others and takes it back. While it is exempt the
 * document is signed by hand, as the business has said, and nobody is asked.
 */
const wasLeftToOthers = (
  business: Business,
  document: BooksDocument,
  { left, device }: DocumentContext,
): boolean =>
  (left.wasExempt || (!left.isSealed && wasExemptWhenMade(business.exemptEnded, document))) &&
  device?.environment === 'production' &&
  !isExempt(business.settings, document);

/** Returns what is said beside a document, once nothing that its sale says stands in its way. */
const remarksBeside = (
  fitted: { refund: Sale | null; findings: StoredProblem[] } | null,
): StoredProblem[] =>
  fitted?.refund && fitted.findings.length === 0 ? remarksOn(fitted.refund) : [];

/**
 * Throws if the books failed to give a part that keeps the document from being signed, so that it
 * is read again: they may give it the next time. A person can say what the books do not, and what
 * is signed needs nothing more.
 */
function waitForUnread(
  ctx: Context,
  document: BooksDocument,
  findings: StoredProblem[],
  own: Receipt | null,
  setup: Pick<Setup, 'sealsApproved'>,
): void {
  const part = findUnreadPart(document, findings);
  const canWait = ctx.actor.type !== 'person' && own?.state !== 'signed';
  if (part && canWait && !keptBack(document, setup))
    throw new AppError('document_part_unread', {
      part,
      ...(document.number.trim() === '' ? {} : { document_number: document.number }),
    });
}
