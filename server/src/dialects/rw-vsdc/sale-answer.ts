import { code } from '@muhuri/shared/text';
import { z } from 'zod';
import { momentOf } from '../../dialect-kit/dates.ts';
import { counterOf, parseExactly, readEnvelope, saidOf } from '../../dialect-kit/envelope.ts';
import type { Signature } from '../../model/sale.model.ts';
import type { DeviceAnswer, SaleReply } from '../../ports/dialect/index.ts';
import { meaningOf } from './codes.ts';
import { timeZone } from './taxes.ts';

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
