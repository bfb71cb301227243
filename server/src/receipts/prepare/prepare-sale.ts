import type { StoredProblem } from '@muhuri/shared/problems';
import { type Device, findDevice, findDeviceOfBranch, listBranches } from '../../branches/index.ts';
import { type Business, getBusiness, isExempt, wasExemptWhenMade } from '../../businesses/index.ts';
import { knownItemClasses, placeSince, readLists, readMappings } from '../../catalogue/index.ts';
import { findConnection } from '../../connections/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Books } from '../../ports/books.ts';
import type { Code, Dialects } from '../../ports/dialect.ts';
import { type About, aboutOf, answersAbout, type KeptAnswers } from '../sale/answers.model.ts';
import { isOfOtherBooks, keepBooksOf } from '../receipt/books-of.store.ts';
import { hashOf } from '../sale/document-hash.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { findElsewhere, findLeft } from '../receipt/elsewhere.store.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';
import { type FindUnprintable, textsOn } from './find-unprintable.ts';
import { baseTotalOf } from '../sale/price-lines.model.ts';
import { foreignOf, knownPaymentMethod } from '../sale/buyer-and-payment.model.ts';
import { keptBack } from '../sale/check-document.model.ts';
import { makeSale } from '../sale/make-sale.model.ts';
import type { Answers } from '../sale/setup.model.ts';
import { isRehearsed } from '../receipt/receipt.store.ts';
import { latestSealedRate, listOfNumber, type SaleCandidate } from '../receipt/find-sales.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Left } from '../sale/refund-items.model.ts';
import { remarksOn } from '../sale/refund.model.ts';
import type { Foreign, Sale } from '../../model/sale.model.ts';
import { findUnreadPart, sayUnread } from '../sale/unread.model.ts';
import { inFull } from '../sale/withheld.model.ts';
import { checkNumber, checkTakeover, numbersMost } from './check-number.ts';
import { findSaleOf, fitToSale, isOfSameBuyer } from './find-refunded-sale.ts';
import { filingOf, laterOf } from './sale-terms.ts';
import { branchOf, dialectOfCountry, setupOf } from './sale-rules.ts';

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
  (ports: {
    books: Books;
    dialects: Dialects;
    clock: Clock;
    findUnprintable: FindUnprintable;
    day(at: Date, timeZone: string): string;
  }): PrepareSale =>
  async (ctx, module, documentId, given, own) => {
    const { business, connection, isOfOthers, mappings, branches } = await ctx.transaction(
      async (tx) => {
        const living = await findConnection(tx);
        return {
          business: await getBusiness(tx),
          connection: living,
          isOfOthers:
            living !== null &&
            (await isOfOtherBooks(tx, { module, documentId }, living.organizationId)),
          mappings: await readMappings(tx),
          branches: await listBranches(tx),
        };
      },
    );
    if (!connection) throw new AppError('zoho_not_connected');
    // Never asked for there: other books do not have it, and that they do not would be taken for
    // its end.
    if (isOfOthers) throw new AppError('document_of_other_books', { field: 'document_id' });
    if (connection.status === 'needs_reconnecting') throw new AppError('zoho_reconnect');
    const source = {
      businessId: ctx.businessId,
      organizationId: connection.organizationId,
      grantId: connection.grantId,
      // What came in waits behind whoever is sitting before a panel: a burst of webhooks must not
      // use up the minute.
      purpose:
        ctx.actor.type === 'job' && ctx.actor.id === 'intake'
          ? ('sync' as const)
          : ('sign' as const),
      customFields: business.settings.custom_fields,
    };
    const read = await ports.books.readDocument(source, module, documentId);
    if (read.is === 'missing') throw new AppError('document_unknown', { field: 'document_id' });
    const document = inFull(read.document);
    const isRefund = module === 'creditnotes';
    const findings: StoredProblem[] = [];
    const { saleReceipt, sales } = isRefund
      ? await findSaleOf(ctx, document, own, given, findings)
      : { saleReceipt: null, sales: [] };

    const branchId =
      saleReceipt?.branchId ?? branchOf(document, mappings.location, branches, findings);
    const { device, lists, known, wasRehearsed, elsewhere, others, left, sealedRate, mappedSince } =
      await ctx.transaction(async (tx) => {
        // A refund goes to the device of its sale, and where that has gone to the one that took its
        // place.
        const ofSale =
          saleReceipt && !saleReceipt.isDeviceRetired
            ? await findDevice(tx, saleReceipt.deviceId)
            : null;
        const found = ofSale ?? (branchId ? await findDeviceOfBranch(tx, branchId) : null);
        await keepBooksOf(tx, { module, documentId }, connection.organizationId);
        const mapped = [...Object.values(mappings.item), ...Object.values(mappings.charge)].flatMap(
          (value) => value.item_class ?? [],
        );
        return {
          wasRehearsed: await isRehearsed(tx, module, documentId),
          elsewhere: await findElsewhere(tx, { module, documentId }),
          others: found
            ? await listOfNumber(tx, {
                module,
                documentId,
                number: document.number,
                environment: found.environment,
                most: numbersMost + 1,
              })
            : [],
          left: await findLeft(tx, { module, documentId }),
          mappedSince: await placeSince(tx, document.locationId ?? 'none'),
          device: found,
          lists: found ? await readLists(tx, found.id) : {},
          known: found ? await knownItemClasses(tx, found.id, mapped) : null,
          sealedRate:
            document.currency === document.baseCurrency
              ? null
              : await latestSealedRate(tx, document.currency, found?.environment ?? null),
        };
      });
    const production =
      device?.environment === 'production'
        ? { since: laterOf(device.productionSince, mappedSince), isRehearsed: wasRehearsed }
        : null;
    const about = aboutOf(document, {
      elsewhere: elsewhere?.at ?? null,
      since: production?.since?.toISOString() ?? null,
      others: others.map((other) => other.documentId),
    });
    const answers = { ...answersAbout(about, own, given), about };
    if (branchId && (!device || device.state === 'new')) findings.push({ code: 'device_missing' });
    if (saleReceipt && device && saleReceipt.deviceId !== device.id)
      findings.push(...(await checkTakeover(ctx, saleReceipt, device)));
    if (
      device &&
      !answers.confirm?.includes('number_sealed_before') &&
      !keptBack(document, { sealsApproved: business.settings.auto_seal === 'approved' })
    )
      findings.push(...(await checkNumber(ports, source, ctx, document, device, others)));
    if (device?.difference) findings.unshift(device.difference);
    const dialect = ports.dialects.of(
      device?.dialect ?? dialectOfCountry(ports.dialects, business.country),
    );
    // While it is exempt it is sealed by hand, as the business has said; only what it had left to
    // others and takes back is asked about.
    const wasLeft =
      left.wasExempt || (!left.isSealed && wasExemptWhenMade(business.exemptEnded, document));
    const isLeft =
      wasLeft && device?.environment === 'production' && !isExempt(business.settings, document);
    const sold = saleReceipt?.filed ?? null;
    const usual = setupOf(
      business,
      production,
      dialect,
      mappings,
      lists,
      known,
      ports.day(ports.clock.now(), dialect.timeZone),
    );
    // A refund undoes what was sealed: at the rates of its sale, whatever holds today.
    const setup = {
      ...usual,
      sealedRate,
      elsewhere,
      wasExempt: isLeft,
      ...(sold ? { rates: sold.filing.rates } : {}),
    };
    const isSameBuyer = saleReceipt
      ? await isOfSameBuyer(ports.books, source, document, saleReceipt)
      : false;
    const made = makeSale(document, setup, answers, sold?.sale ?? null, isSameBuyer);
    findings.push(
      ...made.findings,
      ...(await ports.findUnprintable(ctx.businessId, textsOn(document))),
    );
    const asked = saleReceipt && made.priced;
    const countsQuantities = device?.demands.includes('refund_quantities') ?? false;
    const fitted =
      asked &&
      (await fitToSale(
        ctx,
        asked,
        saleReceipt,
        isSameBuyer,
        own?.id ?? null,
        business.settings.partial_refunds,
        countsQuantities,
      ));
    findings.push(...(fitted?.findings ?? []));
    const sale = made.sale && (fitted?.refund ?? made.sale);
    const remarked = fitted
      ? fitted.findings.length === 0
        ? fitted.refund
        : null
      : isRefund
        ? null
        : made.priced;
    const unreadPart = findUnreadPart(document, findings);
    // A person can say what the books do not. For anybody else it is waited for: it may be given
    // the next time. What is sealed needs nothing more.
    if (
      unreadPart &&
      ctx.actor.type !== 'person' &&
      own?.state !== 'signed' &&
      !keptBack(document, setup)
    )
      throw new AppError('document_part_unread', {
        part: unreadPart,
        ...(document.number.trim() === '' ? {} : { document_number: document.number }),
      });
    return {
      business,
      document,
      documentHash: hashOf(document),
      answers,
      device,
      branchId,
      findings: sayUnread(document, findings),
      remarks: remarked ? remarksOn(remarked) : [],
      filed:
        sale && device && findings.length === 0
          ? { sale, filing: filingOf(ctx, business, device, setup.rates, saleReceipt) }
          : null,
      saleReceipt,
      sales,
      refund: asked && fitted ? { asked, left: fitted.left, isSameBuyer } : null,
      foreign: isRefund && !sold ? null : foreignOf(document, setup, sold?.sale ?? null),
      baseCurrency: dialect.currency,
      baseTotal:
        isRefund && !sold
          ? null
          : ((fitted?.refund ?? made.priced)?.total ??
            baseTotalOf(document, setup, sold?.sale ?? null)),
      paymentMethod: knownPaymentMethod(document, setup, saleReceipt?.filed.sale ?? null),
      paymentMethods: lists.payment_method ?? [],
      reasons: lists.reason ?? [],
    };
  };
