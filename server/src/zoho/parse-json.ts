/** Ids and amounts as their source text: nothing passes through a binary number. */
export type Json = null | boolean | string | Json[] | { [key: string]: Json };

/** The object a text holds, every number as its own digits; null where it is no object. */
export function parseJson(text: string): { [key: string]: Json } | null {
  try {
    const keepSource = (_key: string, value: unknown, context: { source: string }) =>
      typeof value === 'number' ? plain(context.source) : value;
    const value = JSON.parse(text, keepSource as (key: string, value: unknown) => unknown) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** `1e3` and `1E-7` as plain digits; everything else as it stands. */
export function plain(source: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(source);
  if (!match) return source;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  // An exponent no amount has would only be made to fill memory.
  if (Math.abs(point) > 60) return 'NaN';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? sign + digits + '0'.repeat(point - digits.length)
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
