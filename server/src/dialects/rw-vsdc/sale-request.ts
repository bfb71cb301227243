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
import { stamp14, stamp8 } from '../../dialect-kit/dates.ts';
import { cut, number } from '../../dialect-kit/envelope.ts';
import { inclusiveTotals } from '../../dialect-kit/inclusive-totals.ts';
import type { Sale, SaleLine, Totals } from '../../model/sale.model.ts';
import type { NumberedTerms } from '../../ports/dialect/index.ts';
import { classes, timeZone } from './taxes.ts';
import { userOf } from './user.ts';

/**
 * `saveSales` for a sale or a refund (VSDC v1.0.5: header, receipt object, lines). Amounts are
 * positive also for a refund.
 */
export function toBody(sale: Sale, terms: NumberedTerms): string {
  const totals = inclusiveTotals(sale.lines, terms.rates, classes, terms.headerTax);
  const lines = sale.lines.map(terms.demands?.includes('exact_supply') ? exactly : priced);
  return JSON.stringify({
    ...headerOf(sale, terms),
    ...totalsOf(totals),
    prchrAcptcYn: 'N',
    remark: cut(sale.documentNumber, 400) || null,
    ...userOf(terms.user),
    receipt: receiptOf(sale, terms),
    itemList: lines.map((line, index) => lineOf(line, index, totals)),
  });
}

/** Numbers, buyer, kind and moments, as far as the count of the lines. */
function headerOf(sale: Sale, terms: NumberedTerms) {
  const now = stamp14(terms.at, timeZone);
  const isRefund = sale.kind === 'refund';
  return {
    tin: terms.device.taxpayerId,
    bhfId: terms.device.branchCode,
    invcNo: number(terms.invoiceNumber),
    orgInvcNo: number(terms.originalInvoiceNumber ?? '0'),
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
  };
}

/** Every class in the authority's order, used or not, then the sums. */
const totalsOf = (totals: Totals) => ({
  ...Object.fromEntries([
    ...totals.byClass.map((each) => [`taxblAmt${each.taxClass}`, number(each.taxable)]),
    ...totals.byClass.map((each) => [`taxRt${each.taxClass}`, number(each.rate)]),
    ...totals.byClass.map((each) => [`taxAmt${each.taxClass}`, number(each.tax)]),
  ]),
  totTaxblAmt: number(totals.taxable),
  totTaxAmt: number(totals.tax),
  totAmt: number(totals.total),
});

const receiptOf = ({ buyer }: Sale, { invoiceNumber, seller }: NumberedTerms) => ({
  custTin: buyer.taxpayerId,
  custMblNo: buyer.mobile === null ? null : cut(buyer.mobile, 20),
  rptNo: number(invoiceNumber),
  trdeNm: cut(seller.tradeName, 20),
  adrs: cut(seller.address, 200),
  topMsg: cut(seller.topMessage, 20),
  btmMsg: cut(seller.bottomMessage, 20),
  prchrAcptcYn: 'N',
});

const lineOf = (line: SaleLine, index: number, totals: Totals) => ({
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
});

const cent = '0.01';

/** A thousand at 0.001 have an amount, and a price that the wire cannot say. */
const hasLostPrice = (line: SaleLine): boolean => isZero(line.unitPrice) && !isZero(line.gross);

/** A price of nothing beside an amount would be untrue whatever a device makes of it. */
const priced = (line: SaleLine): SaleLine => (hasLostPrice(line) ? exactly(line) : line);

/**
 * A line whose price times quantity is its amount to the cent: the price is rounded up to what the
 * wire can say, and what that is too much is its discount. What is paid stays what it is.
 */
function exactly(line: SaleLine): SaleLine {
  const product = multiply(line.unitPrice, line.quantity);
  if (!hasLostPrice(line) && compare(absolute(subtract(product, line.gross)), cent) <= 0)
    return line;
  const unitPrice = compare(product, line.gross) < 0 ? add(line.unitPrice, cent) : line.unitPrice;
  const gross = round(multiply(unitPrice, line.quantity), 2);
  const discount = round(subtract(gross, line.total), 2);
  const rate = multiplyDivide(discount, '100', gross, 2);
  return { ...line, unitPrice, gross, discount, discountRate: isZero(rate) ? cent : rate };
}
