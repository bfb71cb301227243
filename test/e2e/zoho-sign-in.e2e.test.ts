import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../api.ts';
import { checkout, startWorld, type World } from '../world.ts';
import { openBrowser, openKeeping } from './browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld({ withWidget: true });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

const business = (index: 0 | 1 = 0) => world.businesses[index];
const sales = (index: 0 | 1 = 0) =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === business(index).organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    );
const place = (index: 0 | 1, hash: string) =>
  `${world.zoho.url.replace('127.0.0.1', 'localhost')}/?organization=${business(index).organizationId}#${hash}`;
const screen = (page: Page, name: string) =>
  page.screenshot({ path: join(checkout, `.data/screens/${name}.png`) });
const frameOf = (page: Page): FrameLocator => page.frameLocator('iframe[title="Muhuri"]');
const codeIn = async (panel: FrameLocator): Promise<string> =>
  (await panel.locator('.pairing-code').innerText()).trim();

async function sound(page: Page, inFrame: boolean): Promise<void> {
  const frame = page.frames()[inFrame ? 1 : 0] ?? page.mainFrame();
  await frame.evaluate(axe);
  const { violations } = (await frame.evaluate(
    'axe.run(document, {resultTypes: ["violations"]})',
  )) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  expect(violations.map((each) => `${each.id}: ${each.nodes[0]?.html}`)).toEqual([]);
}

const context = (options: object = {}): Promise<BrowserContext> =>
  browser.newContext({ locale: 'en', viewport: { width: 1280, height: 900 }, ...options });

async function openDocument(within: BrowserContext, index: 0 | 1, id: string): Promise<Page> {
  const page = await within.newPage();
  await page.goto(place(index, `/invoices/${id}`));
  await page.getByRole('button', { name: 'Open Muhuri' }).click();
  return page;
}

/** On our page: type the code, approve at Zoho as that person, and say yes. */
async function approve(page: Page, code: string, as: RegExp): Promise<void> {
  await page.getByLabel('Code that the panel shows').fill(code);
  await page.getByRole('button', { name: 'Continue to Zoho' }).click();
  await page.getByRole('link', { name: as }).click();
  await page.getByRole('heading', { name: 'Did you open this panel just now?' }).waitFor();
}

describe('a person enters with their Zoho account', () => {
  test('the panel shows a code, the window beside it asks for it, Zoho approves, and the panel goes on by itself', async () => {
    const here = await context();
    const page = await openDocument(here, 0, sales()[0]?.id ?? '');
    const panel = frameOf(page);
    await panel.getByRole('heading', { name: 'Sign in to seal documents' }).waitFor();
    await screen(page, '60-with-zoho');
    const opening = here.waitForEvent('page');
    await panel.getByRole('button', { name: 'Sign in with Zoho' }).click();
    const window = await opening;
    const code = await codeIn(panel);
    expect(code).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
    expect(window.url(), 'the code is typed, never followed').not.toContain(code);
    await screen(page, '61-with-zoho-code');
    await sound(page, true);
    await window.getByLabel('Code that the panel shows').fill('BBBB-BBBB');
    await window.getByRole('button', { name: 'Continue to Zoho' }).click();
    await window.getByText('This code is wrong, was used already, or is over.').waitFor();
    await screen(window, '62-zoho-code-wrong');
    await sound(window, false);
    await approve(window, code, /Accept as Mugisha Staff/);
    for (const text of [
      'Inzozi Coffee Traders',
      business().organizationId,
      'mugisha.staff@zoho.example',
    ])
      await window.getByText(text).first().waitFor();
    expect(window.url(), 'nothing of Zoho’s answer stays in the address').toMatch(
      /#\/zoho-sign-in$/,
    );
    await screen(window, '63-zoho-question');
    await sound(window, false);
    await window.getByLabel('Language').selectOption('ar');
    await screen(window, '63-zoho-question.rtl');
    await window.getByLabel('اللغة').selectOption('en');
    await window.getByRole('button', { name: 'Yes, I opened it' }).click();
    await window.getByText('Approved. The panel signs in by itself').waitFor();
    await screen(window, '64-zoho-approved');
    await panel.getByText('Mugisha Staff').waitFor();
    await panel.getByRole('button', { name: 'Seal this invoice' }).click();
    await panel.getByRole('heading', { name: 'Sealed' }).waitFor();
    // Its token is over; the panel renews it without asking anybody.
    await world.sql(
      "update session set expires_at = now() - interval '1 minute' where family is not null",
      [],
      business().businessId,
    );
    await page.evaluate((hash) => {
      (globalThis as unknown as { location: { hash: string } }).location.hash = hash;
    }, `/invoices/${sales()[3]?.id}`);
    await panel.getByText(sales()[3]?.number ?? '').waitFor();
    await panel.getByRole('button', { name: 'Seal this invoice' }).waitFor();
    await here.close();
  });

  test('also where the frame may keep nothing and open nothing: by a link to follow; whoever says no keeps everybody out', async () => {
    const here = await context();
    await here.addInitScript(() => {
      const page = globalThis as unknown as { top: unknown; self: unknown };
      if (page.top === page.self) return;
      const blocked = () => {
        throw new DOMException('blocked', 'SecurityError');
      };
      for (const name of ['sessionStorage', 'localStorage', 'indexedDB'])
        Object.defineProperty(globalThis, name, { get: blocked });
      Object.assign(globalThis, { open: () => null });
    });
    const page = await openDocument(here, 0, sales()[1]?.id ?? '');
    const panel = frameOf(page);
    await panel.getByRole('button', { name: 'Sign in with Zoho' }).click();
    const refused = await codeIn(panel);
    const [window] = await Promise.all([
      here.waitForEvent('page'),
      panel.getByRole('link', { name: 'Open the page' }).click(),
    ]);
    await approve(window, refused, /Accept as Mugisha Staff/);
    await window.getByRole('button', { name: 'No, it was not me' }).click();
    await window.getByText('Refused. Nobody got in').waitFor();
    await panel.getByText('said that they did not open this panel').waitFor();
    await screen(page, '65-zoho-denied');
    await panel.getByRole('button', { name: 'Sign in with Zoho' }).click();
    const code = await until(
      () => codeIn(panel),
      (text) => text !== refused,
    );
    await window.goto(`${world.app.url}/zoho`);
    await approve(window, code, /Accept as Mugisha Staff/);
    await window.getByRole('button', { name: 'Yes, I opened it' }).click();
    await panel.getByText('Mugisha Staff').waitFor();
    await panel.getByRole('button', { name: 'Seal this invoice' }).waitFor();
    await here.close();
  });

  test('in two organizations side by side, and whose Zoho account ends is told so', async () => {
    const here = await context();
    const enter = async (index: 0 | 1, as: RegExp) => {
      const page = await openDocument(here, index, sales(index)[2]?.id ?? '');
      const opening = here.waitForEvent('page');
      await frameOf(page).getByRole('button', { name: 'Sign in with Zoho' }).click();
      const window = await opening;
      await approve(window, await codeIn(frameOf(page)), as);
      await window.getByRole('button', { name: 'Yes, I opened it' }).click();
      await frameOf(page).getByText('Keza Owner').waitFor();
      await window.close();
      return page;
    };
    const [one, two] = [
      await enter(0, /Accept as Keza Owner/),
      await enter(1, /Accept as Keza Owner/),
    ];
    for (const page of [one, two])
      await frameOf(page).getByRole('button', { name: 'Seal this invoice' }).waitFor();
    const place = world.zoho.users().find((each) => each.name === 'Keza Owner')?.organizations[
      business(1).organizationId
    ] as { status: string };
    place.status = 'inactive';
    await world.sql(
      "update session set expires_at = now() - interval '1 minute', zoho_checked_at = now() - interval '10 minutes' where family is not null",
      [],
      business(1).businessId,
    );
    await frameOf(two).getByRole('button', { name: 'Seal this invoice' }).click();
    await frameOf(two)
      .getByText('Your Zoho account is no longer an active user of this organization')
      .waitFor();
    await screen(two, '66-zoho-ended');
    await frameOf(one).getByRole('button', { name: 'Seal this invoice' }).click();
    await frameOf(one).getByRole('heading', { name: 'Sealed' }).waitFor();
    await here.close();
  });
});

describe('beside Zoho’s list of invoices', () => {
  test('the list widget signs in for the organization that is open, and the bulk action seals what was chosen there', async () => {
    const here = await openKeeping();
    const page = await here.newPage();
    await page.goto(place(0, '/invoices'));
    await page.getByRole('button', { name: 'Open Muhuri' }).click();
    const list = frameOf(page);
    await list.getByRole('heading', { name: 'Sign in to Muhuri' }).waitFor();
    const opening = here.waitForEvent('page');
    await list.getByRole('button', { name: 'Sign in with Zoho' }).click();
    const window = await opening;
    await approve(window, await codeIn(list), /Accept as Mugisha Staff/);
    await window.getByRole('button', { name: 'Yes, I opened it' }).click();
    await list.getByRole('heading', { name: 'To seal' }).waitFor();
    await list.getByText('Zoho has not been looked through yet').waitFor();
    await screen(page, '67-list-widget');
    await page.getByRole('button', { name: 'Close the panel' }).click();

    const [a, b] = sales().slice(5, 7);
    for (const each of [a, b]) await page.getByLabel(`Choose ${each?.number}`).check();
    await page.getByRole('button', { name: 'Seal with Muhuri' }).click();
    const bulk = frameOf(page);
    // Signed in already: where the browser lets frames keep something, one session serves every
    // widget of the organization.
    await bulk.getByRole('heading', { name: 'Chosen in Zoho Books' }).waitFor();
    await screen(page, '68-bulk');
    await sound(page, true);
    await bulk.getByRole('button', { name: 'Seal the chosen (2)' }).click();
    const receipts = () =>
      world.sql(
        "select document_id from receipt where state = 'signed' and document_id = any($1)",
        [[a?.id, b?.id]],
        business().businessId,
      );
    await until(receipts, (rows) => rows.length === 2);
    await until(
      () => bulk.getByRole('row').allInnerTexts(),
      (rows) => rows.filter((row) => /Sealed/.test(row) && !/To seal/.test(row)).length === 2,
    );
    await screen(page, '69-bulk-sealed');
    await bulk.getByRole('button', { name: 'Show everything that is open' }).click();
    await bulk.getByRole('heading', { name: 'To seal' }).waitFor();
    await page.getByRole('button', { name: 'Close the panel' }).click();

    // Where Zoho does not say what is chosen, the whole list is there instead, and says so.
    for (const each of [a, b]) await page.getByLabel(`Choose ${each?.number}`).uncheck();
    await page.getByRole('button', { name: 'Seal with Muhuri' }).click();
    await bulk.getByText('Zoho Books did not say which invoices are chosen').waitFor();
    await here.close();
  });
});
