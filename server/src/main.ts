import { startApp, StartError } from './app.ts';
import { readConfig } from './config.ts';
import { migrate, openDatabase } from './platform/db/database.ts';

/** `serve` (production), `migrate`, `business:add <file>`. */
async function main(): Promise<void> {
  const [command = 'serve', ...rest] = process.argv.slice(2);
  const read = readConfig(process.env);
  const problems = 'problems' in read ? read.problems : [];
  problems.push(...(await privilegesOf(process.env.DATABASE_URL)));
  if ('problems' in read || problems.length > 0) throw new StartError(problems);
  const { config, secrets } = read;
  if (command === 'migrate') {
    await migrate(secrets.migrationDatabaseUrl, new URL('./migrations', import.meta.url).pathname);
    return;
  }
  if (command === 'business:add') {
    const { addBusiness } = await import('./onboarding/add-business.ts');
    await addBusiness(rest[0], (instead) => startApp({ ...config, port: 0, logLevel: 'warn' }, secrets, instead));
    return;
  }
  const app = await startApp(config, secrets);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
}

/** A privileged role is among the problems of the one message, even where other settings are missing too. */
async function privilegesOf(url: string | undefined): Promise<string[]> {
  if (!url || !/^postgres(ql)?:\/\//.test(url)) return [];
  try {
    const database = await openDatabase(url, 1);
    try {
      return await database.privilegeProblems();
    } finally {
      await database.close();
    }
  } catch (error) {
    return [`DATABASE_URL: the database does not answer (${(error as NodeJS.ErrnoException).code ?? 'no connection'})`];
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
});
