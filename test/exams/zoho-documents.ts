import fc from 'fast-check';

/*
 * Documents as Zoho can really send them, with what each tax of them comes to, computed here from scratch: fractions of whole numbers,
 * and nothing of the product's own arithmetic. What Zoho does is what its documents show (order of rounding, inclusive lines, entity
 * discount); where several ways have been seen or nothing is known, all of them are made.
 */

/** An exact number, n / d with d > 0. */
type Fraction = { n: bigint; d: bigint };
export const whole = (n: bigint, d = 1n): Fraction => ({ n, d });
export const plus = (a: Fraction, b: Fraction): Fraction =>
  reduced({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { n: -b.n, d: b.d });
export const times = (a: Fraction, b: Fraction): Fraction =>
  reduced({ n: a.n * b.n, d: a.d * b.d });
const total = (all: Fraction[]): Fraction => all.reduce(plus, whole(0n));
export const isBelow = (a: Fraction, b: Fraction): boolean => a.n * b.d < b.n * a.d;
export const distance = (a: Fraction, b: Fraction): Fraction => {
  const between = minus(a, b);
  return { n: between.n < 0n ? -between.n : between.n, d: between.d };
};
function reduced({ n, d }: Fraction): Fraction {
  let [a, b] = [n < 0n ? -n : n, d];
  while (b > 0n) [a, b] = [b, a % b];
  return a > 1n ? { n: n / a, d: d / a } : { n, d };
}
/** Half away from zero, to that many decimals. */
export function rounded({ n, d }: Fraction, places: number): Fraction {
  const scale = 10n ** BigInt(places);
  const sign = n < 0n ? -1n : 1n;
  return { n: sign * ((2n * sign * n * scale + d) / (2n * d)), d: scale };
}
const cut = ({ n, d }: Fraction, places: number): Fraction => {
  const scale = 10n ** BigInt(places);
  return { n: (n * scale) / d, d: scale };
};
/** A plain decimal as an exact number. */
export function exactly(decimal: string): Fraction {
  const [, sign = '', integer = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? [];
  return { n: BigInt(sign + integer + fraction), d: 10n ** BigInt(fraction.length) };
}
/** As Zoho writes it: no more decimals than there are, none of them a last zero. */
export function decimal(value: Fraction, places = 12): string {
  const { n, d } = rounded(value, places);
  const digits = (n < 0n ? -n : n).toString().padStart(places + 1, '0');
  const text =
    places === 0
      ? digits
      : `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
  return d > 0n && n < 0n ? `-${text}` : text;
}

/** The taxes of the exam's books, and the class each is mapped to. */
export const taxes = {
  vat: { name: 'VAT', percent: 18, taxClass: 'B', parts: null },
  vatToo: { name: 'VAT on services', percent: 18, taxClass: 'B', parts: null },
  group: { name: 'VAT group', percent: 18, taxClass: 'B', parts: [10, 8] },
  exempt: { name: 'Exempt', percent: 0, taxClass: 'A', parts: null },
  zero: { name: 'Zero Rated', percent: 0, taxClass: 'C', parts: null },
} as const;
type TaxId = keyof typeof taxes;

type LineShape = {
  what: 'usual' | 'usual2' | 'usual3' | 'none' | 'kit part' | 'free';
  rate: number;
  finer: number;
  quantity: number;
  quantityPlaces: 0 | 2 | 3 | 6;
  discount: 'none' | 'percent' | 'amount';
  percent: number;
  tax: TaxId;
  /** Which item it is; its place in the document where not said. */
  item?: number;
};

export type Shape = {
  places: 0 | 1 | 2 | 3;
  isInclusive: boolean;
  perLine: boolean;
  lines: LineShape[];
  /** `both`: of the lines and of the whole document. */
  discounts: 'none' | 'lines' | 'percent' | 'amount' | 'whole' | 'both';
  entityPercent: number;
  /**
   * What a discount of the whole document in money comes to, in its smallest units; a seventh where
   * not said.
   */
  entityAmount?: number;
  /**
   * How the discount is shared out for taxing: exactly, or cut per line with the rest to the
   * largest.
   */
  shares: 'exact' | 'cut';
  /** A tax-inclusive document's discount, of the net or of the gross. */
  ofGross: boolean;
  lineTaxes: boolean;
  named: 'ids' | 'names' | 'absent';
  countsShipping: boolean;
  shipping: 'none' | 'fields' | 'list' | 'twins';
  shippingTax: TaxId;
  charge: number;
  adjustment: 0 | 150;
  /** `hand`: somebody has typed what is missing to a whole unit as an adjustment. */
  rounds: 'no' | 'nearest' | 'down' | 'hand';
  /** Amounts that went through binary floats: so many units of a float's last place off. */
  noise?: number;
  /** Rows that only head others, and lines of nothing, stand between the lines. */
  hasHeaders?: boolean;
  retainer: boolean;
  foreign: { rate: number; basePlaces: 0 | 1 | 2 | 3 } | null;
  /** A tax that is charged at another rate than it is named at. */
  charged?: { tax: TaxId; percent: number };
};

const often = <T>(usual: T, ...others: T[]) => fc.constantFrom(usual, usual, usual, ...others);
export const shapes: fc.Arbitrary<Shape> = fc.record({
  places: fc.constantFrom(0, 1, 2, 2, 2, 3),
  isInclusive: fc.boolean(),
  perLine: fc.boolean(),
  lines: fc.array(
    fc.record({
      what: fc.constantFrom(
        'usual',
        'usual2',
        'usual3',
        'usual',
        'usual',
        'none',
        'kit part',
        'free',
      ),
      rate: fc.integer({ min: 1, max: 9_999_999 }),
      finer: fc.constantFrom(0, 0, 0, 55),
      quantity: fc.integer({ min: 1, max: 50_000 }),
      quantityPlaces: fc.constantFrom(0, 2, 2, 3, 6),
      discount: fc.constantFrom('none', 'percent', 'amount'),
      percent: fc.constantFrom(5, 10, 33, 100),
      tax: fc.constantFrom('vat', 'vat', 'vat', 'exempt', 'exempt', 'zero', 'vatToo', 'group'),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  discounts: fc.constantFrom(
    'none',
    'none',
    'none',
    'lines',
    'lines',
    'percent',
    'percent',
    'amount',
    'amount',
    'percent',
    'percent',
    'lines',
    'none',
    'whole',
    'both',
    'both',
  ),
  entityPercent: fc.constantFrom(3, 7, 15),
  shares: fc.constantFrom('exact', 'cut'),
  ofGross: fc.boolean(),
  lineTaxes: often(true, false),
  named: fc.constantFrom('ids', 'names', 'absent'),
  countsShipping: fc.boolean(),
  shipping: often('none', 'fields', 'list', 'twins'),
  shippingTax: fc.constantFrom('vat', 'vat', 'exempt'),
  charge: fc.integer({ min: 1, max: 99_999 }),
  adjustment: often(0, 150),
  rounds: often('no', 'nearest', 'down', 'hand'),
  noise: fc.constantFrom(0, 0, 0, 2, -2),
  hasHeaders: often(false, true),
  retainer: often(false, true),
  foreign: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.record({
        rate: fc.integer({ min: 1_000_001, max: 2_000_000_000 }),
        basePlaces: fc.constantFrom(0, 1, 2, 3),
      }),
    },
  ),
});

/** What is true of a document, whatever its receipt says. */
export type Truth = {
  /** In its own currency, after rounding off. */
  total: Fraction;
  /** Before rounding off: each class with its tax. */
  classes: Map<string, { amount: Fraction; isTaxed: boolean }>;
  /**
   * The same as the figures can just as well be read, where a discount is so small that nothing in
   * them tells of what it was reckoned.
   */
  alike: Truth['classes'] | null;
  roundOff: Fraction;
  /** Taxes over which a discount of the whole document is spread. */
  spread: number;
  /**
   * Lines that the device cannot be told: so little of something that two decimals show nothing.
   */
  isTooFine: boolean;
  isEmpty: boolean;
};

type Raw = { [key: string]: unknown };

export function makeDocument(shape: Shape): { raw: Raw; basePlaces: number; truth: Truth } {
  const p = shape.places;
  const round = (value: Fraction) => rounded(value, p);
  const partsOf = (id: TaxId): readonly number[] =>
    shape.charged?.tax === id ? [shape.charged.percent] : (taxes[id].parts ?? [taxes[id].percent]);
  const percentOf = (id: TaxId) => partsOf(id).reduce((sum, part) => sum + part, 0);
  const lines = shape.lines.map((line) => {
    const quantity =
      line.what === 'none'
        ? whole(0n)
        : whole(
            BigInt(line.quantity * (line.quantityPlaces === 6 ? 1009 : 1)),
            10n ** BigInt(line.quantityPlaces),
          );
    const isFree = line.what === 'kit part' || line.what === 'free';
    const rate = isFree
      ? whole(0n)
      : plus(
          whole(BigInt(line.rate), 10n ** BigInt(p)),
          whole(BigInt(line.finer), 10n ** BigInt(p + 2)),
        );
    const gross = round(times(quantity, rate));
    const hasDiscount =
      (shape.discounts === 'lines' || shape.discounts === 'both') && line.discount !== 'none';
    const share = times(gross, whole(BigInt(line.percent), 100n));
    const discount = hasDiscount ? round(share) : whole(0n);
    const tax = taxes[line.tax];
    const paid = minus(gross, discount);
    const net = shape.isInclusive
      ? round(times(paid, whole(100n, BigInt(100 + percentOf(line.tax)))))
      : paid;
    return { line, quantity, rate, paid, discount, hasDiscount, net, tax };
  });
  const subTotal = total(lines.map((each) => each.net));
  const ask = (amounts: Fraction[]): Fraction => {
    const sum = total(amounts);
    if (sum.n === 0n || shape.discounts === 'none' || shape.discounts === 'lines') return whole(0n);
    if (shape.discounts === 'whole') return sum;
    if (shape.discounts === 'percent' || shape.discounts === 'both')
      return round(times(sum, whole(BigInt(shape.entityPercent), 100n)));
    return shape.entityAmount === undefined
      ? cut(times(sum, whole(1n, 7n)), p)
      : whole(BigInt(shape.entityAmount), 10n ** BigInt(p));
  };
  const gross = lines.map((each) => each.paid);
  const ofGross = shape.isInclusive && shape.ofGross && ask(gross).n !== 0n;
  const weights = ofGross ? gross : lines.map((each) => each.net);
  const weight = total(weights);
  const entity = ask(weights);
  const exact = weights.map((each) =>
    weight.n === 0n ? whole(0n) : times(entity, { n: each.n * weight.d, d: each.d * weight.n }),
  );
  const shares = shape.shares === 'exact' ? exact : cutShares(entity, exact, p);
  const rests = weights.map((each, index) => minus(each, shares[index] as Fraction));
  const taxOn = (base: Fraction, percent: number, id: TaxId) =>
    times(base, whole(BigInt(percent), BigInt(100 + (ofGross ? percentOf(id) : 0))));
  const hasEntity = entity.n !== 0n;
  const taxed = lines.map((each, index) => {
    const percents = partsOf(each.line.tax);
    const isPlain = shape.isInclusive && !hasEntity && percents.length === 1;
    return percents.map((percent) =>
      isPlain
        ? minus(each.paid, each.net)
        : round(taxOn(rests[index] as Fraction, percent, each.line.tax)),
    );
  });
  // Once per line, or once per tax; a group's parts are rounded each for itself.
  const byTax = new Map<TaxId, Fraction[]>();
  for (const [index, each] of lines.entries()) {
    const known = byTax.get(each.line.tax);
    const own = taxed[index] as Fraction[];
    byTax.set(
      each.line.tax,
      known ? known.map((amount, part) => plus(amount, own[part] as Fraction)) : own,
    );
  }
  const isPerTax = !shape.perLine && !shape.isInclusive;
  if (isPerTax)
    for (const id of byTax.keys()) {
      const base = total(rests.filter((_, index) => lines[index]?.line.tax === id));
      byTax.set(
        id,
        partsOf(id).map((percent) => round(taxOn(base, percent, id))),
      );
    }
  const hasShipping = shape.shipping !== 'none';
  const shippingNet = hasShipping ? whole(BigInt(shape.charge), 10n ** BigInt(p)) : whole(0n);
  const shippingTax = round(
    times(shippingNet, whole(BigInt(taxes[shape.shippingTax].percent), 100n)),
  );
  // One adjustment a document: whoever rounds by hand has no other.
  const isByHand = shape.rounds === 'hand';
  const adjustment = whole(BigInt(isByHand ? 0 : shape.adjustment));
  const share = (of: Fraction[]) => {
    const sum = total(of);
    return of.map((each) =>
      sum.n === 0n ? whole(0n) : times(entity, { n: each.n * sum.d, d: each.d * sum.n }),
    );
  };
  const classesBy = (amounts: Fraction[], isGross: boolean) => {
    const found: Truth['classes'] = new Map();
    const put = (taxClass: string, amount: Fraction, isTaxed: boolean) => {
      const known = found.get(taxClass);
      found.set(taxClass, {
        amount: known ? plus(known.amount, amount) : amount,
        isTaxed: isTaxed || known?.isTaxed === true,
      });
    };
    const parts = share(amounts);
    for (const [id, levied] of byTax) {
      const own = lines.flatMap((each, index) =>
        each.line.tax === id ? [minus(amounts[index] as Fraction, parts[index] as Fraction)] : [],
      );
      put(
        taxes[id].taxClass,
        isGross ? total(own) : plus(total(own), total(levied)),
        taxes[id].percent > 0,
      );
    }
    if (hasShipping)
      put(
        taxes[shape.shippingTax].taxClass,
        plus(shippingNet, shippingTax),
        taxes[shape.shippingTax].percent > 0,
      );
    if (adjustment.n > 0n) put('B', adjustment, true);
    return found;
  };
  const sumOf = (found: Truth['classes']) => total([...found.values()].map((each) => each.amount));
  const classes = classesBy(weights, ofGross);
  const ofNets = ofGross
    ? classesBy(
        lines.map((each) => each.net),
        false,
      )
    : null;
  const alike = ofNets && minus(sumOf(ofNets), sumOf(classes)).n === 0n ? ofNets : null;
  const before = total([...classes.values()].map((each) => each.amount));
  const rest =
    shape.rounds === 'no'
      ? before
      : shape.rounds === 'nearest'
        ? rounded(before, 0)
        : cut(before, 0);
  const roundOff = minus(rest, before);
  const kept = lines.filter(
    (each) => each.line.what !== 'none' && !(each.quantity.n === 0n && each.net.n === 0n),
  );
  const truth: Truth = {
    total: rest,
    classes,
    alike,
    roundOff,
    spread: hasEntity ? byTax.size : 0,
    isTooFine: kept.some((each) => rounded(each.quantity, 2).n === 0n),
    isEmpty: kept.length === 0,
  };
  return { raw: toRaw(), basePlaces: shape.foreign?.basePlaces ?? p, truth };

  function headed(rows: Raw[]): Raw[] {
    if (!shape.hasHeaders) return rows;
    const header = {
      line_item_id: 'h',
      line_item_category: 'header',
      header_name: 'Goods',
      name: '',
      item_id: '',
    };
    const note = {
      line_item_id: 'n',
      line_item_category: 'line_item',
      name: 'A note',
      item_id: '',
      quantity: '0',
      rate: '0',
      item_total: '0',
      tax_id: '',
    };
    return [header, ...rows.slice(0, 1), note, { ...header, line_item_id: 'h2' }, ...rows.slice(1)];
  }

  function toRaw(): Raw {
    const text = (value: Fraction) => decimal(value, p);
    // Beyond ten million a float holds too little behind the point to tell what it meant.
    const drifted = (value: Fraction) => {
      const number = Number(text(value)) * (1 + (shape.noise ?? 0) * 2 ** -52);
      return !shape.noise || value.n === 0n || Math.abs(number) > 10_000_000
        ? text(value)
        : String(number);
    };
    const label = (id: TaxId, part: number) => {
      const { parts, name, percent } = taxes[id];
      return parts ? `${name} part ${part + 1} (${parts[part]}%)` : `${name} (${percent}%)`;
    };
    const idOf = (id: TaxId, part: number) => (taxes[id].parts ? `${id}-${part}` : id);
    const levies = [...byTax].flatMap(([id, amounts]) =>
      amounts.map((amount, part) => {
        const isShippings = shape.countsShipping && hasShipping && shape.shippingTax === id;
        const row = {
          tax_name: label(id, part),
          tax_amount: text(isShippings ? plus(amount, shippingTax) : amount),
        };
        return shape.named === 'ids' ? { ...row, tax_id: idOf(id, part) } : row;
      }),
    );
    const ship = {
      tax_id: shape.shippingTax,
      tax_name: taxes[shape.shippingTax].name,
      tax_percentage: String(taxes[shape.shippingTax].percent),
    };
    const shipping: Record<Shape['shipping'], Raw> = {
      none: { shipping_charge: '0' },
      fields: {
        shipping_charge: text(shippingNet),
        shipping_charge_exclusive_of_tax: text(shippingNet),
        shipping_charge_inclusive_of_tax: text(plus(shippingNet, shippingTax)),
        shipping_charge_tax_id: ship.tax_id,
        shipping_charge_tax_name: ship.tax_name,
        shipping_charge_tax_percentage: ship.tax_percentage,
        shipping_charge_tax: text(shippingTax),
      },
      list: {
        shipping_charge: text(shippingNet),
        shipping_charge_exclusive_of_tax: text(shippingNet),
        shipping_charge_tax_id: '',
        shipping_charge_tax_percentage: '',
        shipping_charge_tax: '',
        shipping_charge_taxes: [
          {
            tax_id: ship.tax_id,
            tax_name: `${ship.tax_name} (${ship.tax_percentage}%)`,
            tax_amount: text(shippingTax),
          },
        ],
      },
      twins: {
        shipping_charge: text(shape.isInclusive ? plus(shippingNet, shippingTax) : shippingNet),
        shipping_charge_exclusive_of_tax: text(shippingNet),
        shipping_charge_inclusive_of_tax: text(plus(shippingNet, shippingTax)),
        shipping_charge_tax_id: ship.tax_id,
      },
    };
    const rate = shape.foreign ? decimal(whole(BigInt(shape.foreign.rate), 1_000_000n), 6) : '1';
    const base = rounded(times(rest, exactly(rate)), shape.foreign?.basePlaces ?? p);
    return {
      invoice_id: '1',
      invoice_number: 'INV-1',
      status: 'sent',
      date: '2026-11-20',
      customer_id: 'c1',
      customer_name: 'Buyer',
      currency_code: shape.foreign ? 'USD' : 'RWF',
      exchange_rate: rate,
      price_precision: String(p),
      is_inclusive_tax: shape.isInclusive,
      is_discount_before_tax: true,
      discount_type: hasEntity ? 'entity_level' : 'item_level',
      discount: hasEntity ? text(entity) : '0',
      discount_total: hasEntity ? text(entity) : '0',
      tax_rounding: shape.perLine ? 'item_level' : 'entity_level',
      line_items: headed(
        lines.map((each, index) => ({
          line_item_id: String(index + 1),
          item_id: `i${each.line.item ?? index}`,
          name: each.line.what === 'kit part' ? 'Part of a kit' : 'Item',
          rate: decimal(each.rate, p + 2),
          quantity: decimal(each.quantity, 6),
          discount:
            each.hasDiscount && each.line.discount === 'percent'
              ? `${each.line.percent}%`
              : text(each.discount),
          ...(each.hasDiscount && each.line.discount === 'percent'
            ? {}
            : { discount_amount: text(each.discount) }),
          tax_id: each.line.tax,
          tax_name: each.tax.name,
          tax_type: each.tax.parts ? 'tax_group' : 'tax',
          tax_percentage: String(each.tax.percent),
          item_total: drifted(each.net),
          ...(shape.lineTaxes
            ? {
                line_item_taxes:
                  percentOf(each.line.tax) === 0 && shape.charged?.tax !== each.line.tax
                    ? []
                    : (taxed[index] as Fraction[]).map((amount, part) => ({
                        tax_id: idOf(each.line.tax, part),
                        tax_name: label(each.line.tax, part),
                        tax_amount: text(amount),
                      })),
              }
            : {}),
        })),
      ),
      sub_total: text(subTotal),
      tax_total: text(total([...byTax.values()].flat())),
      ...(shape.named === 'absent' ? {} : { taxes: levies }),
      ...shipping[shape.shipping],
      adjustment: decimal(isByHand ? roundOff : adjustment, 3),
      roundoff_value: isByHand ? '0' : decimal(roundOff, 3),
      total: drifted(rest),
      bcy_total: String(Number(decimal(base, 3)) + 0),
      balance: decimal(shape.retainer ? times(rest, whole(1n, 2n)) : rest, p + 1),
      ...(shape.retainer ? { credits_applied: decimal(times(rest, whole(1n, 2n)), p + 1) } : {}),
    };
  }
}

/** Each share cut, and what is left given to the largest lines, a unit each. */
function cutShares(entity: Fraction, exact: Fraction[], places: number): Fraction[] {
  const parts = exact.map((each) => cut(each, places));
  const order = exact
    .map((value, index) => ({ value, index }))
    .sort((a, b) => (isBelow(a.value, b.value) ? 1 : -1));
  const unit = whole(1n, 10n ** BigInt(places));
  let left = minus(entity, total(parts));
  for (let turn = 0; left.n > 0n && order.length > 0; turn++) {
    const { index } = order[turn % order.length] as { index: number };
    parts[index] = plus(parts[index] as Fraction, unit);
    left = minus(left, unit);
  }
  return parts;
}
