import Big from 'big.js';

/**
 * A decimal number as text, never a binary float: `'1180.00'`, `'0.1'`, `'-3'`.
 * The currency is the document's; the scale is whatever the text carries until `round` fixes it.
 */
export type Amount = string;

// Divisions keep 40 places and each figure is rounded once at its end: dividing first and rounding
// later can round twice.
const Decimal = Big();
Decimal.DP = 40;
Decimal.RM = Decimal.roundHalfUp;
Decimal.NE = -40;
Decimal.PE = 40;

const shape = /^-?\d{1,30}(\.\d{1,20})?$/;

/** Whether the text is a plain decimal (no exponent, no sign but minus, no blanks). */
export const isAmount = (text: string): text is Amount => shape.test(text);

export const add = (...amounts: Amount[]): Amount =>
  amounts.reduce((total, amount) => total.plus(amount), new Decimal(0)).toFixed();
export const subtract = (a: Amount, b: Amount): Amount => new Decimal(a).minus(b).toFixed();
export const multiply = (a: Amount, b: Amount): Amount => new Decimal(a).times(b).toFixed();
export const divide = (a: Amount, b: Amount): Amount => new Decimal(a).div(b).toFixed();
export const negate = (a: Amount): Amount => new Decimal(0).minus(a).toFixed();
export const absolute = (a: Amount): Amount => new Decimal(a).abs().toFixed();
export const compare = (a: Amount, b: Amount): -1 | 0 | 1 => new Decimal(a).cmp(b);
export const isZero = (a: Amount): boolean => compare(a, '0') === 0;
export const isNegative = (a: Amount): boolean => compare(a, '0') < 0;

/**
 * Half up (away from zero), always with exactly `places` decimals: `round('1.005', 2)` is `'1.01'`.
 */
export const round = (a: Amount, places: number): Amount => {
  const text = new Decimal(a).round(places, Decimal.roundHalfUp).toFixed(places);
  return /^-0(\.0+)?$/.test(text) ? text.slice(1) : text;
};

/**
 * `a × b / c`, rounded once. Source of the shape: the authorities split tax out of a gross figure
 * this way.
 */
export const multiplyDivide = (a: Amount, b: Amount, c: Amount, places: number): Amount =>
  round(new Decimal(a).times(b).div(c).toFixed(), places);

/** Without the zeros that say nothing: `3.50` is `3.5`, `3.00` is `3`. */
export const trimmed = (a: Amount): Amount => (a.includes('.') ? a.replace(/\.?0+$/, '') : a);
export const decimalsOf = (a: Amount): number => a.split('.')[1]?.length ?? 0;

/** One unit of the last place: `unit(2)` is `'0.01'`. */
export const unit = (places: number): Amount => new Decimal(10).pow(-places).toFixed(places);

/** Thousands set apart for reading, dot as separator: `'1234567.50'` becomes `'1,234,567.50'`. */
export const grouped = (a: Amount): string => {
  const [whole = '', fraction] = a.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
};

/**
 * Splits `total` over `weights` so that the parts add up to it exactly: each part is cut to
 * `places`, and what is left goes, one unit each, to the parts that lost most (largest remainder;
 * ties to the earlier). All-zero weights share evenly.
 */
export function apportion(total: Amount, weights: Amount[], places: number): Amount[] {
  if (weights.length === 0) return [];
  const sum = add(...weights);
  const effective = isZero(sum) ? weights.map(() => '1') : weights;
  const divisor = isZero(sum) ? String(weights.length) : sum;
  const exact = effective.map((weight) => new Decimal(total).times(weight).div(divisor));
  const parts = exact.map((value) => value.round(places, Decimal.roundDown));
  const step = new Decimal(unit(places));
  const left = parts.reduce((rest, part) => rest.minus(part), new Decimal(total));
  const units = Number(left.div(step).abs().round(0, Decimal.roundHalfUp).toFixed(0));
  const direction = left.lt(0) ? step.times(-1) : step;
  const order = exact
    .map((value, index) => ({ index, lost: value.minus(parts[index] ?? 0).abs() }))
    .sort((a, b) => b.lost.cmp(a.lost) || a.index - b.index);
  for (let i = 0; i < units; i++) {
    const { index } = order[i % order.length] as { index: number };
    parts[index] = (parts[index] as Big).plus(direction);
  }
  return parts.map((part) => part.toFixed(places));
}
