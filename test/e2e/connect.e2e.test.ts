import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, codeFor, enrol, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';
import { openBrowser } from './browser.ts';
import { folder, look } from './look.ts';
import { section } from './sections.ts';

/**
 * An admin connects the business at Zoho, has it set up there, and from then on invoices are sealed
 * as they are sent.
 */
let world: World;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  world = await startWorld({ withWidget: true, instead: { intakeMs: 100 } });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

const heading = (page: Page, name: string) =>
  page.getByRole('heading', { name, exact: true }).waitFor();
const open = async (url: string): Promise<Page> => {
  const context = await browser.newContext({
    locale: 'en',
    viewport: { width: 1440, height: 900 },
    bypassCSP: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  return page;
};

test('connects by consent, is set up in Zoho, and an invoice is sealed by webhook with its seal visible on Zoho’s page', async () => {
  const [business] = world.businesses;
  await enrol(await Api.signIn(world, business.admin), business.admin.password);
  const page = await open(`${world.app.url}/settings`);
  await page.getByLabel('Username', { exact: true }).fill(business.admin.username);
  await page.getByLabel('Password', { exact: true }).fill(business.admin.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page
    .getByLabel('Six digits of your authenticator')
    .fill(await codeFor(world, business.admin));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await section(page, 'Zoho');
  await heading(page, 'Webhook addresses');
  await look(page, '50-zoho');
  // What fails by itself stands here with its reason, and is gone once it works.
  world.zoho.faults(['error'], business.organizationId, '/invoices');
  await page.getByRole('button', { name: 'Look for changes now' }).click();
  await page.getByText('Looking for changes in Zoho fails').waitFor();
  await page.getByText('Invoices Could not be looked through.').waitFor();
  expect(await page.getByText(/Invoices Looked:/).count(), 'nothing says that it was done').toBe(0);
  await look(page, '50-zoho-failing');
  await page.getByRole('button', { name: 'Look for changes now' }).click();
  await page.getByText('Looking for changes in Zoho fails').waitFor({ state: 'detached' });

  // Refused first: nothing changes, and the page says so.
  await page.getByText('Connect again, or allow more').click();
  await page.getByRole('button', { name: 'Connect again' }).click();
  await page.getByRole('heading', { name: 'Muhuri would like to access' }).waitFor();
  await page.getByRole('link', { name: 'Reject' }).click();
  await page.getByText('The approval was refused at Zoho.').waitFor();
  await look(page, '51-refused');

  await page.getByRole('link', { name: 'Back' }).click();
  await page.getByText('Connect again, or allow more').click();
  await page.getByRole('button', { name: 'Connect again' }).click();
  await page.getByRole('link', { name: /Keza Owner/ }).click();
  await heading(page, 'Organizations and businesses');
  await page.getByText('Umucyo Office Supplies', { exact: true }).waitFor();
  expect(page.url(), 'no code stays in the address').not.toContain('code=');
  await look(page, '52-organizations');

  await section(page, 'Zoho');
  await page.getByRole('button', { name: 'Set up', exact: true }).click();
  await page.getByRole('button', { name: 'Take away' }).waitFor();
  const automation = page
    .locator('section.card')
    .filter({ has: page.getByRole('heading', { name: 'By itself', exact: true }) });
  await until(
    () => automation.getByLabel('Write the seal to the invoice in Zoho').isChecked(),
    (isOn) => isOn,
  );
  await page.getByLabel('Seal by itself').selectOption('sent');
  await page.getByText('Zoho mails an invoice before the seal exists.').waitFor();
  await page.getByLabel('Have Zoho mail the invoice once it is sealed').check();
  await automation.getByRole('button', { name: 'Save' }).click();
  await automation.getByText('Saved.').waitFor();

  const source = world.zoho
    .documents()
    .find((each) => each.organization_id === business.organizationId && each.what === 'draft');
  world.zoho.change('invoices', source?.id ?? '', { status: 'sent' });
  const seen = await until(
    () => world.zoho.seenOn(source?.id ?? ''),
    (found) => found.mails.length > 0,
    30_000,
  );
  expect(seen.attachments).toHaveLength(1);
  await page.reload();
  await page.getByText('Accepted').first().waitFor();
  await look(page, '53-zoho-working');

  await page.getByRole('button', { name: 'Look for changes now' }).click();
  await page.getByText(/Invoices Looked: \d+ new or changed\./).waitFor();
  await section(page, 'To seal');
  await page
    .getByRole('checkbox', { name: /Choose INZ-/ })
    .first()
    .waitFor();
  await look(page, '56-to-seal');
  const boxes = page.getByRole('checkbox', { name: /Choose INZ-/ });
  for (const at of [0, 1]) await boxes.nth(at).check();
  await page.getByRole('button', { name: 'Seal the chosen (2)' }).click();
  await page.getByRole('button', { name: 'Seal the chosen (0)' }).waitFor();
  // What nothing but its age keeps back is confirmed for several at once, each named with what it
  // comes to.
  const admin = await Api.signIn(world, business.admin);
  const { version } = (await admin.get('/businesses/me/config')).body;
  expect(
    (await admin.put('/businesses/me/config', { settings: { document_age_days_max: 1 }, version }))
      .status,
  ).toBe(200);
  const listed = (
    (await admin.get('/documents?limit=200')).body.documents as {
      document_id: string;
      document_number: string;
    }[]
  ).map((each) => each.document_id);
  const old = world.zoho
    .documents()
    .filter((each) => each.canSeal && each.module === 'invoices' && listed.includes(each.id));
  await page.getByRole('button', { name: 'Seal the chosen (0)' }).waitFor();
  for (const { number } of old.slice(0, 2))
    await page.getByRole('checkbox', { name: `Choose ${number}`, exact: true }).check();
  await page.getByRole('button', { name: 'Seal the chosen (2)' }).click();
  await page.getByText('2 documents are older than your business usually seals.').waitFor();
  for (const { number } of old.slice(0, 2))
    await page.getByRole('listitem').filter({ hasText: number }).waitFor();
  await look(page, '57-old-ones');
  await page.getByRole('button', { name: 'Seal these all the same (2)' }).click();
  await page
    .getByText('2 documents are older than your business usually seals.')
    .waitFor({ state: 'detached' });
  await until(
    async () =>
      (
        await admin.get(
          `/documents?document_ids=${old.slice(0, 2).map(({ id }) => id)}&standing=sealed`,
        )
      ).body.documents as unknown[],
    (sealed) => sealed.length === 2,
  );
  await section(page, 'Zoho');

  await page.getByRole('button', { name: 'Make an address' }).click();
  await page.getByText('Shown this once.').waitFor();
  const own = page
    .locator('section.card')
    .filter({ has: page.getByRole('heading', { name: 'Your own programs', exact: true }) });
  await own.getByLabel('Address').fill(`${world.vsdc.url}/_sim/told`);
  await own.getByRole('button', { name: 'Add an address' }).click();
  await own.getByText('Shown this once.').waitFor();

  const zoho = await open(
    `${world.zoho.url.replace('127.0.0.1', 'localhost')}/?organization=${business.organizationId}#/invoices/${source?.id}`,
  );
  await zoho.getByText(/Fiscal SDC ID: SDC/).waitFor();
  await zoho.getByText(/fiscal-receipt-.*goes with the mail/).waitFor();
  await zoho.screenshot({ path: `${folder}/54-seal-in-zoho.png`, fullPage: true });

  await page.getByRole('button', { name: 'Disconnect' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
  await page.getByText('This business is not connected to Zoho Books yet.').waitFor();
  await look(page, '55-disconnected');

  // Other books, which the other business has given up: what is due in the ones before is left open
  // only by whoever has read how many there are.
  const their = await Api.signIn(world, world.businesses[1].admin);
  await enrol(their, world.businesses[1].admin.password);
  const [theirs] = await world.sql(
    "select id from connection where status <> 'ended'",
    [],
    world.businesses[1].businessId,
  );
  expect((await their.post(`/oauth/disconnect/${theirs?.id}`)).status).toBe(200);
  await page.getByRole('button', { name: 'Connect with Zoho' }).click();
  await page.getByRole('link', { name: /Keza Owner/ }).click();
  await heading(page, 'Organizations and businesses');
  const others = page.getByRole('row').filter({ hasText: world.businesses[1].organizationId });
  await others.getByRole('button', { name: 'Connect', exact: true }).click();
  await page
    .getByRole('alert')
    .filter({ hasText: 'The books connected before still hold documents' })
    .waitFor();
  const leave = page.getByRole('button', { name: /^Connect and leave these open \(\d+\)$/ });
  expect(
    await page.evaluate('document.activeElement.textContent'),
    'the question has the focus',
  ).toMatch(/^Documents of the books before, left open: \d+\./);
  await look(page, '58-leave-open');
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await leave.waitFor({ state: 'detached' });
  await others.getByRole('button', { name: 'Connect', exact: true }).click();
  await leave.press('Enter');
  await page.getByText('Saved.').waitFor();
  await leave.waitFor({ state: 'detached' });
  expect(
    await world.sql(
      "select organization_id from connection where status <> 'ended'",
      [],
      business.businessId,
    ),
  ).toEqual([{ organization_id: world.businesses[1].organizationId }]);
}, 120_000);
