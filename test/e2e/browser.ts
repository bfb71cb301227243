import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  chromium,
  type FrameLocator,
  type Page,
} from 'playwright-core';
import { checkout, type DemoAccount, type World } from '../world.ts';
import { findChromium } from './chromium.ts';

const how = () => {
  const found = findChromium();
  if ('problem' in found) throw new Error(found.problem);
  return {
    executablePath: found.path,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
};

/** Its windows are private ones: a frame of another site may keep nothing in them. */
export const openBrowser = (): Promise<Browser> => chromium.launch(how());

/**
 * An ordinary window of a browser that lets frames of another site keep something for as long as
 * the tab lives.
 */
export function openKeeping(): Promise<BrowserContext> {
  const folder = mkdtempSync(join(tmpdir(), 'muhuri-browser-'));
  mkdirSync(join(folder, 'Default'));
  writeFileSync(
    join(folder, 'Default/Preferences'),
    JSON.stringify({ profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }),
  );
  return chromium.launchPersistentContext(folder, {
    ...how(),
    locale: 'en',
    viewport: { width: 1280, height: 900 },
  });
}

export type Panel = { page: Page; panel: FrameLocator };

/** A document open in the look-alike with the panel beside it. */
export async function openPanel(
  browser: Browser,
  world: World,
  organizationId: string,
  module: 'invoices' | 'creditnotes',
  id: string,
  options: { locale?: string; width?: number } = {},
): Promise<Panel> {
  const context = await browser.newContext({
    locale: options.locale ?? 'en',
    viewport: { width: options.width ?? 1280, height: 900 },
    acceptDownloads: true,
  });
  const page = await context.newPage();
  await page.goto(
    `${world.zoho.url.replace('127.0.0.1', 'localhost')}/?organization=${organizationId}#/${module}/${id}`,
  );
  await page.getByRole('button', { name: 'Open Muhuri' }).click();
  return { page, panel: page.frameLocator('iframe[title="Muhuri"]') };
}

/** `code`: what the person's authenticator shows now; empty where they have none. */
export async function signIn({ panel }: Panel, account: DemoAccount, code = ''): Promise<void> {
  await panel.getByLabel(/Username|Identifiant/).fill(account.username);
  await panel.getByLabel(/Password|Mot de passe/).fill(account.password);
  const enter = panel.getByRole('button', { name: /^(?:Sign in|Se connecter)$/ });
  await enter.click();
  if (!code) return;
  await panel.getByLabel(/Six digits|Six chiffres/).fill(code);
  await enter.click();
}

/** For the eye: what each state looks like, light and right-to-left. */
export async function look({ page }: Panel, name: string): Promise<void> {
  const folder = join(checkout, '.data/screens');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
  const frame = page.frames()[1];
  await frame?.evaluate(() => {
    (
      globalThis as unknown as { document: { documentElement: { dir: string } } }
    ).document.documentElement.dir = 'rtl';
  });
  await page.locator('#pane').screenshot({ path: join(folder, `${name}.rtl.png`) });
  await frame?.evaluate(() => {
    (
      globalThis as unknown as { document: { documentElement: { dir: string } } }
    ).document.documentElement.dir = 'ltr';
  });
}
