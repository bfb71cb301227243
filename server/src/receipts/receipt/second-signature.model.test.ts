import { expect, test } from 'vitest';
import {
  isUndoneSoon,
  openSeconds,
  type SecondSignature,
  signedTwice,
  whyContested,
} from './second-signature.model.ts';

const second = (invoiceNumber: string, settledAt: Date | null = null) =>
  ({
    invoiceNumber,
    receiptNumber: '5',
    totalReceiptNumber: '9',
    settledAt,
  }) as unknown as SecondSignature;
const receipt = (
  secondSignatures: SecondSignature[],
  undoing: { receipt_id: string; invoice_number: string } | null = null,
) => ({ module: 'invoices', documentNumber: 'INV-1', secondSignatures, undoing });
const settled = second('7', new Date(0));
const refund = { receipt_id: 'rcp_2', invoice_number: '8' };

test('a late signature waits for a person until somebody has settled it', () => {
  expect(openSeconds(receipt([settled, second('8')]))).toEqual([second('8')]);
});

test('a contested document says under which number it is found at the authority', () => {
  const said = { code: 'signed_twice', module: 'invoices', document_number: 'INV-1' };
  expect(signedTwice(receipt([settled, second('8'), second('9')]))).toEqual({
    ...said,
    invoice_number: '9',
    receipt: '5/9',
  });
  expect(signedTwice(receipt([settled]))).toEqual({ ...said, invoice_number: '', receipt: '' });
});

test('a refund on its way decides what is under its number, and nothing else', () => {
  expect(isUndoneSoon(receipt([]), '8')).toBe(false);
  expect(isUndoneSoon(receipt([], refund), '8')).toBe(true);
  expect(isUndoneSoon(receipt([], refund), '9')).toBe(false);
  expect(whyContested(receipt([second('8')], refund)).code).toBe('reversal_under_way');
  expect(whyContested(receipt([second('8'), second('9')], refund)).code).toBe('signed_twice');
  expect(whyContested(receipt([second('8')])).code).toBe('signed_twice');
});
