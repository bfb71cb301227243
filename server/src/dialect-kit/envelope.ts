import { clean, code, cut } from '@muhuri/shared/text';
import { z } from 'zod';
import type { DeviceAnswer } from '../ports/dialect/index.ts';

/** The envelope every system of the family answers with, HTTP 200 even for a refusal. */
const envelope = z.looseObject({
  resultCd: z.union([z.string(), z.number()]).transform(resultCode),
  resultMsg: z.unknown().transform((said) => (typeof said === 'string' ? said : '')),
  data: z.unknown(),
});

/**
 * `000` in every dress a number comes in: `0`, `"0000"`, `" 000 "`, `+000`, `0.0`. Zeros in front
 * and blanks say nothing; no digits at all are no success.
 */
function resultCode(said: string | number): string {
  const number = counterOf(said);
  return /^\d+$/.test(number) ? number.padStart(3, '0') : number;
}

export type Envelope = { code: string; text: string; data: unknown };

/**
 * The envelope, or null where the answer is none (HTML of a web server without its VSDC, half a
 * body, a status of its own). Numbers arrive as their source text, so that no counter or amount
 * passes through a binary float.
 *
 * Another status than 200, a key in other letters and digits of another script stay no envelope,
 * however well they can be guessed at: no device of the family is known to answer so, and what
 * something else on the way has written may neither give a number back nor stand as a signature
 * without a person.
 */
export function readEnvelope(answer: DeviceAnswer): Envelope | null {
  if (answer.status !== 200) return null;
  const read = envelope.safeParse(parseExactly(answer.body));
  return read.success
    ? { code: read.data.resultCd, text: read.data.resultMsg, data: read.data.data }
    : null;
}

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;

/**
 * JSON with numbers as their source text and strings as text of ours: a device's words go into
 * tables, trails and on paper, and must never be the reason that what became of a send is not
 * written down. Blanks, a mark of byte order and the zeros of a C string around it are not part of
 * it.
 */
export function parseExactly(text: string): unknown {
  const bare = withoutZeros(text);
  const whole = parsed(bare);
  // A message with a line break in it, a field padded with zeros: written into the JSON as they
  // are, they would hide a receipt that was signed.
  return whole ?? parsed(bare.replace(rawControls, ' '));
}

const rawControls = /\p{Cc}/gu;
const ours: Reviver = (_key, value, context) =>
  typeof value === 'number' ? context.source : typeof value === 'string' ? clean(value) : value;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text, ours as (key: string, value: unknown) => unknown);
  } catch {
    return null;
  }
}

/**
 * Step by step: an expression that looks for the end of a run takes forever over an answer of
 * nothing but blanks.
 */
function withoutZeros(text: string): string {
  let [begin, end] = [0, text.length];
  while (begin < end && (text[begin] === '\ufeff' || text[begin] === '\u0000')) begin += 1;
  while (end > begin && text[end - 1] === '\u0000') end -= 1;
  return text.slice(begin, end);
}

/**
 * A counter in every dress it comes in: number or text, padded with zeros or blanks, in groups of
 * three (`1,234`), with a fraction of nothing (`12.0`) or an exponent (`1.0E7`), as serialisers of
 * floats write it. Anything else stays as it is, and is no counter.
 */
export function counterOf(said: string | number): string {
  const given = code(String(said));
  const bare = /^\+?\d{1,3}(,\d{3})+$/.test(given) ? given.replaceAll(',', '') : given;
  const match = /^\+?(\d+)(?:\.(\d*))?(?:[eE]\+?(\d{1,2}))?$/.exec(bare);
  if (!match) return bare;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const places = Number(exponent);
  if (/[1-9]/.test(fraction.slice(places))) return bare;
  return (whole + fraction.slice(0, places).padEnd(places, '0')).replace(/^0+(?=\d)/, '');
}

/** The beginning of an answer that is no envelope, as text that can be shown and kept. */
export const saidOf = (answer: DeviceAnswer): { deviceCode: string; deviceText: string } => ({
  deviceCode: `HTTP ${answer.status}`,
  deviceText: cut(clean(answer.body).trim(), 300),
});

/**
 * A decimal as a JSON number with exactly its digits (`9450`, `1441.53`): the devices want numbers,
 * not text.
 */
export const number = (amount: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(
    amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount,
  );

/**
 * Cut to the length of a field: one long name would refuse the whole sale. Counts characters, not
 * halves of them.
 */
export { cut };
