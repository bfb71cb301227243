import type { BusinessSettings } from '../businesses/business.model.ts';

type Signature = {
  receiptNumber: string;
  totalReceiptNumber: string;
  sdcId: string;
  receiptSignature: string;
  verificationUrl: string;
  label: string;
  signedAt: Date;
};
type Sealed = {
  documentNumber: string;
  environment: 'sandbox' | 'production';
  signature: Signature;
};

const test = (environment: Sealed['environment'], text: string): string =>
  environment === 'sandbox' ? `TEST: not a fiscal receipt. ${text}` : text;

/**
 * The seal as values for the fields that the business has; the time as the device's zone writes it.
 */
export function fieldValues(
  settings: Pick<BusinessSettings, 'seal_fields'>,
  { environment, signature }: Sealed,
  localTime: string,
): Record<string, string> {
  const values: BusinessSettings['seal_fields'] = {
    receipt_number: test(
      environment,
      `${signature.receiptNumber}/${signature.totalReceiptNumber} ${signature.label}`,
    ),
    sdc_id: signature.sdcId,
    signature: signature.receiptSignature,
    verification_url: signature.verificationUrl,
    signed_at: localTime,
  };
  // Of a test receipt only what can say so itself: a signature or an SDC id alone would look like a
  // real one's.
  const names =
    environment === 'sandbox'
      ? (['receipt_number'] as const)
      : (Object.keys(values) as (keyof typeof values)[]);
  return Object.fromEntries(
    names
      .filter((key) => settings.seal_fields[key] !== '')
      .map((key) => [settings.seal_fields[key], values[key]]),
  );
}

/**
 * The comment of a sealed document; it begins alike each time, so that one made before is found
 * again.
 */
export const commentText = ({ environment, signature }: Sealed, localTime: string): string =>
  test(
    environment,
    `Fiscal receipt ${signature.receiptNumber}/${signature.totalReceiptNumber} ${signature.label}, SDC ${signature.sdcId}, signed ${localTime}. ${signature.verificationUrl}`,
  );

/** A copy says so in its name too, and so does a test. */
export const fileName = (
  { documentNumber, environment, signature }: Sealed,
  isCopy: boolean,
): string =>
  `${environment === 'sandbox' ? 'TEST-' : ''}fiscal-receipt-${documentNumber.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40)}-${signature.totalReceiptNumber}${isCopy ? '-COPY' : ''}.pdf`;
