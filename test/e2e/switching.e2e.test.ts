import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, codeOf } from '../api.ts';
import { startWorld, type World } from '../world.ts';
import { openBrowser } from './browser.ts';
import { folder, look } from './look.ts';
import { section } from './sections.ts';

let world: World;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  world = await startWorld({ rehearsing: [0], instead: { waitMs: 10_000, sweepMs: 300 } });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
});

/**
 * Whatever asks for the second factor asks once: it is set up in the dialog and the step goes on by
 * itself.
 */
async function setUpFactor(page: Page, password: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Present password').fill(password);
  await dialog.getByRole('button', { name: 'Show the code to scan' }).click();
  const secret = (await dialog.locator('code').innerText()).replaceAll(' ', '');
  await dialog.getByLabel('Six digits of your authenticator').fill(codeOf(secret));
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await dialog.waitFor({ state: 'detached' });
}

test('an administrator takes a branch to production: enters the device, sets it up, switches, and finds what was before', async () => {
  const [business] = world.businesses;
  const user = await Api.signIn(world, business.user);
  const admin = await Api.signIn(world, business.admin);
  const document = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
    );
  expect((await user.seal('invoices', document?.id ?? '')).body.state).toBe('signed');
  world.vsdc.approve({
    tin: business.taxpayerId,
    bhfId: '00',
    serial: 'inzozi-production',
    name: 'INZOZI COFFEE TRADERS',
    sdcId: 'SDC020000001',
  });

  const context = await browser.newContext({
    locale: 'en',
    viewport: { width: 1440, height: 900 },
    bypassCSP: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${world.app.url}/settings`);
  await page.getByLabel('Username').fill(business.admin.username);
  await page.getByLabel('Password', { exact: true }).fill(business.admin.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await section(page, 'Branches and devices');
  await page.getByRole('button', { name: 'Go to production' }).first().click();
  await page.getByLabel('Address of the VSDC', { exact: true }).last().fill(world.vsdc.url);
  await page.getByLabel('Device serial', { exact: true }).last().fill('inzozi-production');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await setUpFactor(page, business.admin.password);
  const next = page.getByRole('region', { name: 'The device that follows' });
  await next.getByText('Not set up yet').waitFor();
  await next.getByRole('button', { name: 'Initialise' }).click();
  await next.getByRole('button', { name: 'Switch for good' }).waitFor();
  await look(page, '60-next-device');
  await next.getByRole('button', { name: 'Switch for good' }).click();
  await page.getByText('Retired devices').click();
  await page.getByText('Seals for real since').waitFor();
  await look(page, '61-in-production');
  await admin.post('/zoho/poll');
  await section(page, 'To seal');
  await page.getByLabel('Where it stands').selectOption('before_production');
  await page.getByText('I know that no other system sealed').waitFor();
  await page.getByRole('row').nth(1).waitFor();
  await look(page, '62-before-production');
  expect(await page.getByRole('button', { name: 'Seal the chosen' }).isDisabled()).toBe(true);
  // Or another system did, and somebody says so once for all that are chosen, and takes it back for
  // one.
  await page.getByRole('button', { name: 'Choose all' }).click();
  const why = page.getByLabel('How do you know that another system sealed them?');
  await why.fill('The old EBM sealed until today');
  await page.getByRole('button', { name: /^Sealed by another system \(\d+\)$/ }).click();
  await page.getByText('Marked.').waitFor();
  await page.getByLabel('Where it stands').selectOption('sealed_elsewhere');
  await page.getByText('The old EBM sealed until today').first().waitFor();
  await page.getByRole('row').nth(1).getByRole('checkbox').check();
  await look(page, '63-sealed-elsewhere');
  await page.getByRole('button', { name: 'Not sealed by another system after all (1)' }).click();
  await page.getByText('Taken back: they are due again.').waitFor();
  // The month below tells it at once.
  await page
    .getByRole('row', { name: /^Invoices Sealed by another system/ })
    .first()
    .waitFor();
}, 90_000);
