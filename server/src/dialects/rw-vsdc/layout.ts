import {
  add,
  type Amount,
  compare,
  decimalsOf,
  grouped,
  isZero,
  negate,
  round,
  trimmed,
} from '@muhuri/shared/money';
import { localTime } from '../../dialect-kit/dates.ts';
import type { LayoutInput, LayoutRow, ReceiptLayout } from '../../model/receipt-layout.model.ts';
import type { Sale, SaleLine, Totals } from '../../model/sale.model.ts';
import { labelOf } from './print.ts';
import { timeZone } from './taxes.ts';

const marks = { original: null, copy: 'COPY', training: 'TRAINING MODE' };

/**
 * Lays a receipt out as RRA, CIS for VSDC §5 to §15 want it. A refund shows a minus before every
 * amount. Rates above zero always print, zero rates only where they are used. In training nothing
 * was asked of a device, so that there is no SDC block and no code.
 */
export function layOut(input: LayoutInput): ReceiptLayout {
  const { sale, totals, branding, mode } = input;
  const money = moneyOf(sale);
  const signed = signatureRows(input);
  const document = documentRows(input, money);
  return {
    mark: marks[mode],
    notOfficial: 'THIS IS NOT AN OFFICIAL RECEIPT',
    isTest: input.isTest,
    header: headerOf(input),
    accentColor: branding.accent_color,
    title: sale.kind === 'refund' ? 'REFUND' : 'SALES RECEIPT',
    refund: refundOf(input),
    topMessage: branding.top_message,
    buyer: buyerRows(sale.buyer),
    document,
    columns: { item: 'ITEM', price: 'PRICE x QUANTITY', amount: 'AMOUNT' },
    lines: sale.lines.map((line, index) => lineOf(line, input.prices[index], money)),
    totals: totalsOf(sale, totals, money),
    tender: [
      [input.paymentName.toUpperCase(), money(totals.total)],
      ['ITEMS NUMBER', String(sale.lines.length)],
    ],
    signature: { title: 'SDC INFORMATION', rows: signed.rows },
    code: input.verification,
    system: systemRows(input),
    footer: [
      ...(branding.bottom_message ? [branding.bottom_message] : []),
      `Muhuri ${input.version}`,
    ],
    pageNames: [sale.documentNumber, signed.number].filter((name) => name !== ''),
  };
}

type Money = (amount: Amount, places?: number) => string;

const moneyOf =
  ({ kind }: Sale): Money =>
  (amount, places = 2) =>
    grouped(round(kind === 'refund' ? negate(amount) : amount, Math.max(places, 2)));

const headerOf = ({ branding, branchAddress, taxpayerId }: LayoutInput) => ({
  logo: branding.logo,
  name: branding.trade_name,
  lines: [
    ...(branchAddress ? [branchAddress] : branding.address_lines),
    [branding.phone && `Tel: ${branding.phone}`, branding.email].filter(Boolean).join('  ·  '),
    ...branding.legal_lines,
  ].filter((line) => line !== ''),
  taxpayer: `TIN: ${taxpayerId}`,
});

const refundOf = (input: LayoutInput): ReceiptLayout['refund'] =>
  input.sale.kind === 'refund'
    ? {
        reference: referenceOf(input),
        note: ['REFUND IS APPROVED ONLY FOR', 'ORIGINAL SALES RECEIPT'],
      }
    : null;

/**
 * Names the sale of a refund. Where its own receipt number was lost with its answer, the number it
 * was sent under stands for it.
 */
function referenceOf(input: LayoutInput): string {
  const { originalReceipt, originalSdcId, reversedInvoiceNumber, signature } = input;
  if (reversedInvoiceNumber !== null)
    return `REF. NORMAL RECEIPT OF INVOICE#: ${reversedInvoiceNumber}`;
  const other = originalSdcId && originalSdcId !== signature?.sdcId ? ` OF ${originalSdcId}` : '';
  return `REF. NORMAL RECEIPT#: ${originalReceipt?.receiptNumber ?? ''}${other}`;
}

/** A row only where there is something to say. */
const rowIf = (label: string, value: string | null): LayoutRow[] => (value ? [[label, value]] : []);

const buyerRows = (buyer: Sale['buyer']): LayoutRow[] => [
  ...rowIf('Client ID', buyer.taxpayerId),
  ['Client name', buyer.name],
  ...rowIf('Mobile', buyer.mobile),
  ...rowIf('Purchase code', buyer.purchaseCode),
];

function documentRows(input: LayoutInput, money: Money): LayoutRow[] {
  const { sale, reversedInvoiceNumber, reasonName } = input;
  const isCreditNote = sale.kind === 'refund' && reversedInvoiceNumber === null;
  return [
    [isCreditNote ? 'Credit note' : 'Invoice', sale.documentNumber],
    ['Date', sale.documentDate.split('-').reverse().join('/')],
    ...rowIf('Reason', reasonName),
    ...foreignRows(sale, money),
  ];
}

function foreignRows({ foreign, currency }: Sale, money: Money): LayoutRow[] {
  if (!foreign) return [];
  const total = money(foreign.total, decimalsOf(trimmed(round(foreign.total, 6))));
  return [
    ['Amount in document currency', `${foreign.currency} ${total}`],
    ['Exchange rate', `1 ${foreign.currency} = ${foreign.exchangeRate} ${currency}`],
  ];
}

/** The exempt class has its own way of being written; a rate stands behind the others. */
const exempt = 'A';
const classOf = (taxClass: string) => (taxClass === exempt ? 'A-EX' : taxClass);
const classAndRate = (taxClass: string, rate: Amount) =>
  taxClass === exempt || isZero(rate) ? classOf(taxClass) : `${taxClass}-${round(rate, 2)}%`;

function lineOf(line: SaleLine, price: LayoutInput['prices'][number] | undefined, money: Money) {
  const { unitPrice, quantity } = price ?? line;
  const isDiscounted = !isZero(line.discount);
  return {
    name: line.name,
    detail: `${grouped(unitPrice)} x ${quantity}`,
    amount: `${money(isDiscounted ? line.gross : line.total)} ${classOf(line.taxClass)}`,
    discount: isDiscounted
      ? { label: `discount -${trimmed(line.discountRate)}%`, amount: money(line.total) }
      : null,
  };
}

function totalsOf(sale: Sale, totals: Totals, money: Money): ReceiptLayout['totals'] {
  const row = (label: string, amount: Amount, isStrong = false) => ({
    label,
    amount: money(amount),
    isStrong,
  });
  const isTaxed = (each: { rate: Amount }) => compare(each.rate, '0') > 0;
  const shown = totals.byClass.filter((each) => isTaxed(each) || !isZero(each.taxable));
  const discounts = sale.lines.map((line) => line.discount).filter((each) => !isZero(each));
  return [
    row(`TOTAL ${sale.currency}`, totals.total, true),
    ...shown.map((each) => row(`TOTAL ${classAndRate(each.taxClass, each.rate)}`, each.taxable)),
    ...shown.filter(isTaxed).map((each) => row(`TOTAL TAX ${each.taxClass}`, each.tax)),
    row('TOTAL TAX', totals.tax, true),
    ...(discounts.length > 0 ? [row('TOTAL DISCOUNTS', add('0', ...discounts))] : []),
  ];
}

/** What the device has signed, and the number that the receipt goes by. */
function signatureRows({ sale, signature, mode }: LayoutInput): {
  rows: LayoutRow[];
  number: string;
} {
  if (!signature) return { rows: [], number: '' };
  const label = labelOf(sale.kind, mode === 'copy');
  const number = `${signature.receiptNumber}/${signature.totalReceiptNumber} ${label}`;
  return {
    number,
    rows: [
      ['Date', momentOf(signature.signedAt)],
      ['SDC ID', signature.sdcId],
      ['RECEIPT NUMBER', number],
      ['Internal Data', inFours(signature.internalData)],
      ['Receipt Signature', inFours(signature.receiptSignature)],
    ],
  };
}

const systemRows = ({ invoiceNumber, frozenAt, signature }: LayoutInput): LayoutRow[] => [
  ['RECEIPT NUMBER', invoiceNumber],
  ['Date', momentOf(frozenAt)],
  ['MRC', signature?.mrcNumber ?? ''],
];

function momentOf(at: Date): string {
  const { date, time } = localTime(at, timeZone);
  return `${date}  Time: ${time}`;
}

export const inFours = (text: string) => (text.match(/.{1,4}/g) ?? []).join('-');
