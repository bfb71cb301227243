import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page, Request } from 'playwright-core';
import { expect } from 'vitest';
import { until } from '../api.ts';
import { checkout } from '../world.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures of the screens are kept for whoever wants to look at them. */
export const folder = join(checkout, '.data/screens');
const guide = join(checkout, 'server/src/onboarding/guide');

/**
 * One picture wide, one as narrow as a phone, one right to left; axe finds nothing in any, and
 * nothing sticks out.
 */
export async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  // The guide's pictures are renewed when asked for, so that an ordinary run changes no file of the
  // project.
  if (process.env.GUIDE_PICTURES && existsSync(join(guide, `${name}.png`)))
    await page.screenshot({ path: join(guide, `${name}.png`) });
  expect(await findings(page), name).toEqual([]);
  expect(await beyondTheKeyboard(page), `${name} by keyboard`).toEqual([]);
  await page.setViewportSize({ width: 360, height: 800 });
  await atItsTop(page);
  await page.screenshot({ path: join(folder, `${name}.360.png`), fullPage: true });
  expect(
    await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    ),
    `${name} at 360 px`,
  ).toBeLessThanOrEqual(0);
  expect(await textsOverEachOther(page), `${name} at 360 px`).toEqual([]);
  await page.setViewportSize({ width: 1440, height: 900 });
  await read(page, 'ar');
  await atItsTop(page);
  await page.screenshot({ path: join(folder, `${name}.rtl.png`), fullPage: true });
  expect(await findings(page), `${name} in Arabic`).toEqual([]);
  await read(page, 'en');
}

/**
 * Has the page in another language: what the server says is asked for anew with it, and until it
 * has come stands there in the language before.
 */
async function read(page: Page, language: 'ar' | 'en'): Promise<void> {
  const underWay = new Set<Request>();
  const begun = (request: Request) =>
    void (request.url().includes('/api/') && underWay.add(request));
  const ended = (request: Request) => void underWay.delete(request);
  page.on('request', begun).on('requestfinished', ended).on('requestfailed', ended);
  await page.getByRole('combobox').first().selectOption(language);
  await page.locator(`html[dir="${language === 'ar' ? 'rtl' : 'ltr'}"]`).waitFor();
  // The page asks after it has painted, and shows what it hears when it paints again.
  await painted(page);
  await until(
    () => underWay.size,
    (n) => n === 0,
  );
  await painted(page);
  page.off('request', begun).off('requestfinished', ended).off('requestfailed', ended);
  await page
    .getByText(language === 'ar' ? 'جارٍ التحميل' : 'Loading …')
    .first()
    .waitFor({ state: 'detached' });
}
/**
 * Texts that are painted over other texts, so that neither can be read; what only a screen reader
 * is given is cut away and no matter.
 */
async function textsOverEachOther(page: Page): Promise<string[]> {
  return (await page.evaluate(`(() => {
    const isCutAway = (element) => element !== null && (getComputedStyle(element).clipPath !== 'none' || isCutAway(element.parentElement));
    const texts = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest('option, select, iframe') || isCutAway(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) if (box.width > 2) texts.push({ node, box, text: node.data.trim().slice(0, 60) });
    }
    const found = [];
    for (let i = 0; i < texts.length; i++)
      for (let j = i + 1; j < texts.length; j++) {
        const [a, b] = [texts[i].box, texts[j].box];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (texts[i].node !== texts[j].node && across > 2 && down > Math.min(a.height, b.height) / 2) found.push(texts[i].text + ' / ' + texts[j].text);
      }
    return found;
  })()`)) as string[];
}

/** What sticks to the top of the window stands at the top of the picture. */
const atItsTop = (page: Page) => page.evaluate('window.scrollTo(0, 0)').then(() => painted(page));
const painted = (page: Page) =>
  page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))',
  );

/**
 * What can be pressed or filled by pointer but is not reached by the Tab key, going round the page
 * (what a framed document has inside is gone through too). Of radio buttons one stands for its
 * group; a dialog keeps the keyboard to itself.
 */
async function beyondTheKeyboard(page: Page): Promise<string[]> {
  const all = (await page.evaluate(`(() => {
    const root = document.querySelector('dialog[open]') ?? document.body;
    const operable = [...root.querySelectorAll('a[href], button, input, select, textarea, summary, [onclick], [role=button]')];
    const shown = operable.filter((each) => each.checkVisibility() && !each.disabled && each.type !== 'radio');
    shown.forEach((each, at) => each.setAttribute('data-at', String(at)));
    document.activeElement?.blur();
    window.scrollTo(0, 0);
    return shown.map((each) => each.outerHTML.slice(0, 120));
  })()`)) as string[];
  expect(all.length).toBeGreaterThan(0);
  const reached = new Set<string>();
  for (let step = 0; step < all.length * 4 + 60 && reached.size < all.length; step++) {
    await page.keyboard.press('Tab');
    reached.add(
      String(await page.evaluate(`document.activeElement?.getAttribute('data-at') ?? 'elsewhere'`)),
    );
    reached.delete('elsewhere');
  }
  await page.evaluate(
    `document.querySelectorAll('[data-at]').forEach((each) => each.removeAttribute('data-at'))`,
  );
  return all.filter((_, at) => !reached.has(String(at)));
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run(document, {resultTypes: ["violations"]})')) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations.map(
    (each) => `${each.id}: ${each.nodes[0]?.html} ${each.nodes[0]?.failureSummary}`,
  );
}
