import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, codeFor, confirmShown, enrol, until } from '../api.ts';
import { checkout, startWorld, type World } from '../world.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { look, openBrowser, openPanel, type Panel, signIn } from './browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld({
    withWidget: true,
    instead: {
      vsdc: { answerTimeoutMs: 3_000, lateTimeoutMs: 20_000 },
      timing: {
        retryFirstMs: 200,
        retryMaxMs: 500,
        settleQuietMs: 400,
        settleMaxMs: 800,
        doubtWaitMs: 800,
        leaseMs: 10_000,
      },
      sweepMs: 400,
      waitMs: 8_000,
    },
  });
  await enrol(await Api.signIn(world, business().admin), business().admin.password);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  world.vsdc.faults([]);
  world.vsdc.set({ success_code: '000' });
});
// A panel that stays open goes on asking.
afterEach(async () => {
  for (const each of browser.contexts()) await each.close();
});

const business = () => world.businesses[0];
const named = (what: string) => {
  const found = world.zoho
    .documents()
    .find(
      (each) => each.organization_id === business().organizationId && each.what.startsWith(what),
    );
  if (!found) throw new Error(`no document "${what}"`);
  return found;
};
const open = async (
  what: string,
  options: { locale?: string; width?: number; as?: 'admin' | 'user' } = {},
): Promise<Panel> => {
  const document = named(what);
  const panel = await openPanel(
    browser,
    world,
    business().organizationId,
    document.module,
    document.id,
    options,
  );
  const account = business()[options.as ?? 'admin'];
  await signIn(panel, account, await codeFor(world, account));
  return panel;
};
/**
 * What is dangerous asks for the second factor once more, in the middle of it, when it was given a
 * while ago.
 */
const giveFactor = async (panel: Panel): Promise<void> => {
  const dialog = panel.panel.getByRole('dialog');
  await dialog.getByRole('heading', { name: 'Second factor' }).waitFor();
  await look(panel, '22-second-factor');
  expect(await findProblems(panel.page)).toEqual([]);
  await dialog
    .getByLabel('Six digits of your authenticator')
    .fill(await codeFor(world, business().admin));
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.waitFor({ state: 'detached' });
};
const longAgo = () =>
  world.sql(
    "update session set verified_at = now() - interval '16 minutes'",
    [],
    business().businessId,
  );
const judged = (what: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === named(what).number);

const sealedOf = async (what: string) => {
  const api = await Api.signIn(world, business().user);
  return (await api.get(`/receipts?module=invoices&document_id=${named(what).id}`)).body
    .receipts[0];
};

/**
 * The page as the browser prints it, on the paper that it asks for; what another program reads on
 * it.
 */
async function readCodes(page: Page): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'muhuri-print-'));
  writeFileSync(
    join(folder, 'p.pdf'),
    await page.pdf({ preferCSSPageSize: true, printBackground: true }),
  );
  expect(spawnSync('pdftoppm', ['-r', '150', '-png', 'p.pdf', 'p'], { cwd: folder }).status).toBe(
    0,
  );
  const pages = readdirSync(folder).filter((each) => each.endsWith('.png'));
  const read = pages.map((each) =>
    spawnSync('zbarimg', ['--raw', '-q', each], { cwd: folder, encoding: 'utf8' }).stdout.trim(),
  );
  return read.filter(Boolean);
}

async function findProblems(page: Page): Promise<string[]> {
  const frame = page.frames()[1];
  await frame?.evaluate(axe);
  const found = (await frame?.evaluate('axe.run(document, {resultTypes: ["violations"]})')) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations.map(
    (each) => `${each.id}: ${each.nodes[0]?.html} ${each.nodes[0]?.failureSummary}`,
  );
}

describe('the panel beside an invoice', () => {
  test('someone signs in, presses one button and has the receipt with a code that a camera reads', async () => {
    const panel = await openPanel(
      browser,
      world,
      business().organizationId,
      'invoices',
      named('simple sale').id,
    );
    await panel.panel.getByRole('heading', { name: 'Sign in to seal documents' }).waitFor();
    await look(panel, '01-sign-in');
    expect(await findProblems(panel.page)).toEqual([]);
    await signIn(panel, business().user);
    await panel.panel.getByRole('heading', { name: 'Ready to seal' }).waitFor();
    await look(panel, '02-ready');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    await panel.panel.getByRole('img', { name: 'QR code of the fiscal receipt' }).waitFor();
    await look(panel, '03-sealed');
    expect(await findProblems(panel.page)).toEqual([]);
    expect(judged('simple sale')).toHaveLength(1);
    const saveAs = async (name: string) => {
      const [download] = await Promise.all([
        panel.page.waitForEvent('download'),
        panel.panel.getByRole('button', { name, exact: true }).click(),
      ]);
      expect(
        readFileSync(await download.path())
          .subarray(0, 5)
          .toString(),
      ).toBe('%PDF-');
      return download.suggestedFilename();
    };
    const { number } = named('simple sale');
    expect(await saveAs('Save a copy as PDF · A4')).toBe(`${number} receipt A4 COPY.pdf`);
    await panel.panel.getByLabel('Paper').selectOption('80mm');
    // A browser's own print dialog would stop the page here.
    await panel.page
      .context()
      .addInitScript('window.print = () => { document.title = `printed ${document.title}`; }');
    const [page] = await Promise.all([
      panel.page.context().waitForEvent('page'),
      panel.panel.getByRole('button', { name: 'Print the original · 80 mm', exact: true }).click(),
    ]);
    await page.getByText('Original · 80 mm').waitFor();
    await until(
      () => page.title(),
      (title) => title.startsWith('printed '),
    );
    await page.screenshot({ path: join(checkout, '.data/screens/print-page.png') });
    expect(await readCodes(page), 'what comes out of the printer').toEqual([
      judged('simple sale')[0] && (await sealedOf('simple sale')).verification_url,
    ]);
    await page.close();
    await panel.panel.getByText(/^Original: 80 mm, /).waitFor();
    expect(
      await panel.panel.getByRole('button', { name: /original/ }).count(),
      'there is one',
    ).toBe(0);
    expect(await saveAs('Save a copy as PDF · 80 mm')).toBe(`${number} receipt 80mm COPY.pdf`);
    await look(panel, '03-sealed-and-printed');
    expect(await findProblems(panel.page)).toEqual([]);
  });

  test('a double click in two browsers and the API at once make one receipt', async () => {
    const what = 'tax-exclusive, line discounts';
    const panels = [await open(what), await open(what)];
    const api = await Api.signIn(world, business().user);
    const buttons = panels.map((each) =>
      each.panel.getByRole('button', { name: 'Seal this invoice' }),
    );
    for (const button of buttons) await button.waitFor();
    await Promise.all([
      ...buttons.map((button) => button.dblclick().catch(() => {})),
      api.seal('invoices', named(what).id),
    ]);
    for (const each of panels) await each.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged(what)).toHaveLength(1);
  });

  test('what is missing is said with its fix, asked for here, and then the document can be sealed', async () => {
    const panel = await open('buyer with TIN, purchase code still to ask');
    await panel.panel.getByText('A buyer with a TIN must give a purchase code.').waitFor();
    await look(panel, '04-findings');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByLabel('Purchase code').fill('P4X9Z2');
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged('buyer with TIN, purchase code still to ask')[0]?.request.prcOrdCd).toBe(
      'P4X9Z2',
    );
  });

  test('an admin chooses a missing tax class at the finding, once, and the invoice becomes ready', async () => {
    const panel = await open('tax group without a mapping');
    await panel.panel.getByText('A tax of Zoho has no tax class of the authority yet.').waitFor();
    await panel.panel.getByLabel('Tax class').selectOption('B');
    await look(panel, '05-mapping');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByRole('button', { name: 'Save for all documents' }).click();
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).waitFor();
  });

  test.each([
    ['draft', 'Nothing to seal yet', '06-draft'],
    ['void', 'Nothing to seal yet', '07-void'],
  ])('a %s document has nothing to seal and no button', async (what, title, screen) => {
    const panel = await open(what);
    await panel.panel.getByRole('heading', { name: title }).waitFor();
    await look(panel, screen);
    expect(await findProblems(panel.page)).toEqual([]);
    expect(await panel.panel.getByRole('button', { name: 'Seal this invoice' }).count()).toBe(0);
  });

  test('a refusal shows our sentence, the next step and the device’s own words', async () => {
    world.vsdc.faults(['refuse:884']);
    const panel = await open('exempt only');
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'Refused' }).waitFor();
    await panel.panel.getByText('884 Scripted refusal 884').waitFor();
    await look(panel, '08-refused');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByLabel('Buyer’s TIN').fill('101234567');
    await panel.panel.getByRole('button', { name: 'Seal again' }).click();
    // A TIN asks for a purchase code; the panel says so and takes it.
    await panel.panel.getByText('A buyer with a TIN must give a purchase code.').waitFor();
    await panel.panel.getByLabel('Purchase code').fill('Q1W2E3');
    await panel.panel.getByRole('button', { name: 'Seal again' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged('exempt only')[0]?.request).toMatchObject({
      custTin: '101234567',
      prcOrdCd: 'Q1W2E3',
    });
  });

  test('a lost answer is shown as a doubt with what happens next, and the authority’s data settle it', async () => {
    world.vsdc.faults(['drop_after_signing']);
    const panel = await open('with a positive adjustment');
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'In doubt' }).waitFor();
    await panel.panel
      .getByText('The device has signed this document, but its answer was lost.')
      .waitFor();
    await panel.panel.getByText('What we know of it').click();
    await panel.panel.getByText('the number is taken').waitFor();
    await panel.panel.getByText('no usable answer').waitFor();
    await panel.panel.getByText('"invcNo"').waitFor();
    await look(panel, '09-doubt-known');
    await panel.panel.getByText('What we know of it').click();
    await panel.panel.getByText('Enter the authority’s data').click();
    await look(panel, '09-in-doubt');
    expect(await findProblems(panel.page)).toEqual([]);
    const [held] = judged('with a positive adjustment');
    const fill = (label: string, text: unknown) =>
      panel.panel.getByLabel(label, { exact: true }).fill(String(text));
    await fill('Where you found it', 'portal');
    await fill(`Invoice number (${held?.request.invcNo})`, held?.request.invcNo);
    await fill('Total', held?.request.totAmt);
    await fill('Receipt number', held?.reply.rcptNo);
    await fill('Total receipt number', held?.reply.totRcptNo);
    await fill('Internal data', held?.reply.intrlData);
    await fill('Signature', held?.reply.rcptSign);
    await fill('SDC ID', held?.reply.sdcId);
    await fill(
      'Signed',
      new Date(Date.parse(held?.at ?? '') - new Date().getTimezoneOffset() * 60_000)
        .toISOString()
        .slice(0, 16),
    );
    await panel.panel.getByRole('button', { name: 'Use this' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged('with a positive adjustment')).toHaveLength(1);
  });

  test('a whole signature in an answer that could not be taken is offered, and one press settles the doubt', async () => {
    // The device has its items by another sale, so that what follows is about this one alone.
    const ids = { invoice_id: '46000000088800000002', invoice_number: 'INZ-KIT' };
    world.zoho.add('invoices', business().organizationId, {
      ...structuredClone(world.zoho.document('invoices', named('a kit').id)),
      ...ids,
    });
    const user = await Api.signIn(world, business().user);
    expect((await user.seal('invoices', ids.invoice_id)).body.state).toBe('signed');
    world.vsdc.set({ success_code: 'SUCCESS' });
    const panel = await open('a kit');
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'In doubt' }).waitFor();
    await panel.panel
      .getByText('The device has signed this document, but its answer was lost.')
      .waitFor();
    world.vsdc.set({ success_code: '000' });
    await panel.panel
      .getByRole('heading', { name: 'The device has answered with a signature' })
      .waitFor();
    await look(panel, '09-kept-answer');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByRole('button', { name: 'Confirm this signature' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged('a kit')).toHaveLength(1);
  });

  test('a document that may be signed under either of two numbers names both, and that one holds nothing waits for a second person', async () => {
    const ids = { invoice_id: '46000000088800000009', invoice_number: 'INZ-EITHER' };
    world.zoho.add('invoices', business().organizationId, {
      ...structuredClone(world.zoho.document('invoices', named('a kit').id)),
      ...ids,
    });
    const admin = await Api.signIn(world, business().admin);
    world.vsdc.faults(['drop_after_signing']);
    const { id } = (await admin.seal('invoices', ids.invoice_id)).body;
    await until(
      async () => (await admin.get(`/receipts/${id}`)).body,
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    // As if it had been sent to another device before, whose number is taken, and nothing of it
    // here for days.
    await world.sql(
      `with a as (update attempt set started_at = started_at - interval '3 days' where receipt_id = $1)
       update receipt set problem = jsonb_build_object('code', 'maybe_signed_under_either', 'invoice_number', invoice_number::text, 'other_number', '7') where id = $1`,
      [id],
      business().businessId,
    );
    const panel = await openPanel(
      browser,
      world,
      business().organizationId,
      'invoices',
      ids.invoice_id,
    );
    await signIn(panel, business().admin, await codeFor(world, business().admin));
    await panel.panel
      .getByText('or under 7, here or at another device, so nothing of it is sent')
      .waitFor();
    await panel.panel.getByText('Enter the authority’s data').click();
    await panel.panel.getByLabel('Another program’s receipt stands under this number').waitFor();
    await panel.panel.getByLabel('The authority holds nothing under this number').check();
    await panel.panel.getByLabel('Where you found it', { exact: true }).fill('portal');
    const [date, time] = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000)
      .toISOString()
      .split('T');
    await panel.panel
      .getByLabel('When the authority’s list was taken')
      .fill(`${date}T${time?.slice(0, 5)}`);
    await look(panel, '09-under-either');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByRole('button', { name: 'Use this' }).click();
    await panel.panel
      .getByText('A second person has to confirm.', { exact: false })
      .first()
      .waitFor();
    expect((await admin.post(`/receipts/${id}/evidence/drop`)).status).toBe(200);
    const [held] = world.vsdc
      .receipts()
      .filter((each) => each.request.remark === ids.invoice_number);
    const withoutNumber = { ...evidenceOf(held), invoice_number: undefined };
    expect((await admin.post(`/receipts/${id}/evidence`, withoutNumber)).body).toMatchObject({
      code: 'malformed',
      field: 'invoice_number',
    });
    expect((await admin.post(`/receipts/${id}/evidence`, evidenceOf(held))).body.state).toBe(
      'signed',
    );
  });

  test('a signature that came after its document was settled is shown with its numbers, and taken for the receipt', async () => {
    const api = await Api.signIn(world, business().admin);
    world.vsdc.faults(['hold', ...Array.from({ length: 20 }, () => 'refuse:910')]);
    const { body } = await api.seal('invoices', named('a retainer applied').id);
    await world.sql(
      'update attempt set socket_closed_at = now() where receipt_id = $1',
      [body.id],
      business().businessId,
    );
    await until(
      () => api.post(`/receipts/${body.id}/evidence`, { found: false, source: 'the portal' }),
      (each) => each.status === 200,
    );
    world.vsdc.faults([]);
    world.vsdc.release();
    await until(
      async () => (await api.get(`/receipts/${body.id}`)).body,
      (each) => each.problem?.code === 'signed_twice',
    );
    const panel = await open('a retainer applied');
    await panel.panel.getByRole('heading', { name: 'Signed late' }).waitFor();
    await panel.panel
      .getByText('said so only after it had been settled or sent anew')
      .first()
      .waitFor();
    await panel.panel.getByText('Settle the late signature').click();
    await panel.panel.getByText(String(judged('a retainer applied')[0]?.reply.rcptSign)).waitFor();
    await look(panel, '09-late-signature');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByLabel('Where you found it', { exact: true }).fill('portal');
    await panel.panel.getByLabel('It is the receipt of this document').check();
    await panel.panel.getByRole('button', { name: 'Use this' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged('a retainer applied')).toHaveLength(1);
  });

  test('the panel can be closed while the device signs; coming back shows the truth', async () => {
    // The device has signed, and its answer lies on its way until the panel is closed.
    world.vsdc.faults(['hold_answer']);
    const panel = await open('60 lines');
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByText('The device is signing …').waitFor();
    await look(panel, '10-signing');
    // What is said to be signed may not have left the browser yet, and would end with the panel.
    await until(
      () => judged('60 lines').length,
      (count) => count === 1,
    );
    await panel.page.getByRole('button', { name: 'Close the panel' }).click();
    world.vsdc.release();
    await panel.page.getByRole('button', { name: 'Open Muhuri' }).click();
    // Where the browser keeps storage from frames of other sites, the session lived in memory only.
    await panel.panel.getByRole('heading', { name: /Sign in|Sealed|In doubt/ }).waitFor();
    if (await panel.panel.getByLabel('Username').isVisible())
      await signIn(panel, business().admin, await codeFor(world, business().admin));
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged('60 lines')).toHaveLength(1);
  });

  test('what was pressed is sealed although the panel is gone the moment it says that it signs', async () => {
    const ids = { invoice_id: '46000000088800000003', invoice_number: 'INZ-GONE' };
    world.zoho.add('invoices', business().organizationId, {
      ...structuredClone(world.zoho.document('invoices', named('simple sale').id)),
      ...ids,
    });
    const panel = await openPanel(
      browser,
      world,
      business().organizationId,
      'invoices',
      ids.invoice_id,
    );
    await signIn(panel, business().admin, await codeFor(world, business().admin));
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).waitFor();
    // By then it has been asked for, and hardly anything of it has left the browser.
    await panel.page.frames()[1]?.evaluate(`new MutationObserver(() => {
      if (document.body.textContent.includes('The device is signing')) location.replace('about:blank');
    }).observe(document.body, { childList: true, subtree: true })`);
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await until(
      () => panel.page.frames()[1]?.url(),
      (url) => url === 'about:blank',
    );
    await until(
      () =>
        world.vsdc.receipts().filter((each) => each.request.remark === ids.invoice_number).length,
      (count) => count === 1,
    );
  });

  test('switching the invoice in the page switches the panel', async () => {
    const panel = await open('zero-rated only');
    await panel.panel.getByText(named('zero-rated only').number).waitFor();
    await panel.page.evaluate(
      (hash) => {
        (globalThis as unknown as { location: { hash: string } }).location.hash = hash;
      },
      `#/invoices/${named('exempt only').id}`,
    );
    await panel.panel.getByText(named('exempt only').number).waitFor();
  });

  test('another organization than the session’s is said, without a button', async () => {
    const [, second] = world.businesses;
    const foreign = world.zoho
      .documents()
      .find((each) => each.organization_id === second.organizationId);
    const panel = await openPanel(
      browser,
      world,
      second.organizationId,
      'invoices',
      foreign?.id ?? '',
    );
    await signIn(panel, business().user);
    await panel.panel
      .getByRole('heading', { name: 'You are signed in for another organization' })
      .waitFor();
    await look(panel, '11-other-organization');
    expect(await findProblems(panel.page)).toEqual([]);
    expect(await panel.panel.getByRole('button', { name: /Seal/ }).count()).toBe(0);
  });

  test('offline and a session that is over have screens of their own', async () => {
    const panel = await open('zero-rated only');
    await panel.panel.getByRole('heading', { name: 'Ready to seal' }).waitFor();
    await panel.page.route(`${world.app.url}/**`, (route) => route.abort());
    await panel.page.evaluate(
      (hash) => {
        (globalThis as unknown as { location: { hash: string } }).location.hash = hash;
      },
      `#/invoices/${named('foreign currency').id}`,
    );
    await panel.panel.getByRole('heading', { name: 'Muhuri cannot be reached' }).waitFor();
    await look(panel, '12-offline');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.page.unroute(`${world.app.url}/**`);
    await world.sql(
      "update session set expires_at = now() - interval '1 hour'",
      [],
      business().businessId,
    );
    await panel.panel.getByRole('button', { name: 'Try again' }).click();
    await panel.panel.getByText('Your session is over.').waitFor();
    await look(panel, '13-session-over');
  });

  test('it speaks French, fits at twice the size, and works by keyboard alone', async () => {
    const panel = await open('with taxed shipping', { locale: 'fr-FR', as: 'user' });
    const button = panel.panel.getByRole('button', { name: 'Sceller cette facture' });
    await button.waitFor();
    await panel.page.evaluate(() => {
      (
        globalThis as unknown as {
          document: { querySelector(s: string): { style: { width: string } } };
        }
      ).document.querySelector('#pane').style.width = '186px';
    });
    const overflow = await panel.page
      .frames()[1]
      ?.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await look(panel, '14-french-narrow');
    await button.focus();
    await panel.page.keyboard.press('Enter');
    await panel.panel.getByRole('heading', { name: 'Scellé' }).waitFor();
    expect(await findProblems(panel.page)).toEqual([]);
  });
});

describe('what does not go its usual way', () => {
  const sql = (text: string, parameters: unknown[] = []) =>
    world.sql(text, parameters, business().businessId);

  test('a document that waits for the device says for what, and can be withdrawn', async () => {
    await sql('update device set address = $1', ['http://127.0.0.1:9']);
    const panel = await open('very long names');
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'Waiting for the device' }).waitFor();
    await panel.panel.getByRole('button', { name: 'Withdraw' }).waitFor();
    await look(panel, '17-waiting');
    expect(await findProblems(panel.page)).toEqual([]);
    // Not while one of its tries is under way: who presses just then is told so, and presses again.
    const isWithdrawn = () =>
      panel.panel.getByRole('heading', { name: 'Withdrawn' }).waitFor({ timeout: 5_000 });
    await until(
      async () => {
        await panel.panel
          .getByRole('button', { name: 'Withdraw' })
          .click({ timeout: 5_000 })
          .catch(() => {});
        return isWithdrawn().then(
          () => true,
          () => false,
        );
      },
      (is) => is,
    );
    await look(panel, '18-withdrawn');
    expect(await findProblems(panel.page)).toEqual([]);
    await sql('update device set address = $1', [world.vsdc.url]);
    expect(judged('very long names')).toHaveLength(0);
  });

  test('a sealed document that was voided in Zoho afterwards stays sealed and says so', async () => {
    const api = await Api.signIn(world, business().user);
    const document = named('mixed tax classes');
    await api.seal('invoices', document.id);
    world.zoho.change('invoices', document.id, { status: 'void' });
    const panel = await open('mixed tax classes');
    await panel.panel.getByText('The document was voided in Zoho after it was sealed.').waitFor();
    await panel.panel.getByRole('img', { name: 'QR code of the fiscal receipt' }).waitFor();
    await look(panel, '19-drift');
    expect(await findProblems(panel.page)).toEqual([]);
  });

  test('a lost receipt is undone by two persons and the invoice sealed anew', async () => {
    await sql('update business set settings = settings || \'{"reversal_without_data": true}\'');
    const { businessId, admin } = business();
    const second = { ...admin, username: 'second@inzozi', password: 'second-demo-only' };
    await world.app.addPerson(businessId, {
      username: second.username,
      name: 'Second admin',
      email: 's@inzozi.example',
      password: second.password,
      role: 'business_admin',
    });
    await enrol(await Api.signIn(world, second), second.password);
    world.vsdc.faults(['drop_after_signing']);
    const what = 'rounded total';
    const panel = await open(what);
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel
      .getByText('The device has signed this document, but its answer was lost.')
      .waitFor();
    // The data may still come while the first socket is open.
    await sql(
      "update attempt set socket_closed_at = now(), socket_until = now() - interval '1 s' where socket_closed_at is null",
    );
    await longAgo();
    await panel.panel.getByText('The data cannot be found anywhere').click();
    await panel.panel.getByLabel('Reason of the refund').selectOption('06');
    await panel.panel.getByLabel('Where you looked').fill('portal and VSDC log');
    await look(panel, '20-reversal');
    await panel.panel.getByRole('button', { name: 'Propose to undo it' }).click();
    await giveFactor(panel);
    await panel.panel
      .getByText(/a refund under number \d+\. A second person has to confirm\./)
      .waitFor();
    expect(
      await panel.panel.getByRole('button', { name: 'Confirm: undo and seal anew' }).count(),
    ).toBe(0);
    const document = named(what);
    const other = await openPanel(
      browser,
      world,
      business().organizationId,
      document.module,
      document.id,
    );
    await signIn(other, second, await codeFor(world, second));
    await other.panel.getByRole('button', { name: 'Confirm: undo and seal anew' }).waitFor();
    await look(other, '21-reversal-confirm');
    expect(await findProblems(other.page)).toEqual([]);
    // Its refund is refused: the panel says so by itself, and the other way round two persons undo
    // it after all.
    world.vsdc.faults(['refuse:910']);
    await other.panel.getByRole('button', { name: 'Confirm: undo and seal anew' }).click();
    await other.panel
      .getByText(/The refund under number \d+ was not signed\. It can be proposed again\./)
      .waitFor();
    await look(other, '21-reversal-refused');
    expect(await findProblems(other.page)).toEqual([]);
    await other.panel.getByLabel('Reason of the refund').selectOption('06');
    await other.panel.getByLabel('Where you looked').fill('portal and VSDC log, once more');
    await other.panel.getByRole('button', { name: 'Propose to undo it' }).click();
    await other.panel
      .getByText(/a refund under number \d+\. A second person has to confirm\./)
      .waitFor();
    const [{ id } = {}] = await sql(
      "select id from receipt where state = 'in_doubt' and document_id = $1",
      [document.id],
    );
    expect(
      (await confirmShown(await Api.signIn(world, admin), id as string, 'reversal')).status,
    ).toBe(200);
    await other.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    expect(judged(what).map((each) => each.request.rcptTyCd)).toHaveLength(3);
  });
});

describe('the panel beside a foreign invoice', () => {
  test('shows its total in francs before the press, and asks about a rate of 1 with both rates', async () => {
    const api = await Api.signIn(world, business().user);
    await api.seal('invoices', named('foreign currency').id);
    const id = '46000000088800000001';
    const raw = structuredClone(world.zoho.document('invoices', named('foreign currency').id));
    world.zoho.add('invoices', business().organizationId, {
      ...raw,
      invoice_id: id,
      invoice_number: 'INZ-FX',
      exchange_rate: 1,
      bcy_total: raw.total,
    });
    const panel = await openPanel(browser, world, business().organizationId, 'invoices', id);
    await signIn(panel, business().admin, await codeFor(world, business().admin));
    // The figures stand isolated, so that words from right to left around them leave their order
    // alone.
    await panel.panel.getByText('\u20681 USD = 1 RWF\u2069, the document’s own rate of').waitFor();
    await panel.panel.getByText('the last one sealed counted 1447.25').waitFor();
    expect(await panel.panel.getByRole('button', { name: 'Seal this invoice' }).count()).toBe(0);
    await look(panel, '23-foreign-rate');
    expect(await findProblems(panel.page)).toEqual([]);
    await panel.panel.getByLabel('I confirm that this rate is right').check();
    await panel.panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.panel.getByRole('heading', { name: 'Sealed' }).waitFor();
  });
});

describe('the panel beside a credit note', () => {
  test('the refund is offered once its sale is sealed, asks for the reason, and is sealed', async () => {
    const api = await Api.signIn(world, business().user);
    await api.seal('invoices', named('sale, refunded whole below').id);
    const panel = await open('credit note of the whole sale');
    await panel.panel.getByText('A refund needs its reason.').waitFor();
    await panel.panel.getByRole('heading', { name: 'Left of the sale' }).waitFor();
    await look(panel, '15-refund');
    await panel.panel.getByLabel('Reason of the refund').selectOption('06');
    await panel.panel.getByRole('button', { name: 'Seal this refund' }).click();
    await panel.panel.getByRole('heading', { name: 'Refund sealed' }).waitFor();
    await look(panel, '16-refund-sealed');
    expect(await findProblems(panel.page)).toEqual([]);
  });
});

describe('the settings page inside Zoho Books', () => {
  test('is the same bundle from the widget’s own host: signs in across origins and shows the business', async () => {
    const context = await browser.newContext({
      locale: 'en',
      viewport: { width: 1100, height: 800 },
    });
    const page = await context.newPage();
    const frame = `<iframe title="settings" sandbox="allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-downloads" style="width:1000px;height:700px" src="${world.widget?.url}/app/pages.html"></iframe>`;
    await page.goto(`${world.zoho.url.replace('127.0.0.1', 'localhost')}/`);
    await page.setContent(frame);
    const settings = page.frameLocator('iframe[title="settings"]');
    await settings.getByLabel('Username').fill(business().admin.username);
    await settings.getByLabel('Password').fill(business().admin.password);
    await settings.getByRole('button', { name: 'Sign in' }).click();
    await settings
      .getByLabel('Six digits of your authenticator')
      .fill(await codeFor(world, business().admin));
    await settings.getByRole('button', { name: 'Sign in' }).click();
    await settings.getByRole('heading', { name: 'Last 30 days' }).waitFor();
    await settings.getByRole('link', { name: 'People' }).click();
    await settings.getByRole('cell', { name: business().admin.username, exact: true }).waitFor();
    await page.screenshot({ path: join(checkout, '.data/screens/52-settings-in-zoho.png') });
    await context.close();
  });
});

describe('outside Zoho Books', () => {
  test('the panel says where it belongs and asks nobody for a password', async () => {
    const page = await browser.newPage();
    await page.goto(`${world.widget?.url}/app/widget.html`);
    await page.getByRole('heading', { name: 'Open this panel in Zoho Books' }).waitFor();
    expect(await page.getByLabel('Password').count()).toBe(0);
  });
});
