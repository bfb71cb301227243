import { compare } from '@muhuri/shared/money';
import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import { type Device, findDevice, findDeviceOfBranch, listBranches } from '../../branches/index.ts';
import { type Business, getBusiness, isExempt, wasExemptWhenMade } from '../../businesses/index.ts';
import { knownItemClasses, placeSince, readLists, readMappings } from '../../catalogue/index.ts';
import { findConnection } from '../../connections/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import { readPhone } from '../../platform/phone.ts';
import type { Books } from '../../ports/books.ts';
import type { Code, Dialect, Dialects } from '../../ports/dialect.ts';
import { type About, aboutOf, answersAbout, type KeptAnswers } from '../sale/answers.model.ts';
import { isOfOtherBooks, keepBooksOf } from '../receipt/books-of.store.ts';
import { demandsOf } from '../sale/demands.model.ts';
import { hashOf } from '../sale/document-hash.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { findElsewhere, findLeft, numberOfSaleElsewhere } from '../receipt/elsewhere.store.ts';
import { type SigningInput, noPerson } from '../sale/signing-input.model.ts';
import { type FindUnprintable, textsOn } from './find-unprintable.ts';
import {
  baseTotalOf,
  foreignOf,
  keptBack,
  knownPaymentMethod,
  makeSale,
} from '../sale/make-sale.model.ts';
import { isNeverGiven } from '../receipt/not-given.model.ts';
import type { Answers, ItemMapping, Setup } from '../sale/setup.model.ts';
import {
  findReceipt,
  findReceiptIn,
  findSales,
  forgetNotGiven,
  isRehearsed,
  keepNotGiven,
  latestSealedRate,
  listOfNumber,
  listRefundsOf,
  type Receipt,
  type SaleCandidate,
} from '../receipt/receipt.store.ts';
import { fitRefund, type Left, remarksOn } from '../sale/refund.model.ts';
import type { Foreign, Sale } from '../../model/sale.model.ts';
import { continuesRun, isTakenOver } from './take-over-refund.ts';
import { findUnreadPart, sayUnread } from '../sale/unread.model.ts';
import { inFull } from '../sale/withheld.model.ts';

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

/** Of so many others of one number what is left in the books is looked up, one after another. */
const numbersMost = 10;
/**
 * What is wrong with the connection and not with the one document that is read: it ends, and is
 * waited for.
 */
const ofConnection: ProblemCode[] = [
  'zoho_unavailable',
  'zoho_limit',
  'zoho_reconnect',
  'zoho_client_refused',
  'zoho_not_connected',
  'zoho_forbidden',
];
/** What one document alone may be answered with, for ever. */
const ofOne: ProblemCode[] = ['zoho_unavailable', 'zoho_forbidden'];

/**
 * A document that was deleted in the books after it was sealed, and made again with its number, is
 * another document there and the same sale: sealed as well, it would stand twice at the authority.
 * The books keep a number to one document, so that what is left of every other one is asked of
 * them: where they do number twice, one that still stands says nothing about the others. Where it
 * cannot be seen a person is asked, and so are they about more than can be looked up; what the
 * books fail to give is waited for first, because it mostly ends.
 */
async function checkNumber(
  { books, clock }: { books: Books; clock: Clock },
  source: Parameters<Books['readDocument']>[0],
  ctx: Context,
  document: BooksDocument,
  device: Device,
  others: Awaited<ReturnType<typeof listOfNumber>>,
): Promise<StoredProblem[]> {
  const { module, id: documentId, number } = document;
  if (number.trim() === '' || others.length === 0) return [];
  const own = await ctx.transaction((tx) =>
    findReceiptIn(tx, device.environment, module, documentId),
  );
  if (own?.state === 'signed') return [];
  const finding = (
    other: { receipt: string },
    more: { unread?: true; not_given_id?: string },
  ): StoredProblem => ({
    code: 'number_sealed_before',
    field: 'document_number',
    document_number: number,
    receipt: other.receipt,
    ...more,
    ...(module === 'creditnotes' ? { module } : {}),
  });
  const [latest] = others;
  if (latest && others.length > numbersMost) return [finding(latest, { unread: true })];
  let unseen: StoredProblem | null = null;
  for (const other of others) {
    // Whether it still stands in books that are not connected any more cannot be seen.
    if (
      await ctx.transaction((tx) =>
        isOfOtherBooks(tx, { module, documentId: other.documentId }, source.organizationId),
      )
    ) {
      unseen ??= finding(other, { unread: true });
      continue;
    }
    const read = await books
      .readDocument(source, module, other.documentId)
      .catch(async (error: unknown) => {
        if (!(error instanceof AppError)) throw error;
        if (!ofConnection.includes(error.code)) return { unread: true } as const;
        // The document itself was given a moment ago: where this one fails again and again, it is
        // this one that cannot be given.
        if (ofOne.includes(error.code) && (await isNeverGivenOf(ctx, other.id, clock.now())))
          return { unread: true, not_given_id: other.documentId } as const;
        throw error;
      });
    if ('unread' in read) {
      // One that is known to be gone is asked about before one that could not be seen: the answer
      // holds for all of them.
      unseen ??= finding(other, read);
      continue;
    }
    if (other.isNotGiven) await ctx.transaction((tx) => forgetNotGiven(tx, other.id));
    if (read.is === 'missing' || read.document.status === 'void') return [finding(other, {})];
  }
  return unseen ? [unseen] : [];
}

const isNeverGivenOf = async (ctx: Context, receiptId: string, at: Date): Promise<boolean> =>
  isNeverGiven(await ctx.transaction((tx) => keepNotGiven(tx, receiptId, at)), at);

/**
 * Whether a refund is of its sale's buyer. Where two contacts were merged in the books since, or a
 * sale was given to another one, both documents are the other's now: what the books themselves say
 * the credit note is of decides then, and the refund names the buyer of its sale whatever they say.
 */
async function isOfSameBuyer(
  books: Books,
  source: Parameters<Books['readDocument']>[0],
  note: BooksDocument,
  sale: Receipt,
): Promise<boolean> {
  if (note.customer.id === sale.filed.sale.customerId) return true;
  if (!note.corrects.invoiceIds.includes(sale.documentId)) return false;
  const read = await books
    .readDocument(source, 'invoices', sale.documentId)
    .catch((error: unknown) => {
      // One that cannot be read says nothing of whose it is.
      if (error instanceof AppError && !ofConnection.includes(error.code)) return null;
      throw error;
    });
  return read !== null && read.is !== 'missing' && read.document.customer.id === note.customer.id;
}

async function fitToSale(
  ctx: Context,
  asked: Sale,
  saleReceipt: Receipt,
  isSameBuyer: boolean,
  ownReceiptId: string | null,
  allowsPartial: boolean,
  countsQuantities: boolean,
) {
  const others = await ctx.transaction((tx) => listRefundsOf(tx, saleReceipt.id, ownReceiptId));
  return fitRefund(
    asked,
    saleReceipt.filed.sale,
    others.map((other) => other.sale),
    isSameBuyer,
    allowsPartial,
    countsQuantities,
  );
}

function filingOf(
  ctx: Context,
  business: Business,
  device: Device,
  rates: Record<string, string>,
  saleReceipt: Receipt | null,
): SigningInput['filing'] {
  const user =
    ctx.actor.type === 'person'
      ? { id: ctx.actor.membershipId.slice(-20), name: ctx.actor.name }
      : noPerson;
  return {
    device: {
      taxpayerId: business.taxpayerId,
      branchCode: device.branchCode,
      serial: device.serial,
    },
    mrcNumber: device.mrcNumber,
    rates,
    headerTax: saleReceipt?.filed.filing.headerTax ?? business.settings.header_tax,
    originalInvoiceNumber: saleReceipt?.invoiceNumber ?? null,
    ...(saleReceipt?.signature ? { originalSdcId: saleReceipt.signature.sdcId } : {}),
    originalReceipt: saleReceipt?.signature
      ? {
          receiptNumber: saleReceipt.signature.receiptNumber,
          totalReceiptNumber: saleReceipt.signature.totalReceiptNumber,
          label: saleReceipt.signature.label,
        }
      : null,
    ...demandsOf(device),
    user,
    ...(ctx.actor.type === 'api_key' ? { askedByProgram: true } : {}),
    ...(ctx.actor.type === 'job' ? { openedByItself: true } : {}),
    seller: {
      tradeName: business.branding.trade_name,
      address: device.branchAddress || business.branding.address_lines.join(', '),
      topMessage: business.branding.top_message,
      bottomMessage: business.branding.bottom_message,
    },
    verification: { form: business.settings.qr_form, base: business.settings.verification_base },
  };
}

/**
 * Since when documents of this place are sealed for real: its branch has a production device, and
 * the place is mapped to such a branch.
 */
const laterOf = (branch: Date | null, place: Date | null): Date | null =>
  branch && place && place > branch ? place : branch;

/**
 * A document without a location goes to the only branch there is; an unmapped location is a
 * finding, never head office by default.
 */
function branchOf(
  document: BooksDocument,
  locations: Record<string, Record<string, string>>,
  branches: { id: string }[],
  findings: StoredProblem[],
): string | null {
  const mapped = locations[document.locationId ?? 'none']?.branch_id;
  if (mapped && branches.some((branch) => branch.id === mapped)) return mapped;
  const [only] = branches;
  if (document.locationId === null && branches.length === 1 && only) return only.id;
  findings.push({
    code: 'location_unmapped',
    field: 'location_id',
    key: document.locationId ?? 'none',
  });
  return null;
}

/**
 * A sale that a device before the present one has signed: its refund needs a person's word that it
 * is taken there.
 */
const checkTakeover = (ctx: Context, sale: Receipt, device: Device): Promise<StoredProblem[]> =>
  ctx.transaction(async (tx) => {
    const about = {
      field: 'sale_receipt_id',
      sale_receipt_id: sale.id,
      invoice_number: sale.invoiceNumber,
      sdc_id: sale.signature?.sdcId,
    };
    if (!(await continuesRun(tx, sale))) return [{ code: 'refund_run_broken', ...about }];
    return (await isTakenOver(tx, sale.id, device.id))
      ? []
      : [{ code: 'refund_needs_takeover', ...about }];
  });

/**
 * By the order of trust: what a person chose, the invoice the credit note was made from or applied
 * to, its reference.
 */
async function findSaleOf(
  ctx: Context,
  document: BooksDocument,
  own: Receipt | null,
  given: Answers,
  findings: StoredProblem[],
): Promise<{ saleReceipt: Receipt | null; sales: SaleCandidate[] }> {
  return ctx.transaction(async (tx) => {
    /** A sale that is not sealed here: it is to be, unless another system has sealed it. */
    const unsigned = async (saleId: string, about: object): Promise<StoredProblem> => {
      const number = await numberOfSaleElsewhere(tx, saleId);
      return number
        ? { code: 'refund_sale_elsewhere', field: 'invoice_id', document_number: number }
        : { code: 'refund_sale_unsigned', field: 'invoice_id', ...about };
    };
    // What is sealed, or may be, is a refund of what it was sealed for; anything else of what its
    // document says now, unless a person has said it.
    const filed = own?.state === 'signed' || own?.state === 'in_doubt' ? own.saleReceiptId : null;
    const { sale_receipt_id: said } = answersAbout(
      aboutOf(document, { elsewhere: null, since: null, others: [] }),
      own,
      given,
    );
    const chosen = filed ?? said ?? null;
    // What its credit is used for may be another sale than its reference says: as long as that is
    // not known, a person says which one it is.
    if (chosen === null && document.unread?.includes('applied')) {
      findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
      const referred = document.corrects.reference
        ? await findSales(tx, { documentNumber: document.corrects.reference })
        : [];
      const signed = referred.filter((sale) => sale.state === 'signed');
      return {
        saleReceipt: null,
        sales:
          signed.length > 0 ? signed : await findSales(tx, { customerId: document.customer.id }),
      };
    }
    const named = chosen
      ? await findSales(tx, { receiptId: chosen })
      : document.corrects.invoiceIds.length > 0
        ? await findSales(tx, { documentIds: document.corrects.invoiceIds })
        : document.corrects.reference
          ? await findSales(tx, { documentNumber: document.corrects.reference })
          : [];
    const [only] = named;
    const isClear = chosen !== null || document.corrects.invoiceIds.length <= 1;
    const meant = chosen === null ? await meantBeside(tx, document, own) : [];
    if (
      meant.length > 0 &&
      !meant.some((sale) => document.corrects.invoiceIds.includes(sale.documentId))
    ) {
      findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
      return { saleReceipt: null, sales: [...named, ...meant] };
    }
    if (named.length === 1 && only && isClear) {
      const before = chosen === null ? own?.answers.sale_receipt_id : undefined;
      if (before !== undefined && before !== only.id) {
        // A person had chosen another one, and this one is named only since: it may be where the
        // credit was used.
        findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
        return {
          saleReceipt: null,
          sales: [only, ...(await findSales(tx, { receiptId: before }))],
        };
      }
      if (only.state !== 'signed')
        findings.push(await unsigned(only.documentId, { document_number: only.documentNumber }));
      return {
        saleReceipt: only.state === 'signed' ? await findReceipt(tx, only.id) : null,
        sales: named,
      };
    }
    const [invoiceId] = document.corrects.invoiceIds;
    if (!chosen && invoiceId && document.corrects.invoiceIds.length === 1) {
      findings.push(await unsigned(invoiceId, {}));
      return { saleReceipt: null, sales: [] };
    }
    const signed = named.filter((sale) => sale.state === 'signed');
    const sales =
      signed.length > 0 ? signed : await findSales(tx, { customerId: document.customer.id });
    findings.push({ code: 'refund_sale_missing', field: 'sale_receipt_id' });
    return { saleReceipt: null, sales };
  });
}

/**
 * The sealed sales that a credit note means beside those that its credit is used for, which may be
 * any: those of its reference, and where that names none, what it was opened for before. What it
 * says itself of the invoice it corrects is all that counts, where it says that.
 */
async function meantBeside(
  tx: Tx,
  { corrects }: BooksDocument,
  own: Receipt | null,
): Promise<SaleCandidate[]> {
  if (!corrects.isUseOfCredit) return [];
  const sealed = async (by: Parameters<typeof findSales>[1]) =>
    (await findSales(tx, by)).filter((sale) => sale.state === 'signed');
  const referred = corrects.reference ? await sealed({ documentNumber: corrects.reference }) : [];
  return referred.length > 0 || !own?.saleReceiptId
    ? referred
    : await sealed({ receiptId: own.saleReceiptId });
}

function setupOf(
  business: Business,
  production: Setup['production'],
  dialect: Dialect,
  mappings: Awaited<ReturnType<typeof readMappings>>,
  lists: Record<string, Code[]>,
  itemClasses: Set<string> | null,
  today: string,
): Setup {
  const items = (kind: Record<string, Record<string, string>>) =>
    Object.fromEntries(Object.entries(kind).map(([key, value]) => [key, toItemMapping(value)]));
  return {
    currency: dialect.currency,
    today,
    goLiveDate: business.goLiveDate,
    production,
    sealsApproved: business.settings.auto_seal === 'approved',
    documentAgeDaysMax: business.settings.document_age_days_max,
    isVatRegistered: business.isVatRegistered,
    nonVatClass: dialect.nonVatClass,
    rates: ratesOf(dialect, lists.tax_class ?? [], today),
    linesMax: dialect.linesMax,
    amountMax: dialect.amountMax,
    quantityMax: dialect.quantityMax,
    taxes: Object.fromEntries(
      Object.entries(mappings.tax).map(([key, value]) => [key, value.tax_class as string]),
    ),
    items: items(mappings.item),
    charges: items(mappings.charge),
    paymentModes: Object.fromEntries(
      Object.entries(mappings.payment_mode).map(([key, value]) => [
        key,
        value.payment_method as string,
      ]),
    ),
    creditMethod: dialect.creditMethod,
    hasCode(list, code) {
      if (list === 'item_class') return itemClasses?.has(code) ?? true;
      const codes = lists[list];
      return !codes || codes.length === 0 || codes.some((each) => each.code === code);
    },
    readPhone: (text) => readPhone(text, dialect.country),
    checkBuyer: dialect.checkBuyer,
  };
}

/**
 * The device's own rates where its lists have been fetched, else those in force by law on the day.
 */
function ratesOf(dialect: Dialect, fetched: Code[], today: string): Record<string, string> {
  const lawful = dialect.taxClasses
    .filter((each) => each.since <= today)
    .sort((a, b) => (a.since < b.since ? -1 : 1));
  const rates = Object.fromEntries(lawful.map((each) => [each.code, each.percent]));
  for (const each of fetched)
    if (
      each.code in rates &&
      each.data.percent !== undefined &&
      compare(each.data.percent, '0') >= 0
    )
      rates[each.code] = each.data.percent;
  return rates;
}

const toItemMapping = (value: Record<string, string>): ItemMapping => ({
  itemClass: value.item_class as string,
  itemType: value.item_type as string,
  packageUnit: value.package_unit as string,
  quantityUnit: value.quantity_unit as string,
  origin: value.origin as string,
  taxClass: value.tax_class,
  name: value.name,
});

function dialectOfCountry(dialects: Dialects, country: string): string {
  const found = dialects.all().find((dialect) => dialect.country === country);
  if (!found) throw new Error(`no dialect for ${country}`);
  return found.key;
}
