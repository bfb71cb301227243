import type { Page } from 'playwright-core';

/**
 * Opens a section of the settings page or the console by its link. What follows may ask for words
 * that the section before shows too, so it goes on only when the section is the one on screen and
 * has what it loads.
 */
export async function section(page: Page, name: string): Promise<void> {
  const link = page.getByRole('navigation').getByRole('link', { name, exact: true });
  await link.click();
  await link.and(page.locator('[aria-current="page"]')).waitFor();
  await page.getByText('Loading …').first().waitFor({ state: 'detached' });
}
