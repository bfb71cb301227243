import {
  absolute,
  add,
  compare,
  isZero,
  multiply,
  multiplyDivide,
  round,
  subtract,
} from '@muhuri/shared/money';
import { code } from '@muhuri/shared/text';
import { z } from 'zod';
import {
  counterOf,
  cut,
  number,
  parseExactly,
  readEnvelope,
  saidOf,
} from '../../dialect-kit/envelope.ts';
import { momentOf, stamp14, stamp8 } from '../../dialect-kit/dates.ts';
import { inclusiveTotals } from '../../dialect-kit/inclusive-totals.ts';
import type { DeviceAnswer, FrozenTerms, SaleReply } from '../../ports/dialect.ts';
import type { Sale, Signature } from '../../model/sale.model.ts';
import { meaningOf } from './codes.ts';
import { taxClasses, timeZone } from './taxes.ts';

const classes = taxClasses.map((each) => each.code);

/**
 * `saveSales` for a sale or a refund (VSDC v1.0.5: header, receipt object, lines). Amounts are
 * positive also for a refund.
 */
export function toBody(sale: Sale, freeze: FrozenTerms): string {
  const totals = inclusiveTotals(sale.lines, freeze.rates, classes, freeze.headerTax);
  const now = stamp14(freeze.at, timeZone);
  const user = {
    regrId: cut(freeze.user.id, 20),
    regrNm: cut(freeze.user.name, 60),
    modrId: cut(freeze.user.id, 20),
    modrNm: cut(freeze.user.name, 60),
  };
  const perClass = Object.fromEntries([
    ...totals.byClass.map((each) => [`taxblAmt${each.taxClass}`, number(each.taxable)]),
    ...totals.byClass.map((each) => [`taxRt${each.taxClass}`, number(each.rate)]),
    ...totals.byClass.map((each) => [`taxAmt${each.taxClass}`, number(each.tax)]),
  ]);
  const isRefund = sale.kind === 'refund';
  const body = {
    tin: freeze.device.taxpayerId,
    bhfId: freeze.device.branchCode,
    invcNo: number(freeze.invoiceNumber),
    orgInvcNo: number(freeze.originalInvoiceNumber ?? '0'),
    custTin: sale.buyer.taxpayerId,
    prcOrdCd: sale.buyer.purchaseCode,
    custNm: cut(sale.buyer.name, 60) || null,
    salesTyCd: 'N',
    rcptTyCd: isRefund ? 'R' : 'S',
    pmtTyCd: sale.paymentMethod,
    salesSttsCd: '02',
    cfmDt: now,
    salesDt: stamp8(sale.documentDate),
    stockRlsDt: now,
    cnclReqDt: null,
    cnclDt: null,
    rfdDt: isRefund ? now : null,
    rfdRsnCd: isRefund ? sale.reasonCode : null,
    totItemCnt: sale.lines.length,
    ...perClass,
    totTaxblAmt: number(totals.taxable),
    totTaxAmt: number(totals.tax),
    totAmt: number(totals.total),
    prchrAcptcYn: 'N',
    remark: cut(sale.documentNumber, 400) || null,
    ...user,
    receipt: {
      custTin: sale.buyer.taxpayerId,
      custMblNo: sale.buyer.mobile === null ? null : cut(sale.buyer.mobile, 20),
      rptNo: number(freeze.invoiceNumber),
      trdeNm: cut(freeze.seller.tradeName, 20),
      adrs: cut(freeze.seller.address, 200),
      topMsg: cut(freeze.seller.topMessage, 20),
      btmMsg: cut(freeze.seller.bottomMessage, 20),
      prchrAcptcYn: 'N',
    },
    itemList: sale.lines
      .map(freeze.demands?.includes('exact_supply') ? exactly : priced)
      .map((line, index) => ({
        itemSeq: index + 1,
        itemCd: line.itemCode,
        itemClsCd: line.content.itemClass,
        itemNm: cut(line.name, 200),
        bcd: null,
        pkgUnitCd: line.content.packageUnit,
        pkg: 1,
        qtyUnitCd: line.content.quantityUnit,
        qty: number(line.quantity),
        prc: number(line.unitPrice),
        splyAmt: number(line.gross),
        dcRt: number(line.discountRate),
        dcAmt: number(line.discount),
        isrccCd: null,
        isrccNm: null,
        isrcRt: null,
        isrcAmt: null,
        taxTyCd: line.taxClass,
        taxblAmt: number(totals.lines[index]?.taxable ?? '0'),
        taxAmt: number(totals.lines[index]?.tax ?? '0'),
        totAmt: number(line.total),
      })),
  };
  return JSON.stringify(body);
}

const cent = '0.01';

/** A thousand at 0.001 have an amount, and a price that the wire cannot say. */
const hasLostPrice = (line: Sale['lines'][number]): boolean =>
  isZero(line.unitPrice) && !isZero(line.gross);

/** A price of nothing beside an amount would be untrue whatever a device makes of it. */
const priced = (line: Sale['lines'][number]): Sale['lines'][number] =>
  hasLostPrice(line) ? exactly(line) : line;

/**
 * A line whose price times quantity is its amount to the cent: the price is rounded up to what the
 * wire can say, and what that is too much is its discount. What is paid stays what it is.
 */
function exactly(line: Sale['lines'][number]): Sale['lines'][number] {
  const product = multiply(line.unitPrice, line.quantity);
  if (!hasLostPrice(line) && compare(absolute(subtract(product, line.gross)), cent) <= 0)
    return line;
  const unitPrice = compare(product, line.gross) < 0 ? add(line.unitPrice, cent) : line.unitPrice;
  const gross = round(multiply(unitPrice, line.quantity), 2);
  const discount = round(subtract(gross, line.total), 2);
  const rate = multiplyDivide(discount, '100', gross, 2);
  return { ...line, unitPrice, gross, discount, discountRate: isZero(rate) ? cent : rate };
}

const counter = z
  .union([z.string(), z.number()])
  .transform(counterOf)
  .pipe(z.string().regex(/^[1-9]\d{0,17}$/));

const coded = z.string().transform(code).pipe(z.string().min(1));

const zoned = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?\s*(Z|[+-]\d\d:\d\d)$/i;

/**
 * The moment that fourteen digits name in the country, however they are set apart; a fraction of a
 * second behind them says nothing.
 */
function momentIn(said: string | number): Date | null {
  const text = counterOf(said);
  const [, day, time, zone] = zoned.exec(text) ?? zoned.exec(String(said).trim()) ?? [];
  // Where a zone stands beside it, it is that one's time and not the country's.
  if (zone) return existing(new Date(`${day}T${time}${zone}`));
  const digits = text.replace(/\D/g, '');
  return momentOf(
    digits.length === 14 ? digits : text.replace(/[.,]\d{1,9}\s*$/, '').replace(/\D/g, ''),
    timeZone,
  );
}
const existing = (at: Date): Date | null => (Number.isNaN(at.getTime()) ? null : at);

/** The data of a signed sale. `mrcNo` is padded with blanks by some devices. */
const signed = z.looseObject({
  rcptNo: counter,
  totRcptNo: counter,
  intrlData: coded,
  rcptSign: coded,
  vsdcRcptPbctDate: z.union([z.string(), z.number()]).transform(momentIn),
  sdcId: coded,
  mrcNo: coded,
});

export function read(answer: DeviceAnswer, isResend: boolean): SaleReply {
  const envelope = readEnvelope(answer);
  if (!envelope) return { is: 'in_doubt', ...saidOf(answer) };
  const said = { deviceCode: envelope.code, deviceText: envelope.text };
  const meaning = meaningOf(envelope.code, envelope.text, isResend);
  const signature = signatureIn(envelope.data);
  // Refused and signed at once: whichever is true, it is not known which.
  if (signature && (meaning.is === 'refused' || meaning.is === 'not_served'))
    return { is: 'in_doubt', ...said };
  if (meaning.is !== 'signed') return { ...meaning, ...said };
  // A success without its receipt data has been seen on a sister system: it is not known what was
  // signed.
  return signature ? { is: 'signed', signature } : { is: 'in_doubt', ...said };
}

/** Some programs put an object into another as the text of its JSON. */
const unpacked = (value: unknown): unknown =>
  typeof value === 'string' && value.trim().startsWith('{') ? parseExactly(value) : value;

function signatureIn(value: unknown): Signature | null {
  const data = signed.safeParse(unpacked(value));
  const signedAt = data.success ? data.data.vsdcRcptPbctDate : null;
  if (!data.success || !signedAt) return null;
  const { rcptNo, totRcptNo, intrlData, rcptSign, sdcId, mrcNo } = data.data;
  return {
    receiptNumber: rcptNo,
    totalReceiptNumber: totRcptNo,
    internalData: intrlData,
    receiptSignature: rcptSign,
    sdcId,
    mrcNumber: mrcNo,
    signedAt,
  };
}

/**
 * Under any status and any code, in the envelope or without one, with words of a proxy around it:
 * the one object that holds all of a receipt's data.
 */
export function find(answer: DeviceAnswer): Signature | null {
  const { body } = answer;
  const within = (given: unknown, depth: number): Signature | null => {
    const value = unpacked(given);
    if (typeof value !== 'object' || value === null || depth > 4) return null;
    const own = signatureIn(value);
    if (own) return own;
    for (const each of Object.values(value)) {
      const found = within(each, depth + 1);
      if (found) return found;
    }
    return null;
  };
  return within(
    parseExactly(body) ?? parseExactly(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)),
    0,
  );
}
