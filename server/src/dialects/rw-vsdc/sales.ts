import { inclusiveTotals } from '../../dialect-kit/inclusive-totals.ts';
import type { Signature } from '../../model/sale.model.ts';
import type { Sales } from '../../ports/dialect/sales.ts';
import { checkBuyer } from './buyer.ts';
import { signedCode } from './codes.ts';
import { find, read } from './sale-answer.ts';
import { toBody } from './sale-request.ts';
import { classes, nonVatClass, taxClasses } from './taxes.ts';

const base32 = (length: number) => new RegExp(`^[A-Z2-7]{${length}}$`);

export const sales: Sales = {
  linesMax: 999,
  // The wire has room for sixteen digits before the point; what a certified system must store and
  // print is thirteen, two decimals among them.
  amountMax: '99999999999.99',
  // As long as the wire has it: thirteen digits with two decimals.
  quantityMax: '99999999999.99',
  creditMethod: '02',
  nonVatClass,
  taxClasses,
  passesDoubt: true,
  resend: 'refused_by_device',
  checkBuyer,
  totals: (lines, rates, headerTax) => inclusiveTotals(lines, rates, classes, headerTax),
  path: '/trnsSales/saveSales',
  toBody,
  signedCode,
  read,
  find,
  checkEvidence: (signature: Signature) =>
    base32(26).test(signature.internalData) &&
    base32(16).test(signature.receiptSignature) &&
    /^[1-9]\d*$/.test(signature.receiptNumber),
};
