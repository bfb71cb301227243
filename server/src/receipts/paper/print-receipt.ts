import { createHash, randomBytes } from 'node:crypto';
import type { Recorder } from '../../audit/index.ts';
import { findDevice } from '../../branches/index.ts';
import { type Branding, getBusiness } from '../../businesses/index.ts';
import { readLists } from '../../catalogue/index.ts';
import type { Actor, Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Dialects } from '../../ports/dialect.ts';
import { listAttempts, type StoredAttempt } from '../receipt/attempt.store.ts';
import {
  isOriginal,
  type OriginalPaper,
  type Wish,
  type PaperSize,
} from '../receipt/original.model.ts';
import { layOut, layOutTraining, type ReceiptLayout } from './receipt-layout.model.ts';
import {
  countPrintsSince,
  findLatestPrint,
  findLink,
  findPrint,
  findSentPrint,
  insertLink,
  insertPrint,
  nextCopyNumber,
  type Print,
  readChoice,
  consumeLink,
} from './print.store.ts';
import type { ForBrowser } from './receipt-pdf.ts';
import { findReceipt, lockReceipt, type Receipt } from '../receipt/receipt.store.ts';
import type { Sale } from '../../model/sale.model.ts';

type Ports = {
  dialects: Dialects;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  /** In a thread of its own, with limits: nothing of the database is held meanwhile. */
  draw(businessId: string, papers: ReceiptLayout[], size: PaperSize, at: Date): Promise<Buffer>;
  drawForBrowser(
    businessId: string,
    paper: ReceiptLayout,
    size: PaperSize,
    at: Date,
  ): Promise<ForBrowser>;
  localTime(at: Date, timeZone: string): { date: string; time: string };
  version: string;
};

const linkMs = 5 * 60_000;

export type RequestPrint = (
  ctx: Context,
  receiptId: string,
  ask: { paper: PaperSize; original?: boolean | undefined },
) => Promise<{ isCopy: boolean; link: string; until: Date }>;

/**
 * A short-lived single-use link to a print. Nothing is counted before it is opened: a page that the
 * browser blocks has spent no original. What the print will be as things stand is said with it.
 */
export const requestPrint =
  (ports: Ports): RequestPrint =>
  async (ctx, receiptId, { paper, original }) => {
    const secret = randomBytes(24).toString('base64url');
    const wish: Wish = original === undefined ? 'asked' : original ? 'original' : 'copy';
    const now = ports.clock.now();
    const until = new Date(now.getTime() + linkMs);
    const isCopy = await ctx.transaction(async (tx) => {
      await signedReceipt(tx, receiptId);
      const stands = await readChoice(tx, receiptId);
      if (wish === 'original' && stands.hasOriginal) throw new AppError('original_printed');
      await insertLink(
        tx,
        ctx.businessId,
        { hash: hashOf(secret), receiptId, paper, wish, askedBy: ctx.actor, until },
        now,
      );
      return !isOriginal(wish, paper, stands);
    });
    return { isCopy, link: `${ctx.businessId}.${secret}`, until };
  };

export type RedeemedLink = { print: Print; documentNumber: string; forBrowser: ForBrowser | null };
export type RedeemPrintLink = (
  link: string,
  as: 'page' | 'pdf',
  contextOf: (businessId: string, actor: Actor | null) => Context,
) => Promise<RedeemedLink>;

/**
 * What a link leads to, once, recorded by being opened. The link names its business, so that it
 * opens the ordinary door.
 */
export const redeemPrintLink =
  (ports: Ports): RedeemPrintLink =>
  async (link, as, contextOf) => {
    const match = /^(biz_[0-9a-f]{32})\.([A-Za-z0-9_-]{32})$/.exec(link);
    if (!match) throw new AppError('not_found');
    const [, businessId, secret] = match as unknown as [string, string, string];
    const hash = hashOf(secret);
    const asked = await contextOf(businessId, null).transaction((tx) =>
      findLink(tx, hash, ports.clock.now()),
    );
    if (!asked) throw new AppError('not_found');
    const ctx = contextOf(businessId, asked.askedBy);
    // A link that was given out for a print recorded before.
    if (asked.printId) {
      return ctx.transaction(async (tx) => {
        const print =
          (await consumeLink(tx, hash, ports.clock.now())) &&
          (await findPrint(tx, asked.receiptId, asked.printId as string));
        const receipt = await findReceipt(tx, asked.receiptId);
        if (!print || !receipt) throw new AppError('not_found');
        return { print, documentNumber: receipt.documentNumber, forBrowser: null };
      });
    }
    const { receiptId, paper, wish } = asked;
    return makePrint(ports, ctx, {
      receiptId,
      paper,
      wish,
      forBrowser: as === 'page',
      async claim(tx) {
        if (!(await consumeLink(tx, hash, ports.clock.now()))) throw new AppError('not_found');
      },
    });
  };

export type ReadPdf = (ctx: Context, receiptId: string, paper: PaperSize) => Promise<Print>;

/**
 * The latest print on that paper, byte for byte, counting nothing; where there is none, one is
 * made: a copy, unless the branch has chosen this paper for its originals and whoever asks may
 * print.
 */
export const readPdf =
  (ports: Ports): ReadPdf =>
  async (ctx, receiptId, paper) => {
    const instead = (tx: Tx) => findLatestPrint(tx, receiptId, paper);
    const known = await ctx.transaction(instead);
    if (known) return known;
    const mayPrint = ctx.permissions === null || ctx.permissions.includes('seal');
    // Whoever asks at the same moment gets that print, instead of a copy nobody asked for.
    return (
      await makePrint(ports, ctx, { receiptId, paper, wish: mayPrint ? 'read' : 'copy', instead })
    ).print;
  };

export type PrintForBooks = (ctx: Context, receiptId: string, isMailed: boolean) => Promise<Print>;

/**
 * The print that goes to the document in Zoho: the original, where the branch has chosen that, else
 * a copy; the same when it is asked for again.
 */
export const printForBooks =
  (ports: Ports): PrintForBooks =>
  async (ctx, receiptId, isMailed) => {
    const { choice } = await ctx.transaction((tx) => readChoice(tx, receiptId));
    const wentWith = choice === 'mail' && isMailed ? 'mail' : 'zoho';
    // A copy that went before the mail does not stand for the original that goes with it.
    const instead = async (tx: Tx) => {
      const sent = await findSentPrint(tx, receiptId);
      return sent &&
        (sent.number === 0 || wentWith === 'zoho' || (await readChoice(tx, receiptId)).hasOriginal)
        ? sent
        : null;
    };
    const known = await ctx.transaction(instead);
    return (
      known ??
      (
        await makePrint(ports, ctx, {
          receiptId,
          paper: 'a4',
          as: wentWith,
          wish: 'read',
          wentWith,
          instead,
        })
      ).print
    );
  };

export type PrintTogether = (
  ctx: Context,
  receiptIds: string[],
  paper: PaperSize,
  original: boolean | undefined,
) => Promise<Buffer>;

/** A print of each, recorded like any other, in one file; all of them or none. */
export const printTogether =
  (ports: Ports): PrintTogether =>
  async (ctx, receiptIds, paper, original) => {
    // Asked for in bulk, originals go to those that have none yet, and the others are copies: it is
    // said on each.
    const wish: Wish = original === undefined ? 'read' : original ? 'original' : 'copy';
    const ids = [...new Set(receiptIds)];
    for (;;) {
      const at = ports.clock.now();
      const planned = await ctx.transaction(async (tx) => {
        const all: Planned[] = [];
        for (const receiptId of ids)
          all.push(await plan(ports, tx, { receiptId, paper, wish }, at));
        return all;
      });
      const pdfs: Buffer[] = [];
      for (const each of planned)
        pdfs.push(await ports.draw(ctx.businessId, [each.drawn], paper, at));
      const together = await ports.draw(
        ctx.businessId,
        planned.map(({ drawn }) => drawn),
        paper,
        at,
      );
      const isRecorded = await ctx.transaction(async (tx) => {
        // Always locked in the same order, so that two who print the same receipts do not wait for
        // each other in a ring.
        const order = planned
          .map((each, i) => ({ ...each, pdf: pdfs[i] as Buffer }))
          .sort((a, b) => (a.receipt.id < b.receipt.id ? -1 : 1));
        for (const each of order) await lockReceipt(tx, each.receipt.id);
        for (const each of order) if (!(await stillHolds(tx, each, paper, wish))) return false;
        for (const each of order)
          await recordPrint(ports, tx, ctx, each, { paper, wentWith: null, pdf: each.pdf, at });
        return true;
      });
      if (isRecorded) return together;
    }
  };

export type DrawTraining = (
  ctx: Context,
  branding: Partial<Branding>,
  paper: PaperSize,
) => Promise<Buffer>;

/**
 * A training receipt with an invented sale and the business's branding: to look at, never stored,
 * nothing asked of a device.
 */
export const drawTraining =
  (ports: Ports): DrawTraining =>
  async (ctx, branding, size) => {
    const business = await ctx.transaction((tx) => getBusiness(tx));
    const dialect = ports.dialects.all().find((each) => each.country === business.country);
    if (!dialect) throw new AppError('device_missing');
    const at = ports.clock.now();
    const sale = trainingSale(dialect.currency, dialect.nonVatClass, at);
    const rates = Object.fromEntries(dialect.taxClasses.map((each) => [each.code, each.percent]));
    const paper = layOutTraining({
      at,
      sale,
      totals: dialect.totals(sale.lines, rates, 'lines'),
      label: 'TS',
      isCopy: false,
      isTest: false,
      invoiceNumber: '0',
      branding: { ...business.branding, ...branding },
      branchAddress: '',
      taxpayerId: business.taxpayerId,
      branchCode: '00',
      originalReceipt: null,
      reversedInvoiceNumber: null,
      paymentName: 'Cash',
      reasonName: null,
      localTime: (moment) => ports.localTime(moment, dialect.timeZone),
      grouped: dialect.grouped,
      version: ports.version,
    });
    return ports.draw(ctx.businessId, [paper], size, at);
  };

function trainingSale(currency: string, taxClass: string, at: Date): Sale {
  const content = {
    name: 'Training item',
    itemClass: '',
    itemType: '2',
    packageUnit: 'NT',
    quantityUnit: 'U',
    origin: 'RW',
    taxClass,
  };
  const line = {
    source: 'training',
    itemCode: '',
    name: 'Training item',
    content,
    unitPrice: '1180.00',
    discountRate: '0',
    discount: '0',
    taxClass,
  };
  return {
    kind: 'sale',
    documentNumber: 'TRAINING',
    documentDate: at.toISOString().slice(0, 10),
    customerId: '',
    buyer: { name: 'Training buyer', taxpayerId: null, purchaseCode: null, mobile: null },
    paymentMethod: '01',
    reasonCode: null,
    currency,
    foreign: null,
    lines: [{ ...line, quantity: '2', gross: '2360.00', total: '2360.00' }],
    total: '2360.00',
  };
}

type MakeAsk = {
  receiptId: string;
  paper: PaperSize;
  /** What it goes out as; the paper itself unless said otherwise. */
  as?: OriginalPaper;
  wish: Wish;
  wentWith?: Print['wentWith'];
  forBrowser?: boolean;
  /**
   * Under the receipt's lock, before anything is recorded: a print that is there already and does
   * instead.
   */
  instead?(tx: Tx): Promise<Print | null>;
  /** With what is recorded, in the same transaction. */
  claim?(tx: Tx): Promise<void>;
};

type Planned = { receipt: Receipt; isCopy: boolean; drawn: ReceiptLayout };

/**
 * A print is planned, drawn and recorded: drawing takes long, so that nothing is locked meanwhile.
 * Where the original has gone by then, it is drawn once more as what it has become, a copy; that
 * happens once at the most.
 */
async function makePrint(ports: Ports, ctx: Context, ask: MakeAsk): Promise<RedeemedLink> {
  for (;;) {
    const at = ports.clock.now();
    const planned = await ctx.transaction((tx) => plan(ports, tx, ask, at));
    const forBrowser = ask.forBrowser
      ? await ports.drawForBrowser(ctx.businessId, planned.drawn, ask.paper, at)
      : null;
    const pdf = forBrowser
      ? Buffer.from(forBrowser.pdf)
      : await ports.draw(ctx.businessId, [planned.drawn], ask.paper, at);
    const print = await ctx.transaction(async (tx) => {
      await lockReceipt(tx, ask.receiptId);
      const instead = await ask.instead?.(tx);
      if (instead) return instead;
      if (!(await stillHolds(tx, planned, ask.as ?? ask.paper, ask.wish))) return null;
      await ask.claim?.(tx);
      const { paper, wentWith = null } = ask;
      return recordPrint(ports, tx, ctx, planned, { paper, wentWith, pdf, at });
    });
    if (print) return { print, documentNumber: planned.receipt.documentNumber, forBrowser };
  }
}

async function plan(
  ports: Ports,
  tx: Tx,
  ask: Pick<MakeAsk, 'receiptId' | 'paper' | 'as' | 'wish'>,
  at: Date,
): Promise<Planned> {
  const receipt = await signedReceipt(tx, ask.receiptId);
  const isCopy = !isOriginal(ask.wish, ask.as ?? ask.paper, await readChoice(tx, ask.receiptId));
  return { receipt, isCopy, drawn: await paperOf(ports, tx, receipt, isCopy, at) };
}

const stillHolds = async (
  tx: Tx,
  planned: Planned,
  as: OriginalPaper,
  wish: Wish,
): Promise<boolean> =>
  isOriginal(wish, as, await readChoice(tx, planned.receipt.id)) === !planned.isCopy;

/**
 * Each print is kept with its bytes for good: of one receipt, more within an hour is a program that
 * goes round in a circle.
 */
const printsAnHour = 60;
const hourMs = 3_600_000;

async function recordPrint(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  { receipt, isCopy }: Planned,
  made: Pick<Print, 'paper' | 'wentWith' | 'pdf'> & { at: Date },
): Promise<Print> {
  const { paper, wentWith, pdf, at } = made;
  if ((await countPrintsSince(tx, receipt.id, new Date(at.getTime() - hourMs))) >= printsAnHour)
    throw new AppError('rate_limited', { retry_after_s: 600 });
  const number = isCopy ? await nextCopyNumber(tx, receipt.id) : 0;
  const print: Print = {
    id: ports.newId('print'),
    receiptId: receipt.id,
    number,
    paper,
    wentWith,
    pdf,
    printedAt: at,
  };
  await insertPrint(tx, ctx.businessId, { ...print, printedBy: ctx.actor.id });
  const after = { number, paper, ...(wentWith ? { went_with: wentWith } : {}) };
  await ports.record(tx, ctx, {
    action: isCopy ? 'receipt.copied' : 'receipt.printed',
    subject: receipt.id,
    after,
  });
  return print;
}

async function signedReceipt(tx: Tx, id: string): Promise<Receipt> {
  const receipt = await findReceipt(tx, id);
  if (!receipt) throw new AppError('not_found');
  // No receipt of any kind while unsigned.
  if (!receipt.signature) throw new AppError('not_signed', { state: receipt.state });
  return receipt;
}

/**
 * When the bytes that were signed were frozen, as they themselves tell the device; what was refused
 * before may have had the same number, and another time.
 */
function frozenAt(attempts: StoredAttempt[], receipt: Receipt): Date | undefined {
  const own = attempts.filter((attempt) => attempt.invoiceNumber === receipt.invoiceNumber);
  const signing = own.find(
    (attempt) => attempt.outcome === 'signed' || attempt.settled === 'signed',
  );
  return own.find((attempt) => !signing || attempt.request === signing.request)?.startedAt;
}

async function paperOf(
  ports: Ports,
  tx: Tx,
  receipt: Receipt,
  isCopy: boolean,
  at: Date,
): Promise<ReceiptLayout> {
  const business = await getBusiness(tx);
  const device = await findDevice(tx, receipt.deviceId);
  const lists = await readLists(tx, receipt.deviceId);
  const dialect = ports.dialects.of(receipt.dialect);
  const attempts = await listAttempts(tx, receipt.id, at);
  const { sale, filing } = receipt.filed;
  const name = (list: string, code: string | null) =>
    lists[list]?.find((each) => each.code === code)?.name ?? code ?? '';
  const signature = receipt.signature as NonNullable<Receipt['signature']>;
  return layOut({
    sale,
    totals: dialect.totals(sale.lines, filing.rates, filing.headerTax),
    signature,
    label: dialect.label(sale.kind, isCopy),
    isCopy,
    isTest: receipt.environment === 'sandbox',
    invoiceNumber: receipt.invoiceNumber ?? '',
    verification: signature.verificationUrl,
    branding: business.branding,
    branchAddress: device?.branchAddress ?? '',
    taxpayerId: filing.device.taxpayerId,
    branchCode: filing.device.branchCode,
    originalReceipt: filing.originalReceipt,
    originalSdcId: filing.originalSdcId ?? null,
    reversedInvoiceNumber: filing.reverses?.invoiceNumber ?? null,
    paymentName: name('payment_method', sale.paymentMethod),
    reasonName: sale.reasonCode ? name('reason', sale.reasonCode) : null,
    localTime: (moment) => ports.localTime(moment, dialect.timeZone),
    grouped: dialect.grouped,
    frozenAt: frozenAt(attempts, receipt) ?? signature.signedAt,
    version: ports.version,
  });
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
