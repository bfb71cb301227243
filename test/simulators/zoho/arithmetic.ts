/*
 * Zoho's arithmetic as its documents show it (order of rounding, inclusive lines, entity discount), over whole units of the currency's
 * precision. Rates, percentages and quantities carry six decimals.
 */

const million = 1_000_000n;

const sixPlaces = new Intl.NumberFormat('en-US', { useGrouping: false, maximumFractionDigits: 6 });

/**
 * A plain decimal as millionths; the smallest of them are written with an exponent by the language.
 */
export function micro(value: number | string): bigint {
  const plain = /e-/i.test(String(value)) ? sixPlaces.format(Number(value)) : String(value);
  const [whole = '0', fraction = ''] = plain.replace('-', '').split('.');
  const amount = BigInt(whole) * million + BigInt(fraction.padEnd(6, '0').slice(0, 6));
  return String(value).startsWith('-') ? -amount : amount;
}

/** Half up, away from zero. */
export function divide(numerator: bigint, denominator: bigint): bigint {
  const sign = numerator < 0n ? -1n : 1n;
  const n = numerator * sign;
  return sign * ((2n * n + denominator) / (2n * denominator));
}

export type Tax = {
  tax_id: string;
  tax_name: string;
  tax_percentage: number;
  tax_type: 'tax' | 'compound_tax' | 'tax_group';
  parts?: Tax[];
};

type LineAsk = {
  quantity: number;
  rate: number;
  tax: Tax | null;
  discount?: string | number | undefined;
};
export type Ask = {
  precision: number;
  isInclusive: boolean;
  lines: LineAsk[];
  /** `"5%"` or an amount, on the whole document. */
  discount?: string | number | undefined;
  isDiscountBeforeTax: boolean;
  shipping?: { charge: number; tax: Tax | null } | undefined;
  adjustment?: number | undefined;
  rounds?: boolean | undefined;
  taxRounding: 'item_level' | 'entity_level';
};

export type Computed = {
  lines: { itemTotal: bigint; discount: bigint; taxes: { tax: Tax; amount: bigint }[] }[];
  subTotal: bigint;
  discountTotal: bigint;
  taxes: { tax: Tax; amount: bigint }[];
  taxTotal: bigint;
  shipping: { net: bigint; tax: bigint };
  roundoff: bigint;
  adjustment: bigint;
  total: bigint;
};

export function compute(ask: Ask): Computed {
  const scale = 10n ** BigInt(ask.precision);
  const units = (value: number) => divide(micro(value) * scale, million);
  const share = (amount: bigint, percent: number) =>
    divide(amount * micro(percent), 100n * million);
  const lines = ask.lines.map((line) => {
    // Prices may have more decimals than the currency: the product is rounded, not the price.
    const gross = divide(micro(line.quantity) * micro(line.rate) * scale, million * million);
    const discount = discountOf(line.discount, gross, units);
    const paid = gross - discount;
    const percent = line.tax?.tax_percentage ?? 0;
    const itemTotal = ask.isInclusive
      ? divide(paid * 100n * million, 100n * million + micro(percent))
      : paid;
    return { itemTotal, discount, paid, line };
  });
  const subTotal = sum(lines.map((each) => each.itemTotal));
  const discountTotal = discountOf(ask.discount, subTotal, units);
  const isBefore = ask.isDiscountBeforeTax && discountTotal > 0n;
  const shares = isBefore
    ? apportion(
        discountTotal,
        lines.map((each) => each.itemTotal),
      )
    : lines.map(() => 0n);
  const taxed = lines.map(({ itemTotal, discount, paid, line }, index) => {
    const base = itemTotal - (shares[index] as bigint);
    const parts = line.tax ? (line.tax.parts ?? [line.tax]) : [];
    const isPlainInclusive = ask.isInclusive && !isBefore && parts.length === 1;
    const taxes = parts.map((tax) => ({
      tax,
      amount: isPlainInclusive ? paid - itemTotal : share(base, tax.tax_percentage),
    }));
    return { itemTotal, discount, base, taxes };
  });
  const byTax = new Map<string, { tax: Tax; amount: bigint; base: bigint }>();
  for (const each of taxed) {
    for (const { tax, amount } of each.taxes) {
      const entry = byTax.get(tax.tax_id) ?? { tax, amount: 0n, base: 0n };
      byTax.set(tax.tax_id, { tax, amount: entry.amount + amount, base: entry.base + each.base });
    }
  }
  const taxes = [...byTax.values()].map(({ tax, amount, base }) => ({
    tax,
    amount:
      ask.taxRounding === 'entity_level' && !ask.isInclusive
        ? share(base, tax.tax_percentage)
        : amount,
  }));
  const taxTotal = sum(taxes.map((each) => each.amount));
  const net = ask.shipping ? units(ask.shipping.charge) : 0n;
  const shippingTax = ask.shipping?.tax ? share(net, ask.shipping.tax.tax_percentage) : 0n;
  const adjustment = units(ask.adjustment ?? 0);
  const before = subTotal - discountTotal + taxTotal + net + shippingTax + adjustment;
  const total = ask.rounds ? divide(before, scale) * scale : before;
  return {
    lines: taxed,
    subTotal,
    discountTotal,
    taxes,
    taxTotal,
    shipping: { net, tax: shippingTax },
    roundoff: total - before,
    adjustment,
    total,
  };
}

const sum = (values: bigint[]) => values.reduce((a, b) => a + b, 0n);

function discountOf(
  discount: string | number | undefined,
  base: bigint,
  units: (value: number) => bigint,
): bigint {
  if (discount === undefined) return 0n;
  if (typeof discount === 'string')
    return divide(base * micro(discount.replace('%', '')), 100n * million);
  return units(discount);
}

/** Rounded down, the rest to the largest lines. */
function apportion(total: bigint, weights: bigint[]): bigint[] {
  const all = sum(weights);
  if (all <= 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (total * weight) / all);
  let left = total - sum(parts);
  const order = weights
    .map((weight, index) => ({ weight, index }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1));
  for (let i = 0; left > 0n; i++, left--) {
    const { index } = order[i % order.length] as { index: number };
    parts[index] = (parts[index] as bigint) + 1n;
  }
  return parts;
}
