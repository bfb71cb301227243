import type { Settings } from './cli/with-app.ts';
import { readSettings } from './cli/read-settings.ts';
import { StartError } from './platform/start-error.ts';

/** A command; each is loaded when it is asked for. */
type Command = (settings: Settings, given: string[]) => Promise<void>;

const commands: Record<string, Command> = {
  serve: async (settings) => (await import('./cli/serve.ts')).serve(settings),
  migrate: async (settings) => (await import('./cli/migrate.ts')).migrateDatabase(settings),
  'business:add': async (settings, [file]) =>
    (await import('./cli/add-business.ts')).addBusiness(settings, file),
  'trail:verify': async (settings, given) =>
    failUnless(await (await import('./cli/verify-audit-log.ts')).verifyLogs(settings, given)),
  'keys:rotate': async (settings) => (await import('./cli/rotate-keys.ts')).rotateKeys(settings),
  'operator:invite': async (settings, [email]) =>
    (await import('./cli/invite-operator.ts')).inviteOperator(settings, email),
  'evidence:key': async ({ secrets }) =>
    (await import('./cli/show-evidence-key.ts')).showEvidenceKey(secrets),
};

/**
 * `serve` (production), `migrate`, `business:add <file>`, `trail:verify [business id] [--heads
 * <log>]`, `keys:rotate`, `operator:invite <e-mail>`, `evidence:key`, and `evidence:verify <pack>
 * [papers] --key <fingerprint>`, which needs nothing.
 */
async function main(): Promise<void> {
  const [command = 'serve', ...given] = process.argv.slice(2);
  // Needs no settings and no database: whoever was handed a pack can check it.
  if (command === 'evidence:verify')
    return failUnless(await (await import('./cli/verify-evidence.ts')).verifyPack(given));
  const settings = await readSettings(process.env);
  await (commands[command] ?? (commands.serve as Command))(settings, given);
}

function failUnless(isWhole: boolean): void {
  if (!isWhole) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
});
