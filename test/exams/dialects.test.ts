import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadDialects } from '@muhuri/server/dialects/index';
import type { DeviceAnswer, Dialect, NumberedTerms } from '@muhuri/server/ports/dialect/index';
import type { Sale } from '@muhuri/server/model/sale.model';
import type { ReceiptLayout } from '@muhuri/server/model/receipt-layout.model';
import { shownPrices } from '@muhuri/server/receipts/sale/printed-price.model';
import type { SigningTerms } from '@muhuri/server/receipts/sale/signing-input.model';
import { add, absolute, compare, round, subtract } from '@muhuri/shared/money';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOnPaper } from './paper-text.ts';
import { cases, examSeed } from './size.ts';

/**
 * What a dialect makes of whole situations stands beside it, in `examples/<situation>/`. An exam
 * compares; `MUHURI_EXAMPLES=write npm run exams -- dialects` writes anew what the dialect makes
 * of each, and the difference in the files is what a change of a dialect changes.
 */
const isWriting = process.env.MUHURI_EXAMPLES === 'write';

const folderOf = (key: string) =>
  fileURLToPath(new URL(`../../server/src/dialects/${key}/examples/`, import.meta.url));
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const jsonOf = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function expectFile(path: string, text: string): void {
  if (isWriting) writeFileSync(path, text);
  expect(existsSync(path), `${path} is missing`).toBe(true);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

type Terms = Omit<NumberedTerms, 'at'> & SigningTerms & { at: string };
type Row = { name: string; answer: DeviceAnswer; first: unknown; resend: unknown };

const dialects = await loadDialects();

const branding = (terms: Pick<Terms, 'seller'>) => ({
  trade_name: terms.seller.tradeName,
  address_lines: [terms.seller.address],
  email: 'shop@inzozi.example',
  phone: '0788000000',
  accent_color: '#1f6feb',
  logo: null,
  legal_lines: ['Registered in Kigali'],
  top_message: terms.seller.topMessage,
  bottom_message: terms.seller.bottomMessage,
});

/** The receipt as it stands on paper, of a business that has no more than a name and an address. */
function layOut(
  { sales, print }: Dialect,
  sale: Sale,
  terms: Terms,
  answer: DeviceAnswer,
  mode: 'original' | 'copy',
) {
  const reply = sales.read(answer, false);
  if (reply.is !== 'signed') throw new Error(`the answer signs nothing: ${reply.is}`);
  const { signature } = reply;
  const { form, base } = terms.verification;
  const totals = sales.totals(sale.lines, terms.rates, terms.headerTax);
  return print.layOut({
    mode,
    isTest: false,
    sale,
    totals,
    prices: shownPrices(sale, totals),
    signature,
    verification: print.verification(signature, terms.device, form, base),
    invoiceNumber: terms.invoiceNumber,
    branding: branding(terms),
    branchAddress: terms.seller.address,
    taxpayerId: terms.device.taxpayerId,
    originalReceipt: terms.originalReceipt,
    originalSdcId: terms.originalSdcId ?? null,
    reversedInvoiceNumber: terms.reverses?.invoiceNumber ?? null,
    paymentName: `payment ${sale.paymentMethod}`,
    reasonName: sale.reasonCode ? `reason ${sale.reasonCode}` : null,
    frozenAt: new Date(terms.at),
    version: '1.0.0',
  });
}

/** The training receipt of the same business. */
function layOutTraining({ sales, print }: Dialect, { seller, at, device }: Terms) {
  const sale = print.trainingSale(new Date(at));
  const rates = Object.fromEntries(sales.taxClasses.map((each) => [each.code, each.percent]));
  const totals = sales.totals(sale.lines, rates, 'lines');
  return print.layOut({
    mode: 'training',
    isTest: false,
    sale,
    totals,
    prices: shownPrices(sale, totals),
    signature: null,
    verification: '',
    invoiceNumber: '0',
    branding: branding({ seller }),
    branchAddress: '',
    taxpayerId: device.taxpayerId,
    originalReceipt: null,
    originalSdcId: null,
    reversedInvoiceNumber: null,
    paymentName: 'Cash',
    reasonName: null,
    frozenAt: new Date(at),
    version: '1.0.0',
  });
}

const onBothPapers = async (long: ReceiptLayout, wide: ReceiptLayout) =>
  [await textOnPaper(long, '80mm'), await textOnPaper(wide, 'a4')].join(`\n${'='.repeat(40)}\n\n`);

describe.each(dialects.all().map((dialect) => [dialect.identity.key, dialect] as const))(
  '%s',
  (key, dialect) => {
    const folder = folderOf(key);
    const situations = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);

    test('has somebody who plays its authority, in test/authorities under the same name', async () => {
      const path = new URL(`../authorities/${key}/authority.ts`, import.meta.url);
      const { authority } = (await import(path.href)) as { authority: { dialect: string } };
      expect(authority).toMatchObject({ dialect: key, country: dialect.identity.country });
    });

    test('has an example of every usual situation', () => {
      expect(situations.length).toBeGreaterThanOrEqual(12);
    });

    test.each(situations)('%s: request, reply and paper are what was recorded', async (name) => {
      const file = (part: string) => `${folder}${name}/${part}`;
      const sale = readJson(file('sale.json')) as Sale;
      const terms = readJson(file('terms.json')) as Terms;
      const answer = readJson(file('answer.json')) as DeviceAnswer;
      const at = new Date(terms.at);
      expectFile(file('request.json'), dialect.sales.toBody(sale, { ...terms, at }));
      expectFile(file('reply.json'), jsonOf(dialect.sales.read(answer, false)));
      expect(dialect.sales.find(answer)).toMatchObject(
        (dialect.sales.read(answer, false) as { signature: object }).signature,
      );
      const original = layOut(dialect, sale, terms, answer, 'original');
      const copy = layOut(dialect, sale, terms, answer, 'copy');
      expectFile(file('layout.txt'), await onBothPapers(original, copy));
    });

    test('a training receipt says that it is none, and is what was recorded', async () => {
      const terms = readJson(`${folder}${situations[0]}/terms.json`) as Terms;
      const seller = {
        tradeName: 'Inzozi Coffee',
        address: 'KN 4 Ave, Kigali',
        topMessage: 'Murakaza neza',
        bottomMessage: 'Murakoze',
      };
      const training = layOutTraining(dialect, { ...terms, seller });
      expect(training.mark).not.toBeNull();
      expectFile(`${folder}training.txt`, await onBothPapers(training, training));
    });

    test('every answer means on a first send and on a resend what was recorded', () => {
      const rows = readJson(`${folder}answers.json`) as Row[];
      expect(rows.length).toBeGreaterThan(0);
      const read = rows.map(({ name, answer }) => ({
        name,
        answer,
        first: dialect.sales.read(answer, false),
        resend: dialect.sales.read(answer, true),
      }));
      expectFile(`${folder}answers.json`, jsonOf(read));
    });

    test('the totals of a sale are those of its lines, whatever the lines', () => {
      const classes = dialect.sales.taxClasses.map((each) => each.code);
      const amount = fc.bigInt(1n, 10_000_000_000n).map((cents) => round(`${cents}e-2`, 2));
      const line = fc.record({ total: amount, taxClass: fc.constantFrom(...classes) });
      const lawful = Object.fromEntries(
        dialect.sales.taxClasses.map((each) => [each.code, each.percent]),
      );
      const sum = (amounts: string[]) => round(add('0', ...amounts), 2);
      fc.assert(
        fc.property(
          fc.array(line, { minLength: 1, maxLength: 40 }),
          fc.constantFrom('lines' as const, 'class' as const),
          (lines, headerTax) => {
            const totals = dialect.sales.totals(lines, lawful, headerTax);
            expect(totals.byClass.map((each) => each.taxClass)).toEqual(classes);
            expect(totals.lines).toHaveLength(lines.length);
            expect(sum(lines.map((each) => each.total))).toBe(totals.total);
            expect(sum(totals.lines.map((each) => each.taxable))).toBe(totals.taxable);
            expect(sum(totals.byClass.map((each) => each.taxable))).toBe(totals.taxable);
            expect(sum(totals.byClass.map((each) => each.tax))).toBe(totals.tax);
            const ofLines = sum(totals.lines.map((each) => each.tax));
            if (headerTax === 'lines') expect(totals.tax).toBe(ofLines);
            // Half a cent a line and a class is what rounding can move.
            const apart = absolute(subtract(totals.tax, ofLines));
            expect(compare(apart, round(`${lines.length + classes.length}e-2`, 2))).toBeLessThan(1);
            for (const each of totals.byClass) {
              expect(each.rate).toBe(lawful[each.taxClass]);
              if (compare(each.rate, '0') === 0) expect(each.tax).toBe('0.00');
            }
            const turned = dialect.sales.totals([...lines].reverse(), lawful, headerTax);
            expect({ ...turned, lines: [...turned.lines].reverse() }).toEqual(totals);
          },
        ),
        { numRuns: cases(`totals of ${key}`, { slice: 200, whole: 20_000 }), seed: examSeed },
      );
    });

    test('says of every tax class since when and where it is written', () => {
      expect(dialect.sales.taxClasses.length).toBeGreaterThan(0);
      for (const each of dialect.sales.taxClasses) {
        expect(each.since).toMatch(/^\d{4}-\d{2}-\d{2}$/);
        expect(each.source.length).toBeGreaterThan(10);
        expect(each.percent).toMatch(/^\d+(\.\d+)?$/);
      }
    });

    test('knows a real time zone and currency', () => {
      expect(
        () => new Intl.DateTimeFormat('en', { timeZone: dialect.identity.timeZone }),
      ).not.toThrow();
      expect(dialect.identity.currency).toMatch(/^[A-Z]{3}$/);
    });

    test('says what its devices do with a number that they have signed', () => {
      expect(['refused_by_device', 'may_sign_again']).toContain(dialect.sales.resend);
    });

    test('takes nothing for an answer that is none', () => {
      for (const body of ['', '<html></html>', '{}', 'null', '{"resultCd": null}']) {
        for (const isResend of [false, true])
          expect(dialect.sales.read({ status: 200, body }, isResend).is).toBe('in_doubt');
        expect(dialect.setUp.probe.isServing({ status: 200, body })).toBe(false);
      }
    });
  },
);

/**
 * Files outside the dialects that spell a word of one, each with its reason. What is written in
 * tests and in migrations that were applied is left out.
 */
const spellers: Record<string, string> = {
  'server/src/platform/phone.ts': 'telephone plans of the world: which keep their leading nought',
  'server/src/receipts/sale/plausible-rate.model.ts': 'rough rates of all currencies of the world',
  'shared/src/problems.ts': 'a sentence for people about debit notes: words are not moved here',
};

test('nothing outside its folder spells a dialect, its country, its currency or its authority', () => {
  const words = dialects.all().flatMap(({ identity }) => {
    const { key, country, currency, authority } = identity;
    const name = new Intl.DisplayNames('en', { type: 'region' }).of(country);
    const initials = authority.replaceAll(/[^A-Z]/g, '');
    return [key, currency, name, initials].map((word) => `\\b${word}`).concat(`'${country}'`);
  });
  const spelled = new RegExp(words.join('|'));
  const files = ['server/src', 'shared/src', 'widget/src'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  );
  const found = files.filter(
    (path) =>
      /(?<!\.test|\.samples)\.tsx?$/.test(path) &&
      !/^server\/src\/(?:dialects|migrations)\//.test(path) &&
      spelled.test(readFileSync(path, 'utf8')),
  );
  expect(found.toSorted()).toEqual(Object.keys(spellers).toSorted());
});
