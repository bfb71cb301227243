import type { Answered } from '../../../simulators/kit/server.ts';

/**
 * The forms an answer comes in. The same facts are told: only their clothes differ from one
 * release, one proxy and one implementer's report to another.
 */
export type Clothes = {
  /** How success is spelt in `resultCd`: `'000'`, `'0000'`, `'00'`, `'0'`, `0`, `' 000 '`. */
  success_code: string | number;
  /** A byte order mark before the answer. */
  bom: boolean;
  /** Blank lines around the answer, and blanks around every text in it. */
  padding: boolean;
  /** Every number as a text. */
  numbers_as_strings: boolean;
  /** Receipt counters filled up on the left. */
  pad_counters: 'zeros' | 'blanks' | null;
  /** Put at the end of every text for people, U+0000 and half an emoji included. */
  odd_text: string;
  content_type: string | null;
  encoding: 'utf8' | 'utf16le' | 'latin1';
};

export const plainClothes: Clothes = {
  success_code: '000',
  bom: false,
  padding: false,
  numbers_as_strings: false,
  pad_counters: null,
  odd_text: '',
  content_type: null,
  encoding: 'utf8',
};

const forPeople = new Set([
  'resultMsg',
  'taxprNm',
  'bhfNm',
  'cdNm',
  'cdClsNm',
  'itemClsNm',
  'locDesc',
]);
const counters = new Set(['rcptNo', 'totRcptNo']);

/**
 * An answer of the device in these clothes; what is no envelope (a web server's own page, half a
 * body) goes as it is.
 */
export function clothe(answered: Answered | null, clothes: Clothes): Answered | null {
  if (!answered || answered.status !== 200 || !answered.type.startsWith('application/json'))
    return answered;
  const type = clothes.content_type ?? answered.type;
  const envelope = parsed(String(answered.body));
  if (!envelope) return { ...answered, type };
  const dressed = dress(envelope, clothes) as Record<string, unknown>;
  if (envelope.resultCd === '000') dressed.resultCd = clothes.success_code;
  const text = JSON.stringify(dressed);
  const whole = `${clothes.bom ? '\ufeff' : ''}${clothes.padding ? `\r\n  ${text}\r\n\r\n` : text}`;
  return { ...answered, type, body: Buffer.from(whole, clothes.encoding) };
}

function dress(value: unknown, clothes: Clothes, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => dress(each, clothes, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, dress(each, clothes, key)]),
    );
  const isCounter = counters.has(name) && value !== null;
  if (isCounter && clothes.pad_counters)
    return String(value).padStart(10, clothes.pad_counters === 'zeros' ? '0' : ' ');
  if (typeof value === 'number') return clothes.numbers_as_strings ? String(value) : value;
  if (typeof value !== 'string') return value;
  const said = forPeople.has(name) ? `${value}${clothes.odd_text}` : value;
  return clothes.padding && said !== '' ? ` ${said}  ` : said;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}
