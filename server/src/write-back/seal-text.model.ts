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
type Sealed = { documentNumber: string; environment: 'sandbox' | 'production'; signature: Signature };

const test = (environment: Sealed['environment'], text: string): string => (environment === 'sandbox' ? `TEST: not a fiscal receipt. ${text}` : text);

/** The seal as values for the fields that the business has; the time as the device's zone writes it. */
export function fieldValues(settings: Pick<BusinessSettings, 'seal_fields'>, { environment, signature }: Sealed, localTime: string): Record<string, string> {
  const values: BusinessSettings['seal_fields'] = {
    receipt_number: test(environment, `${signature.receiptNumber}/${signature.totalReceiptNumber} ${signature.label}`),
    sdc_id: signature.sdcId,
    signature: signature.receiptSignature,
    verification_url: signature.verificationUrl,
    signed_at: localTime,
  };
  return Object.fromEntries(
    (Object.keys(values) as (keyof typeof values)[]).filter((key) => settings.seal_fields[key] !== '').map((key) => [settings.seal_fields[key], values[key]]),
  );
}

/** The comment of a sealed document; it begins alike each time, so that one made before is found again. */
export const commentText = ({ environment, signature }: Sealed, localTime: string): string =>
  test(
    environment,
    `Fiscal receipt ${signature.receiptNumber}/${signature.totalReceiptNumber} ${signature.label}, SDC ${signature.sdcId}, signed ${localTime}. ${signature.verificationUrl}`,
  );

/** A copy says so in its name too. */
export const fileName = ({ documentNumber, signature }: Sealed, isCopy: boolean): string =>
  `fiscal-receipt-${documentNumber.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40)}-${signature.totalReceiptNumber}${isCopy ? '-COPY' : ''}.pdf`;
