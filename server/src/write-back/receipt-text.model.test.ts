import { expect, test } from 'vitest';
import { commentText, fieldValues, fileName } from './receipt-text.model.ts';

const signature = {
  receiptNumber: '3',
  totalReceiptNumber: '7',
  sdcId: 'SDC010000001',
  receiptSignature: 'ABCD',
  verificationUrl: 'https://verify.example/ABCD',
  label: 'NS',
  signedAt: new Date('2026-11-20T08:00:00Z'),
};
const settings = {
  seal_fields: {
    receipt_number: 'cf_no',
    sdc_id: 'cf_sdc',
    signature: 'cf_sign',
    verification_url: 'cf_url',
    signed_at: 'cf_at',
  },
};

test('whatever is written of a test receipt says that it is one', () => {
  const of = { documentNumber: 'INV-1', environment: 'sandbox' as const, signature };
  const written = [
    ...Object.values(fieldValues(settings, of, 'now')),
    commentText(of, 'now'),
    fileName(of, false),
  ];
  expect(written).toHaveLength(3);
  for (const text of written) expect(text).toMatch(/^TEST/);
  const real = { ...of, environment: 'production' as const };
  for (const text of [
    ...Object.values(fieldValues(settings, real, 'now')),
    commentText(real, 'now'),
    fileName(real, false),
  ])
    expect(text).not.toMatch(/TEST/);
});
