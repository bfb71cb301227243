import type { Recorder } from '../../audit/index.ts';
import { findDevice } from '../../branches/index.ts';
import { getBusiness } from '../../businesses/index.ts';
import { readLists } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import { listAttempts, type StoredAttempt } from '../receipt/attempt.store.ts';
import {
  isOriginal,
  type OriginalPaper,
  type PaperSize,
  type Wish,
} from '../receipt/original-print.model.ts';
import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { shownPrices } from '../sale/printed-price.model.ts';
import {
  countPrintsSince,
  insertPrint,
  nextCopyNumber,
  type Print,
  readChoice,
} from './print.store.ts';
import type { ForBrowser } from './receipt-pdf.ts';
import { findReceipt, lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export type Ports = {
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
  version: string;
};

export type RedeemedLink = { print: Print; documentNumber: string; forBrowser: ForBrowser | null };

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

export type Planned = { receipt: Receipt; isCopy: boolean; drawn: ReceiptLayout };

/**
 * A print is planned, drawn and recorded: drawing takes long, so that nothing is locked meanwhile.
 * Where the original has gone by then, it is drawn once more as what it has become, a copy; that
 * happens once at the most.
 */
export async function makePrint(ports: Ports, ctx: Context, ask: MakeAsk): Promise<RedeemedLink> {
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

export async function plan(
  ports: Ports,
  tx: Tx,
  ask: Pick<MakeAsk, 'receiptId' | 'paper' | 'as' | 'wish'>,
  at: Date,
): Promise<Planned> {
  const receipt = await signedReceipt(tx, ask.receiptId);
  const isCopy = !isOriginal(ask.wish, ask.as ?? ask.paper, await readChoice(tx, ask.receiptId));
  return { receipt, isCopy, drawn: await paperOf(ports, tx, receipt, isCopy, at) };
}

export const stillHolds = async (
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

export async function recordPrint(
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

export async function signedReceipt(tx: Tx, id: string): Promise<Receipt> {
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
    (attempt) => attempt.outcome === 'signed' || attempt.resolution === 'signed',
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
  const { sale, terms } = receipt.filed;
  const name = (list: string, code: string | null) =>
    lists[list]?.find((each) => each.code === code)?.name ?? code ?? '';
  const signature = receipt.signature as NonNullable<Receipt['signature']>;
  const totals = dialect.sales.totals(sale.lines, terms.rates, terms.headerTax);
  return dialect.print.layOut({
    mode: isCopy ? 'copy' : 'original',
    isTest: receipt.environment === 'sandbox',
    sale,
    totals,
    prices: shownPrices(sale, totals),
    signature,
    verification: signature.verificationUrl,
    invoiceNumber: receipt.invoiceNumber ?? '',
    branding: business.branding,
    branchAddress: device?.branchAddress ?? '',
    taxpayerId: terms.device.taxpayerId,
    originalReceipt: terms.originalReceipt,
    originalSdcId: terms.originalSdcId ?? null,
    reversedInvoiceNumber: terms.reverses?.invoiceNumber ?? null,
    paymentName: name('payment_method', sale.paymentMethod),
    reasonName: sale.reasonCode ? name('reason', sale.reasonCode) : null,
    frozenAt: frozenAt(attempts, receipt) ?? signature.signedAt,
    version: ports.version,
  });
}
