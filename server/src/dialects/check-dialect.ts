import { z } from 'zod';
import type { Dialect } from '../ports/dialect/index.ts';
import type { Codes } from '../ports/dialect/codes.ts';
import type { Identity } from '../ports/dialect/identity.ts';
import type { Items } from '../ports/dialect/items.ts';
import type { Print } from '../ports/dialect/print.ts';
import type { Sales } from '../ports/dialect/sales.ts';
import type { SetUp } from '../ports/dialect/set-up.ts';
import type { Taxpayers } from '../ports/dialect/taxpayers.ts';

/** Every member of a capability has its schema: the compiler refuses one that is left out. */
type Shape<T> = { [Member in keyof T]-?: z.ZodType };

const callable = z.custom<unknown>((value) => typeof value === 'function', 'is no function');
const text = z.string().min(1);
const amount = z.string().regex(/^\d+(\.\d+)?$/, 'is no amount');
const exchange = z.looseObject({ toRequest: callable, read: callable });

const isTimeZone = (name: string) => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

const identity: Shape<Identity> = {
  key: text,
  country: z.string().regex(/^[A-Z]{2}$/, 'is no country code of two letters'),
  authority: text,
  timeZone: z.string().refine(isTimeZone, 'is no time zone'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'is no currency code of three letters'),
  checkTaxpayerId: callable,
};

const taxClass = z.looseObject({
  code: text,
  since: z.iso.date(),
  percent: amount,
  source: text,
});

const sales: Shape<Sales> = {
  linesMax: z.int().positive(),
  amountMax: amount,
  quantityMax: amount,
  creditMethod: text,
  nonVatClass: text,
  taxClasses: z.array(taxClass).min(1),
  passesDoubt: z.boolean(),
  resend: z.enum(['refused_by_device', 'may_sign_again']),
  checkBuyer: callable,
  totals: callable,
  path: z.string().startsWith('/'),
  toBody: callable,
  signedCode: text,
  read: callable,
  find: callable,
  readBack: exchange.optional(),
  checkEvidence: callable,
};

const hasClass = ({ taxClasses }: Sales, code: string) =>
  taxClasses.some((each) => each.code === code);

const items: Shape<Items> = { code: callable, register: exchange.optional() };
const codes: Shape<Codes> = { lists: exchange, itemClasses: exchange };
const taxpayers: Shape<Taxpayers> = { lookup: exchange };
const setUp: Shape<SetUp> = {
  offlineHoursMax: z.number().positive().nullable(),
  probe: z.looseObject({ toRequest: callable, isServing: callable, judge: callable }),
  initialise: exchange,
};
const print: Shape<Print> = {
  label: callable,
  verification: callable,
  layOut: callable,
  trainingSale: callable,
};

const capabilities: Shape<Dialect> = {
  identity: z.strictObject(identity),
  sales: z
    .strictObject(sales)
    .refine((given) => hasClass(given as Sales, (given as Sales).nonVatClass), {
      path: ['nonVatClass'],
      error: 'is none of the tax classes',
    }),
  items: z.strictObject(items),
  print: z.strictObject(print),
  setUp: z.strictObject(setUp),
  codes: z.strictObject(codes).optional(),
  taxpayers: z.strictObject(taxpayers).optional(),
};

const contract = z.strictObject(capabilities);

/**
 * Checks what a folder exports against the whole contract, capability by capability. Throws with
 * every member that is missing or does not fit, so that its author need not start the server once
 * for each.
 */
export function checkDialect(folder: string, exported: unknown): Dialect {
  const read = contract.safeParse(exported);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => faultOf(issue, exported));
    throw new Error(`dialect ${folder} does not fit the contract: ${faults.join('; ')}`);
  }
  const dialect = exported as Dialect;
  if (dialect.identity.key !== folder)
    throw new Error(`folder ${folder} holds dialect ${dialect.identity.key}`);
  return dialect;
}

function faultOf(issue: z.core.$ZodIssue, exported: unknown): string {
  const name = issue.path.join('.') || 'the export `dialect`';
  let given: unknown = exported;
  for (const part of issue.path) given = (given as Record<PropertyKey, unknown>)?.[part];
  if (given === undefined) return `${name} is missing`;
  return issue.code === 'unrecognized_keys'
    ? `${name} has members that nobody knows: ${issue.keys.join(', ')}`
    : `${name} ${issue.message}`;
}
