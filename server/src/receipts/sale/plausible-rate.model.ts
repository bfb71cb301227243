import { type Amount, divide, multiply, round } from '@muhuri/shared/money';

/**
 * About how many units of a currency make one US dollar, to one or two digits: as central banks'
 * reference rates stood in 2025, written down from general knowledge on 2026-11-26 and not looked
 * up one by one. Good for one question only, whether a first rate is far off: nothing is ever
 * priced by it. Currencies that lose their worth within a year are left out.
 */
const perDollar: Record<string, Amount> = {
  // East and southern Africa
  RWF: '1440',
  KES: '129',
  UGX: '3650',
  TZS: '2600',
  BIF: '2950',
  CDF: '2850',
  ETB: '140',
  DJF: '178',
  SOS: '570',
  ZMW: '25',
  MWK: '1735',
  MZN: '64',
  ZAR: '18',
  BWP: '13.5',
  NAD: '18',
  LSL: '18',
  SZL: '18',
  AOA: '915',
  MUR: '45',
  SCR: '14.5',
  MGA: '4500',
  KMF: '440',
  // The rest of Africa
  NGN: '1530',
  GHS: '12',
  XOF: '590',
  XAF: '590',
  GNF: '8650',
  GMD: '71',
  CVE: '100',
  MAD: '9.5',
  TND: '3',
  DZD: '133',
  LYD: '5.4',
  EGP: '50',
  // Europe
  EUR: '0.9',
  GBP: '0.77',
  CHF: '0.85',
  SEK: '10',
  NOK: '10.5',
  DKK: '6.8',
  PLN: '3.9',
  CZK: '22',
  HUF: '360',
  RON: '4.5',
  BGN: '1.75',
  ALL: '86',
  RSD: '105',
  MKD: '55',
  UAH: '41',
  RUB: '85',
  TRY: '40',
  // Middle East and Asia
  AED: '3.67',
  SAR: '3.75',
  QAR: '3.64',
  KWD: '0.31',
  BHD: '0.38',
  OMR: '0.385',
  JOD: '0.71',
  ILS: '3.6',
  INR: '86',
  PKR: '282',
  BDT: '121',
  LKR: '300',
  NPR: '137',
  CNY: '7.2',
  HKD: '7.8',
  TWD: '32',
  JPY: '150',
  KRW: '1400',
  SGD: '1.32',
  MYR: '4.3',
  THB: '33',
  IDR: '16300',
  PHP: '57',
  VND: '26000',
  KZT: '520',
  // America and Oceania
  USD: '1',
  CAD: '1.4',
  MXN: '19',
  BRL: '5.6',
  CLP: '950',
  COP: '4100',
  PEN: '3.7',
  AUD: '1.5',
  NZD: '1.7',
};

/**
 * Further off than currencies in the table move within a year or two, and than its own digits are
 * rough.
 */
const usual = { low: '0.7', high: '1.3' } as const;

/**
 * Rates of a pair of currencies between which nobody is asked about the first of them, and about
 * what it is; null where one of them is not known here.
 */
export function roughRate(
  currency: string,
  baseCurrency: string,
): { low: Amount; high: Amount; about: Amount } | null {
  const [own, base] = [perDollar[currency], perDollar[baseCurrency]];
  if (!own || !base) return null;
  const exact = divide(base, own);
  const about = round(exact, Number(exact) >= 10 ? 0 : Number(exact) >= 0.1 ? 2 : 5);
  return { low: multiply(exact, usual.low), high: multiply(exact, usual.high), about };
}
