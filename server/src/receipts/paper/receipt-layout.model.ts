import { add, type Amount, compare, grouped, isZero, negate, round } from '@muhuri/shared/money';
import type { Sale, SaleLine, Signature, Totals } from '../../model/sale.model.ts';
import { decimalsOf, shownPrice, trimmed } from '../sale/shown-price.model.ts';

/**
 * A receipt as it stands on paper, before anything is drawn: the authority's blocks in the
 * authority's order.
 */
export type ReceiptLayout = {
  /** `COPY` or `TRAINING MODE`, across the sheet; null on an original. */
  mark: string | null;
  /** What a sandbox device signs is no fiscal receipt, and every sheet says so. */
  isTest: boolean;
  header: { logo: string | null; name: string; lines: string[]; taxpayer: string };
  accentColor: string;
  title: string;
  refund: { reference: string } | null;
  topMessage: string;
  buyer: [label: string, value: string][];
  document: [label: string, value: string][];
  lines: {
    name: string;
    detail: string;
    amount: string;
    discount: { label: string; amount: string } | null;
  }[];
  totals: { label: string; amount: string; isStrong: boolean }[];
  tender: [label: string, value: string][];
  sdc: [label: string, value: string][];
  code: string;
  cis: [label: string, value: string][];
  footer: string[];
};

export type LayoutInput = {
  sale: Sale;
  totals: Totals;
  signature: Signature;
  label: string;
  isCopy: boolean;
  isTest: boolean;
  invoiceNumber: string;
  verification: string;
  branding: {
    trade_name: string;
    address_lines: string[];
    email: string | null;
    phone: string | null;
    accent_color: string;
    logo: string | null;
    legal_lines: string[];
    top_message: string;
    bottom_message: string;
  };
  branchAddress: string;
  taxpayerId: string;
  branchCode: string;
  originalReceipt: { receiptNumber: string; totalReceiptNumber: string; label: string } | null;
  /**
   * Of a refund: who signed its sale, where that was another device than the one that signs the
   * refund.
   */
  originalSdcId?: string | null;
  /** Of a refund that undoes a sale whose data were lost: the number that sale was signed under. */
  reversedInvoiceNumber: string | null;
  paymentName: string;
  reasonName: string | null;
  /** `dd/mm/yyyy` and `hh:mm:ss` in the country's zone. */
  localTime(at: Date): { date: string; time: string };
  grouped(text: string): string;
  frozenAt: Date;
  version: string;
};

/**
 * RRA, CIS for VSDC §5 to §15: a refund shows a minus before every amount; rates above zero always
 * print, zero rates only if used.
 */
export function layOut(ask: LayoutInput): ReceiptLayout {
  const { sale, totals, signature, branding } = ask;
  const isRefund = sale.kind === 'refund';
  const { isCopy } = ask;
  const money = (amount: Amount, places = 2) =>
    grouped(round(isRefund ? negate(amount) : amount, Math.max(places, 2)));
  const signed = ask.localTime(signature.signedAt);
  const frozen = ask.localTime(ask.frozenAt);
  const className = (taxClass: string, rate: Amount) =>
    taxClass === 'A' ? 'A-EX' : isZero(rate) ? taxClass : `${taxClass}-${round(rate, 2)}%`;
  const shownClasses = totals.byClass.filter(
    (each) => compare(each.rate, '0') > 0 || !isZero(each.taxable),
  );
  const discounts = sale.lines.filter((line) => !isZero(line.discount));
  const discountTotal = add('0', ...discounts.map((line) => line.discount));
  return {
    mark: isCopy ? 'COPY' : null,
    isTest: ask.isTest,
    header: {
      logo: branding.logo,
      name: branding.trade_name,
      lines: [
        ...(ask.branchAddress ? [ask.branchAddress] : branding.address_lines),
        [branding.phone && `Tel: ${branding.phone}`, branding.email].filter(Boolean).join('  ·  '),
        ...branding.legal_lines,
      ].filter((line) => line !== ''),
      taxpayer: `TIN: ${ask.taxpayerId}`,
    },
    accentColor: branding.accent_color,
    title: isRefund ? 'REFUND' : 'SALES RECEIPT',
    refund: isRefund ? { reference: referenceOf(ask) } : null,
    topMessage: branding.top_message,
    buyer: [
      ...(sale.buyer.taxpayerId ? [['Client ID', sale.buyer.taxpayerId] as [string, string]] : []),
      ['Client name', sale.buyer.name],
      ...(sale.buyer.mobile ? [['Mobile', sale.buyer.mobile] as [string, string]] : []),
      ...(sale.buyer.purchaseCode
        ? [['Purchase code', sale.buyer.purchaseCode] as [string, string]]
        : []),
    ],
    document: [
      [
        isRefund && ask.reversedInvoiceNumber === null ? 'Credit note' : 'Invoice',
        sale.documentNumber,
      ],
      ['Date', sale.documentDate.split('-').reverse().join('/')],
      ...(ask.reasonName ? [['Reason', ask.reasonName] as [string, string]] : []),
      ...(sale.foreign
        ? ([
            [
              'Amount in document currency',
              `${sale.foreign.currency} ${money(sale.foreign.total, decimalsOf(trimmed(round(sale.foreign.total, 6))))}`,
            ],
            [
              'Exchange rate',
              `1 ${sale.foreign.currency} = ${sale.foreign.exchangeRate} ${sale.currency}`,
            ],
          ] as [string, string][])
        : []),
    ],
    lines: sale.lines.map((line) => ({
      name: line.name,
      detail: detailOf(line, ask),
      amount: `${money(isZero(line.discount) ? line.total : line.gross)} ${line.taxClass === 'A' ? 'A-EX' : line.taxClass}`,
      discount: isZero(line.discount)
        ? null
        : { label: `discount -${trimmed(line.discountRate)}%`, amount: money(line.total) },
    })),
    totals: [
      { label: `TOTAL ${sale.currency}`, amount: money(totals.total), isStrong: true },
      ...shownClasses.map((each) => ({
        label: `TOTAL ${className(each.taxClass, each.rate)}`,
        amount: money(each.taxable),
        isStrong: false,
      })),
      ...shownClasses
        .filter((each) => compare(each.rate, '0') > 0)
        .map((each) => ({
          label: `TOTAL TAX ${each.taxClass}`,
          amount: money(each.tax),
          isStrong: false,
        })),
      { label: 'TOTAL TAX', amount: money(totals.tax), isStrong: true },
      ...(discounts.length > 0
        ? [{ label: 'TOTAL DISCOUNTS', amount: money(discountTotal), isStrong: false }]
        : []),
    ],
    tender: [
      [ask.paymentName.toUpperCase(), money(totals.total)],
      ['ITEMS NUMBER', String(sale.lines.length)],
    ],
    sdc: [
      ['Date', `${signed.date}  Time: ${signed.time}`],
      ['SDC ID', signature.sdcId],
      ['RECEIPT NUMBER', `${signature.receiptNumber}/${signature.totalReceiptNumber} ${ask.label}`],
      ['Internal Data', ask.grouped(signature.internalData)],
      ['Receipt Signature', ask.grouped(signature.receiptSignature)],
    ],
    code: ask.verification,
    cis: [
      ['RECEIPT NUMBER', ask.invoiceNumber],
      ['Date', `${frozen.date}  Time: ${frozen.time}`],
      ['MRC', signature.mrcNumber],
    ],
    footer: [
      ...(branding.bottom_message ? [branding.bottom_message] : []),
      `Muhuri ${ask.version}`,
    ],
  };
}

/**
 * A training receipt: nothing was asked of a device, so there is no SDC block and no code (RRA, CIS
 * for VSDC: TRAINING MODE).
 */
export function layOutTraining(
  ask: Omit<LayoutInput, 'signature' | 'verification' | 'frozenAt'> & { at: Date },
): ReceiptLayout {
  const nothing = {
    receiptNumber: '',
    totalReceiptNumber: '',
    internalData: '',
    receiptSignature: '',
    sdcId: '',
    mrcNumber: '',
    signedAt: ask.at,
  };
  return {
    ...layOut({ ...ask, signature: nothing, verification: '', frozenAt: ask.at }),
    mark: 'TRAINING MODE',
    sdc: [],
    code: '',
  };
}

/**
 * Where the sale's own receipt number was lost with its answer, the number it was sent under stands
 * for it.
 */
const referenceOf = (ask: LayoutInput) =>
  ask.reversedInvoiceNumber === null
    ? `REF. NORMAL RECEIPT#: ${ask.originalReceipt?.receiptNumber ?? ''}${ask.originalSdcId && ask.originalSdcId !== ask.signature.sdcId ? ` OF ${ask.originalSdcId}` : ''}`
    : `REF. NORMAL RECEIPT OF INVOICE#: ${ask.reversedInvoiceNumber}`;

function detailOf(line: SaleLine, { sale, totals }: Pick<LayoutInput, 'sale' | 'totals'>): string {
  const { rate: taxRate = '0' } =
    totals.byClass.find((each) => each.taxClass === line.taxClass) ?? {};
  const { quantity, unitPrice } = shownPrice(line, {
    taxRate,
    ...(sale.foreign ? { exchangeRate: sale.foreign.exchangeRate } : {}),
  });
  return `${grouped(unitPrice)} x ${quantity}`;
}
