import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openBrowser } from '../e2e/browser.ts';
import { checkout, startWorld, type World } from '../world.ts';
import { line, median, spread } from './measure.ts';

/** What the panel costs to load, and how soon a person can use it inside the page. */
export async function benchWidget(postgres: World['postgres']): Promise<void> {
  const built = spawnSync(process.execPath, ['widget/build.ts'], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (built.status !== 0) throw new Error('the widget could not be built');
  const bytes = ['widget.html', 'main.js', 'widget.css', 'settings.js'].map(
    (name) => gzipSync(readFileSync(join(checkout, 'app', name))).length,
  );
  line(
    'panel, first load, code and styles, gzip',
    `${((bytes[1] as number) + (bytes[2] as number)) / 1000} kB`,
    'aim < 25 kB',
  );
  const world = await startWorld({ postgres, withWidget: true });
  const browser = await openBrowser();
  const organizationId = world.businesses[0].organizationId;
  const [document] = world.zoho.documents();
  const usable: number[] = [];
  const empty: number[] = [];
  for (let i = 0; i < 8; i++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(
      `${world.zoho.url.replace('127.0.0.1', 'localhost')}/?organization=${organizationId}#/invoices/${document?.id}`,
    );
    const started = performance.now();
    await page.getByRole('button', { name: 'Open Muhuri' }).click();
    await page
      .frameLocator('iframe[title="Muhuri"]')
      .getByRole('button', { name: 'Sign in', exact: true })
      .waitFor();
    if (i > 0) usable.push(performance.now() - started);
    const other = await context.newPage();
    const bare = performance.now();
    await other.setContent('<button>Sign in</button>');
    await other.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    if (i > 0) empty.push(performance.now() - bare);
    await context.close();
  }
  line('panel, click to usable', `${median(usable).toFixed(0)} ms (${spread(usable)})`);
  line(
    '  a page with one button, the same way measured',
    `${median(empty).toFixed(0)} ms (${spread(empty)})`,
  );
  await browser.close();
  await world[Symbol.asyncDispose]();
}
