import { readFile } from 'node:fs/promises';
import { loadDialects } from '../dialects/index.ts';
import { registrationUnder } from '../onboarding/index.ts';
import { type Settings, withApp } from './with-app.ts';

/**
 * Creates a business from a file until registration has a screen. Its devices are initialised
 * later, on the branches page.
 */
export async function addBusiness(settings: Settings, file: string | undefined): Promise<void> {
  if (!file)
    throw new Error('Name the file that describes the business: pnpm business:add business.json');
  const registration = registrationUnder(await loadDialects());
  const parsed = registration.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success)
    throw new Error(
      `The file does not describe a business:\n${parsed.error.issues.map((issue) => `  - ${issue.path.join('.')}: ${issue.message}`).join('\n')}`,
    );
  await withApp(
    settings,
    async (app) => {
      const made = await app.registerBusiness(parsed.data);
      console.info(
        `Registered ${parsed.data.business.business_name} as ${made.businessId}. Sign in as ${parsed.data.account.username} on the branches page to initialise or adopt its device.`,
      );
    },
    { sweepMs: 3_600_000 },
  );
}
