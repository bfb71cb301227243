import { readFile } from 'node:fs/promises';
import type { Context } from '../context.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { RegisterBusiness } from './register-business.ts';
import { registrationUnder } from './registration.ts';

type Running = {
  registerBusiness: RegisterBusiness;
  contextOf(businessId: string): Context;
  initialiseDevice(ctx: Context, branchId: string): Promise<void>;
  close(): Promise<void>;
};

/**
 * Creates a business from a file until registration has a screen. Its devices are initialised
 * later, on the branches page.
 */
export async function addBusiness(
  file: string | undefined,
  dialects: Dialects,
  start: (instead: { sweepMs: number }) => Promise<Running>,
): Promise<void> {
  if (!file)
    throw new Error('Name the file that describes the business: pnpm business:add business.json');
  const parsed = registrationUnder(dialects).safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success)
    throw new Error(
      `The file does not describe a business:\n${parsed.error.issues.map((issue) => `  - ${issue.path.join('.')}: ${issue.message}`).join('\n')}`,
    );
  const app = await start({ sweepMs: 3_600_000 });
  try {
    const made = await app.registerBusiness(parsed.data);
    console.info(
      `Registered ${parsed.data.business.business_name} as ${made.businessId}. Sign in as ${parsed.data.account.username} on the branches page to initialise or adopt its device.`,
    );
  } finally {
    await app.close();
  }
}
