import { checkRefund, type Refusal, type SoldLine } from './check-refund.ts';
import { codesOf, rateOf, type Rates } from './lists.ts';

/*
 * The device's checks of a sale, in its order, written from the authority's contract and nothing else. Amounts are whole cents.
 */

export type Body = { [key: string]: unknown };
export type DeviceSales = {
  usedNumbers: string[];
  usedPurchaseCodes: string[];
  itemCodes: string[];
  sales: DeviceSale[];
  /** What other devices of the taxpayer have signed, where this one is told of it. */
  salesElsewhere?: DeviceSale[];
};
/** Money in cents. `lines` and `rates` are missing in what was kept by an older simulator. */
export type DeviceSale = {
  invcNo: string;
  rcptTyCd: string;
  custTin: string | null;
  totAmt: string;
  orgInvcNo: string;
  lines?: SoldLine[];
  rates?: Rates;
};
/**
 * What nobody knows of the real device is a switch; what is not given is as kind as the contract
 * lets it be.
 */
export type Rules = {
  duplicate: '924' | '994' | '899';
  allowsPartialRefunds: boolean;
  /** Percent by class where they are not the usual ones. */
  rates?: Rates;
  /** At which rates a refund is checked: those of its sale, those of the day, or whichever fits. */
  refundRates?: 'sale' | 'present' | 'either';
  /**
   * What of a refund is held against its sale: the money; the money of each tax class; also
   * quantities and items.
   */
  refundChecks?: 'money' | 'classes' | 'lines';
  /**
   * How far `splyAmt` may be from price times quantity: half a cent a unit, or so many francs
   * whatever the quantity.
   */
  supplyTolerance?: 'grows' | string;
};

const refuse = (code: string, text: string): Refusal => ({ code, text });

export function checkSale(
  body: Body,
  device: DeviceSales,
  rules: Rules,
  today: string,
): Refusal | null {
  return (
    checkTypes(body) ??
    checkCodes(body, device) ??
    checkLabel(body) ??
    checkDuplicate(body, device, rules) ??
    checkBuyer(body, device) ??
    checkOriginal(body, device, rules) ??
    checkDates(body, today) ??
    checkArithmetic(body, device, rules)
  );
}

/** A JSON number arrives as `{ n: '12.5' }`: its source text, so that the check is exact. */
export type Exact = { n: string };
const isNumber = (value: unknown): value is Exact =>
  typeof value === 'object' && value !== null && typeof (value as Exact).n === 'string';
export const digits = (value: unknown): string => (isNumber(value) ? value.n : String(value ?? ''));

/** Cents of a number with at most two decimals, else null. */
export function cents(value: unknown): bigint | null {
  if (!isNumber(value)) return null;
  const match = /^(-?)(\d{1,16})(?:\.(\d{1,2}))?$/.exec(value.n);
  if (!match) return null;
  const [, sign, whole = '0', fraction = ''] = match;
  const amount = BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0') || '0');
  return sign ? -amount : amount;
}

const lengths: Record<string, number> = {
  custNm: 60,
  remark: 400,
  regrId: 20,
  regrNm: 60,
  modrId: 20,
  modrNm: 60,
  pmtTyCd: 5,
};
const lineLengths: Record<string, number> = {
  itemCd: 20,
  itemClsCd: 10,
  itemNm: 200,
  pkgUnitCd: 5,
  qtyUnitCd: 5,
  taxTyCd: 5,
};
const receiptLengths: Record<string, number> = {
  custMblNo: 20,
  trdeNm: 20,
  adrs: 200,
  topMsg: 20,
  btmMsg: 20,
};
const moneyFields = ['A', 'B', 'C', 'D']
  .flatMap((each) => [`taxblAmt${each}`, `taxRt${each}`, `taxAmt${each}`])
  .concat(['totTaxblAmt', 'totTaxAmt', 'totAmt']);
const lineMoney = ['pkg', 'qty', 'prc', 'splyAmt', 'dcRt', 'dcAmt', 'taxblAmt', 'taxAmt', 'totAmt'];

const lines = (body: Body): Body[] =>
  Array.isArray(body.itemList) ? (body.itemList as Body[]) : [];

function checkTypes(body: Body): Refusal | null {
  const wrong = (name: string) => refuse('910', `Request parameter error: ${name}`);
  if (!/^\d+$/.test(digits(body.invcNo)) || !isNumber(body.invcNo) || digits(body.invcNo) === '0')
    return wrong('invcNo');
  if (!isNumber(body.orgInvcNo)) return wrong('orgInvcNo');
  for (const name of moneyFields) if (cents(body[name]) === null) return wrong(name);
  for (const [name, max] of Object.entries(lengths))
    if ([...String(body[name] ?? '')].length > max) return wrong(name);
  for (const name of [
    'regrId',
    'regrNm',
    'modrId',
    'modrNm',
    'salesTyCd',
    'rcptTyCd',
    'salesSttsCd',
    'prchrAcptcYn',
  ])
    if (!body[name]) return wrong(name);
  if (!/^\d{14}$/.test(String(body.cfmDt))) return wrong('cfmDt');
  if (!/^\d{8}$/.test(String(body.salesDt))) return wrong('salesDt');
  for (const name of ['stockRlsDt', 'cnclReqDt', 'cnclDt', 'rfdDt'])
    if (body[name] !== null && body[name] !== undefined && !/^\d{14}$/.test(String(body[name])))
      return wrong(name);
  const receipt = body.receipt as Body | undefined;
  if (!receipt || typeof receipt !== 'object') return wrong('receipt');
  for (const [name, max] of Object.entries(receiptLengths))
    if ([...String(receipt[name] ?? '')].length > max) return wrong(`receipt.${name}`);
  if (lines(body).length === 0) return wrong('itemList');
  if (digits(body.totItemCnt) !== String(lines(body).length)) return wrong('totItemCnt');
  for (const [index, line] of lines(body).entries()) {
    if (digits(line.itemSeq) !== String(index + 1)) return wrong(`itemList[${index}].itemSeq`);
    for (const name of lineMoney)
      if (cents(line[name]) === null) return wrong(`itemList[${index}].${name}`);
    for (const name of ['itemCd', 'itemClsCd', 'itemNm', 'pkgUnitCd', 'qtyUnitCd', 'taxTyCd'])
      if (!line[name]) return wrong(`itemList[${index}].${name}`);
    for (const [name, max] of Object.entries(lineLengths))
      if ([...String(line[name])].length > max) return wrong(`itemList[${index}].${name}`);
  }
  return null;
}

function checkCodes(body: Body, device: DeviceSales): Refusal | null {
  const unknown = (name: string, value: unknown) =>
    refuse('913', `${name} [${String(value)}] is not in the code list`);
  if (body.pmtTyCd !== null && !codesOf('07').has(String(body.pmtTyCd)))
    return unknown('pmtTyCd', body.pmtTyCd);
  if (!codesOf('11').has(String(body.salesSttsCd))) return unknown('salesSttsCd', body.salesSttsCd);
  if (
    body.rfdRsnCd !== null &&
    body.rfdRsnCd !== undefined &&
    !codesOf('32').has(String(body.rfdRsnCd))
  )
    return unknown('rfdRsnCd', body.rfdRsnCd);
  for (const line of lines(body)) {
    if (!codesOf('17').has(String(line.pkgUnitCd))) return unknown('pkgUnitCd', line.pkgUnitCd);
    if (!codesOf('10').has(String(line.qtyUnitCd))) return unknown('qtyUnitCd', line.qtyUnitCd);
    if (!codesOf('04').has(String(line.taxTyCd))) return unknown('taxTyCd', line.taxTyCd);
    if (!device.itemCodes.includes(String(line.itemCd))) return unknown('itemCd', line.itemCd);
  }
  return null;
}

function checkLabel(body: Body): Refusal | null {
  const label = `${String(body.salesTyCd)}${String(body.rcptTyCd)}`;
  return ['NS', 'NR', 'CS', 'CR', 'TS', 'TR', 'PS'].includes(label)
    ? null
    : refuse('834', `The combination ${label} is not allowed (NS, NR, CS, CR, TS, TR, PS)`);
}

function checkDuplicate(body: Body, device: DeviceSales, rules: Rules): Refusal | null {
  if (!device.usedNumbers.includes(digits(body.invcNo))) return null;
  const text = {
    '924': 'Invoice number already exists.',
    '994': 'Overlapped data',
    '899': 'Client error: invoice number already exists.',
  }[rules.duplicate];
  return refuse(rules.duplicate, text);
}

function checkBuyer(body: Body, device: DeviceSales): Refusal | null {
  const tin =
    body.custTin === null || body.custTin === undefined || body.custTin === ''
      ? null
      : String(body.custTin);
  if (tin === null) return null;
  if (!/^\d{9}$/.test(tin) || tin.startsWith('999')) return refuse('884', 'Invalid customer TIN');
  const code =
    body.prcOrdCd === null || body.prcOrdCd === undefined || body.prcOrdCd === ''
      ? null
      : String(body.prcOrdCd);
  if (code === null) return refuse('881', 'Purchase code is mandatory');
  if (!/^[A-Za-z0-9]{6}$/.test(code) || code.startsWith('000'))
    return refuse('882', 'Purchase code is invalid');
  if (body.rcptTyCd === 'S' && device.usedPurchaseCodes.includes(`${tin}:${code}`))
    return refuse('883', 'Purchase code is already used');
  return null;
}

function checkOriginal(body: Body, device: DeviceSales, rules: Rules): Refusal | null {
  if (body.rcptTyCd !== 'R')
    return digits(body.orgInvcNo) === '0'
      ? null
      : refuse('910', 'Request parameter error: orgInvcNo');
  const original = originalOf(body, device);
  if (!original) return refuse('930', 'The referenced original invoice was not found');
  if (!body.rfdRsnCd) return refuse('910', 'Request parameter error: rfdRsnCd');
  if (!/^\d{14}$/.test(String(body.rfdDt))) return refuse('910', 'Request parameter error: rfdDt');
  if ((original.custTin ?? null) !== ((body.custTin as string | null) ?? null))
    return refuse('935', 'Credit note data differ from the original');
  const refunds = allSales(device).filter(
    (sale) => sale.rcptTyCd === 'R' && sale.orgInvcNo === original.invcNo,
  );
  if (!rules.allowsPartialRefunds && refunds.length > 0)
    return refuse('931', 'The original was refunded already');
  const asked = { total: cents(body.totAmt) as bigint, lines: lines(body).map(soldLine) };
  return checkRefund(asked, original, refunds, rules.refundChecks ?? 'classes');
}

const allSales = (device: DeviceSales): DeviceSale[] => [
  ...(device.salesElsewhere ?? []),
  ...device.sales,
];
const originalOf = (body: Body, device: DeviceSales): DeviceSale | undefined =>
  allSales(device).find((sale) => sale.invcNo === digits(body.orgInvcNo) && sale.rcptTyCd === 'S');

/** A line as the device keeps it, to hold refunds against. */
const soldLine = (line: Body): SoldLine => ({
  itemCd: String(line.itemCd),
  taxTyCd: String(line.taxTyCd),
  qty: String(cents(line.qty) ?? 0n),
  totAmt: String(cents(line.totAmt) ?? 0n),
});
export const soldLines = (body: Body): SoldLine[] => lines(body).map(soldLine);
export const ratesIn = (body: Body): Rates =>
  Object.fromEntries(['A', 'B', 'C', 'D'].map((each) => [each, digits(body[`taxRt${each}`])]));

function checkDates(body: Body, today: string): Refusal | null {
  return String(body.salesDt) > today
    ? refuse('910', 'Request parameter error: salesDt lies in the future')
    : null;
}

/** The tax inside an amount, half up; the rate in hundredths of a percent. */
const taxIn = (amount: bigint, rate: bigint): bigint =>
  (2n * amount * rate + (10_000n + rate)) / (2n * (10_000n + rate));
const away = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a);

function checkArithmetic(body: Body, device: DeviceSales, rules: Rules): Refusal | null {
  const present = rules.rates ?? {};
  const original = body.rcptTyCd === 'R' ? originalOf(body, device)?.rates : undefined;
  const at = original ? (rules.refundRates ?? 'sale') : 'present';
  if (at === 'present' || !original) return checkAmounts(body, present, rules);
  const bySale = checkAmounts(body, { ...present, ...original }, rules);
  return at === 'sale' || !bySale ? bySale : checkAmounts(body, present, rules);
}

function checkAmounts(body: Body, rates: Rates, rules: Rules): Refusal | null {
  const wrong = (name: string) => refuse('910', `Wrong amount computation at ${name}`);
  const of = (from: Body, name: string) => cents(from[name]) as bigint;
  for (const [index, line] of lines(body).entries()) {
    const at = `itemList[${index}]`;
    const [qty, prc, sply, dcRt, dc, taxbl, tax, tot] = [
      'qty',
      'prc',
      'splyAmt',
      'dcRt',
      'dcAmt',
      'taxblAmt',
      'taxAmt',
      'totAmt',
    ].map((name) => of(line, name)) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    if (qty <= 0n || prc < 0n || tot < 0n || dc < 0n) return wrong(at);
    // |splyAmt − prc × qty| ≤ 0.005 × qty + 0.01 where the tolerance grows; all in hundredths of a cent.
    if (2n * away(sply * 100n, prc * qty) > supplySlack(qty, rules)) return wrong(`${at}.splyAmt`);
    if (dc !== 0n && dcRt === 0n) return wrong(`${at}.dcRt`);
    if (dcRt > 10_000n) return wrong(`${at}.dcRt`);
    if (tot !== sply - dc) return wrong(`${at}.totAmt`);
    if (taxbl !== tot) return wrong(`${at}.taxblAmt`);
    if (away(tax, taxIn(taxbl, rateOf(String(line.taxTyCd), rates))) > 1n)
      return wrong(`${at}.taxAmt`);
  }
  for (const each of ['A', 'B', 'C', 'D']) {
    const own = lines(body).filter((line) => line.taxTyCd === each);
    const rate = rateOf(each, rates);
    // A refund may come with the rates of the day for classes it does not use.
    if (of(body, `taxRt${each}`) !== rate && (own.length > 0 || body.rcptTyCd !== 'R'))
      return wrong(`taxRt${each}`);
    const taxbl = own.reduce((sum, line) => sum + of(line, 'taxblAmt'), 0n);
    if (of(body, `taxblAmt${each}`) !== taxbl) return wrong(`taxblAmt${each}`);
    const byLines = own.reduce((sum, line) => sum + of(line, 'taxAmt'), 0n);
    const header = of(body, `taxAmt${each}`);
    if (header !== byLines && header !== taxIn(taxbl, rate)) return wrong(`taxAmt${each}`);
  }
  const total = (prefix: string) =>
    ['A', 'B', 'C', 'D'].reduce((sum, each) => sum + of(body, `${prefix}${each}`), 0n);
  if (of(body, 'totTaxblAmt') !== total('taxblAmt')) return wrong('totTaxblAmt');
  if (of(body, 'totTaxAmt') !== total('taxAmt')) return wrong('totTaxAmt');
  if (of(body, 'totAmt') !== lines(body).reduce((sum, line) => sum + of(line, 'totAmt'), 0n))
    return wrong('totAmt');
  return null;
}

/** Twice the tolerance of `splyAmt`, in hundredths of a cent; quantities in hundredths. */
function supplySlack(qty: bigint, rules: Rules): bigint {
  const tolerance = rules.supplyTolerance ?? 'grows';
  return tolerance === 'grows' ? qty + 200n : 2n * 100n * (cents({ n: tolerance }) as bigint);
}
