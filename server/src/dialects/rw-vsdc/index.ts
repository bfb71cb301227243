import { cut } from '@muhuri/shared/text';
import { stamp14 } from '../../dialect-kit/dates.ts';
import { inclusiveTotals } from '../../dialect-kit/inclusive-totals.ts';
import { readEnvelope } from '../../dialect-kit/envelope.ts';
import type { Dialect } from '../../ports/dialect.ts';
import { find, read, toBody } from './sale.ts';
import { codes, initialise, judge, itemClasses, lookupTaxpayer, registerItem } from './set-up.ts';
import { taxClasses, timeZone } from './taxes.ts';

/** The RRA's public page for a receipt; resolves for receipts of production devices only. */
const verificationPage =
  'https://myrra.rra.gov.rw/common/link/ebm/receipt/indexEbmReceiptData?Data=';

/** Nine digits; nine noughts are what people write who have none. */
const isTaxpayerId = (id: string) => /^\d{9}$/.test(id) && !/^0+$/.test(id);

/**
 * Six digits or more, not all of them the same: that is what fills a field that must not be empty.
 */
const phone = /^\+?(\d)(?!\1*$)\d{5,14}$/;

const unitIn = (unit: string) => (unit.length === 2 ? `${unit}X` : unit);

const base32 = (length: number) => new RegExp(`^[A-Z2-7]{${length}}$`);

export const dialect: Dialect = {
  key: 'rw-vsdc',
  country: 'RW',
  authority: 'Rwanda Revenue Authority',
  timeZone,
  currency: 'RWF',
  linesMax: 999,
  // The wire has room for sixteen digits before the point; what a certified system must store and
  // print is thirteen, two decimals among them.
  amountMax: '99999999999.99',
  // As long as the wire has it: thirteen digits with two decimals.
  quantityMax: '99999999999.99',
  creditMethod: '02',
  nonVatClass: 'D',
  taxClasses,
  passesDoubt: true,
  resend: 'refused_by_device',
  checkTaxpayerId: isTaxpayerId,
  checkBuyer(buyer) {
    if (buyer.taxpayerId === null) {
      if (buyer.mobile === null) return [{ code: 'buyer_mobile_missing', field: 'buyer_mobile' }];
      return phone.test(buyer.mobile)
        ? []
        : [{ code: 'buyer_mobile_malformed', field: 'buyer_mobile' }];
    }
    if (!isTaxpayerId(buyer.taxpayerId))
      return [
        { code: 'buyer_tin_malformed', field: 'buyer_tin', value: cut(buyer.taxpayerId, 40) },
      ];
    if (buyer.purchaseCode === null)
      return [{ code: 'purchase_code_missing', field: 'purchase_code' }];
    if (/^[A-Za-z0-9]{6}$/.test(buyer.purchaseCode)) return [];
    return [
      {
        code: 'purchase_code_malformed',
        field: 'purchase_code',
        value: cut(buyer.purchaseCode, 40),
      },
    ];
  },
  probe: {
    toRequest: codes.toRequest,
    isServing: (answer) => readEnvelope(answer) !== null,
    judge,
  },
  initialise,
  codes,
  itemClasses,
  lookupTaxpayer,
  registerItem,
  // Origin, type, package and quantity unit, seven digits; most certified systems put an X after a
  // two-letter unit. A key, not parsed.
  itemCode: (content, sequence) =>
    `${content.origin}${content.itemType}${unitIn(content.packageUnit)}${unitIn(content.quantityUnit)}${String(sequence).padStart(7, '0')}`,
  totals: (lines, rates, headerTax) =>
    inclusiveTotals(
      lines,
      rates,
      taxClasses.map((each) => each.code),
      headerTax,
    ),
  sell: { path: '/trnsSales/saveSales', toBody, read, find },
  label: (kind, isCopy) => `${isCopy ? 'C' : 'N'}${kind === 'sale' ? 'S' : 'R'}`,
  verification(signature, device, form, base) {
    const sign = signature.receiptSignature.replaceAll('-', '');
    if (form === 'url')
      return `${base ?? verificationPage}${device.taxpayerId}${device.branchCode}${sign}`;
    const at = stamp14(signature.signedAt, timeZone);
    const day = `${at.slice(6, 8)}${at.slice(4, 6)}${at.slice(0, 4)}`;
    return [
      day,
      at.slice(8),
      signature.sdcId,
      signature.receiptNumber,
      signature.internalData.replaceAll('-', ''),
      sign,
    ].join('#');
  },
  checkEvidence: (signature) =>
    base32(26).test(signature.internalData) &&
    base32(16).test(signature.receiptSignature) &&
    /^[1-9]\d*$/.test(signature.receiptNumber),
  grouped: (text) => (text.match(/.{1,4}/g) ?? []).join('-'),
};
