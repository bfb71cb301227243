import { createHash, randomBytes } from 'node:crypto';
import type { Recorder } from '../audit/index.ts';
import { findDevice } from '../branches/index.ts';
import { type Branding, getBusiness } from '../businesses/index.ts';
import { readLists } from '../catalogue/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Dialects } from '../ports/dialect.ts';
import { listAttempts } from './lane.store.ts';
import { layOut, layOutTraining, type Paper } from './paper.model.ts';
import { findLatestPrint, insertPrint, nextPrintNumber, type Print, takeByLink } from './print.store.ts';
import { lockReceipt, type Receipt } from './receipt.store.ts';
import type { Sale } from './sale.model.ts';

type Ports = {
  dialects: Dialects;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  /** Prints are drawn inside their transaction: only a few at a time may hold a connection and the thread. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  draw(paper: Paper, size: Print['paper'], at: Date): Promise<Buffer>;
  drawAll(papers: Paper[], at: Date): Promise<Buffer>;
  localTime(at: Date, timeZone: string): { date: string; time: string };
  version: string;
};

const linkMs = 5 * 60_000;

export type PrintReceipt = (ctx: Context, receiptId: string, paper: Print['paper']) => Promise<{ print: Print; link: string; until: Date }>;

/** Records a print and answers a short-lived single-use link to it. The first print is the original, every later one a numbered copy. */
export const printReceipt =
  (ports: Ports): PrintReceipt =>
  async (ctx, receiptId, paper) => {
    const secret = randomBytes(24).toString('base64url');
    const until = new Date(ports.clock.now().getTime() + linkMs);
    const { print } = await ports.inTurn(() => ctx.transaction((tx) => makePrint(ports, tx, ctx, receiptId, paper, { hash: hashOf(secret), until })));
    return { print, link: `${ctx.businessId}.${secret}`, until };
  };

export type ReadPdf = (ctx: Context, receiptId: string, paper: Print['paper']) => Promise<Print>;

/** The latest print on that paper, byte for byte, counting nothing; where there is none, one is made. */
export const readPdf =
  (ports: Ports): ReadPdf =>
  async (ctx, receiptId, paper) =>
    (await ctx.transaction((tx) => findLatestPrint(tx, receiptId, paper))) ??
    ports.inTurn(() =>
      ctx.transaction(async (tx) => {
        // Whoever asks at the same moment waits here and gets that print, instead of a copy nobody asked for.
        await lockReceipt(tx, receiptId);
        return (await findLatestPrint(tx, receiptId, paper)) ?? (await makePrint(ports, tx, ctx, receiptId, paper, null)).print;
      }),
    );

export type PrintTogether = (ctx: Context, receiptIds: string[]) => Promise<Buffer>;

/** A print of each, recorded like any other, in one file; all of them or none. */
export const printTogether =
  (ports: Ports): PrintTogether =>
  (ctx, receiptIds) =>
    ports.inTurn(() =>
      ctx.transaction(async (tx) => {
        const papers: Paper[] = [];
        for (const id of new Set(receiptIds)) papers.push((await makePrint(ports, tx, ctx, id, 'a4', null)).drawn);
        return ports.drawAll(papers, ports.clock.now());
      }),
    );

export type OpenLink = (link: string, contextOf: (businessId: string) => Context) => Promise<Print>;

/** What a link leads to, once. The link names its business, so that it opens the ordinary door. */
export const openLink =
  (ports: { clock: Clock }): OpenLink =>
  async (link, contextOf) => {
    const match = /^(biz_[0-9a-f]{32})\.([A-Za-z0-9_-]{32})$/.exec(link);
    if (!match) throw new AppError('not_found');
    const [, businessId, secret] = match as unknown as [string, string, string];
    const print = await contextOf(businessId).transaction((tx) => takeByLink(tx, hashOf(secret), ports.clock.now()));
    if (!print) throw new AppError('not_found');
    return print;
  };

export type DrawTraining = (ctx: Context, branding: Partial<Branding>, paper: Print['paper']) => Promise<Buffer>;

/** A training receipt with an invented sale and the business's branding: to look at, never stored, nothing asked of a device. */
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
      copyNumber: 0,
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
    return ports.inTurn(() => ports.draw(paper, size, at));
  };

function trainingSale(currency: string, taxClass: string, at: Date): Sale {
  const content = { name: 'Training item', itemClass: '', itemType: '2', packageUnit: 'NT', quantityUnit: 'U', origin: 'RW', taxClass };
  const line = { source: 'training', itemCode: '', name: 'Training item', content, unitPrice: '1180.00', discountRate: '0', discount: '0', taxClass };
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

async function makePrint(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  receiptId: string,
  size: Print['paper'],
  link: { hash: string; until: Date } | null,
): Promise<{ print: Print; drawn: Paper }> {
  const receipt = await lockReceipt(tx, receiptId);
  if (!receipt) throw new AppError('not_found');
  // No receipt of any kind while unsigned.
  if (!receipt.signature) throw new AppError('not_signed', { state: receipt.state });
  const number = await nextPrintNumber(tx, receiptId);
  const at = ports.clock.now();
  const drawn = await paperOf(ports, tx, receipt, number, at);
  const pdf = await ports.draw(drawn, size, at);
  const print: Print = { id: ports.newId('print'), receiptId, number, paper: size, pdf, printedAt: at };
  await insertPrint(tx, ctx.businessId, { ...print, printedBy: ctx.actor.id, linkHash: link?.hash ?? null, linkUntil: link?.until ?? null });
  await ports.record(tx, ctx, { action: number === 0 ? 'receipt.printed' : 'receipt.copied', subject: receiptId, after: { number, paper: size } });
  return { print, drawn };
}

async function paperOf(ports: Ports, tx: Tx, receipt: Receipt, copyNumber: number, at: Date): Promise<Paper> {
  const business = await getBusiness(tx);
  const device = await findDevice(tx, receipt.deviceId);
  const lists = await readLists(tx, receipt.deviceId);
  const dialect = ports.dialects.of(receipt.dialect);
  const attempts = await listAttempts(tx, receipt.id, at);
  const { sale, filing } = receipt.filed;
  const name = (list: string, code: string | null) => lists[list]?.find((each) => each.code === code)?.name ?? code ?? '';
  const signature = receipt.signature as NonNullable<Receipt['signature']>;
  return layOut({
    sale,
    totals: dialect.totals(sale.lines, filing.rates, filing.headerTax),
    signature,
    label: dialect.label(sale.kind, copyNumber > 0),
    copyNumber,
    isTest: receipt.environment === 'sandbox',
    invoiceNumber: receipt.invoiceNumber ?? '',
    verification: signature.verificationUrl,
    branding: business.branding,
    branchAddress: device?.branchAddress ?? '',
    taxpayerId: filing.device.taxpayerId,
    branchCode: filing.device.branchCode,
    originalReceipt: filing.originalReceipt,
    reversedInvoiceNumber: filing.reverses?.invoiceNumber ?? null,
    paymentName: name('payment_method', sale.paymentMethod),
    reasonName: sale.reasonCode ? name('reason', sale.reasonCode) : null,
    localTime: (moment) => ports.localTime(moment, dialect.timeZone),
    grouped: dialect.grouped,
    frozenAt: attempts.find((attempt) => attempt.invoiceNumber === receipt.invoiceNumber)?.startedAt ?? signature.signedAt,
    version: ports.version,
  });
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
