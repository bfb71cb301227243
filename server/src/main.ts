import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type App, startApp, StartError, version } from './app.ts';
import { checkHead, headsIn } from './audit/index.ts';
import { readConfig, type Secrets } from './config.ts';
import { lastResort } from './platform/last-resort.ts';
import { logTo } from './platform/log.ts';
import { evidenceSignerFrom } from './platform/evidence-signer.ts';
import { migrate, openDatabase } from './platform/db/database.ts';

/**
 * `serve` (production), `migrate`, `business:add <file>`, `trail:verify [business id] [--heads
 * <log>]`, `keys:rotate`, `operator:invite <e-mail>`, `evidence:key`, and `evidence:verify <pack>
 * [papers] --key <fingerprint>`, which needs nothing.
 */
async function main(): Promise<void> {
  const [command = 'serve', ...rest] = process.argv.slice(2);
  // Needs no settings and no database: whoever was handed a pack can check it.
  if (command === 'evidence:verify') {
    if (!(await verifyPack(rest))) process.exitCode = 1;
    return;
  }
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
    const { loadDialects } = await import('./dialects/index.ts');
    await addBusiness(rest[0], await loadDialects(), (instead) =>
      startApp({ ...config, port: 0, logLevel: 'warn' }, secrets, instead),
    );
    return;
  }
  if (command === 'trail:verify') {
    const app = await startApp({ ...config, port: 0, logLevel: 'warn' }, secrets);
    try {
      if (!(await verifyTrails(app, rest, secrets))) process.exitCode = 1;
    } finally {
      await app.close();
    }
    return;
  }
  if (command === 'keys:rotate') {
    const app = await startApp({ ...config, port: 0, logLevel: 'warn' }, secrets, {
      sweepMs: 3_600_000,
    });
    try {
      console.info(
        `${await app.rotateKeys()} keys moved to the present master key. MUHURI_MASTER_KEY_PREVIOUS may go once every process has restarted.`,
      );
    } finally {
      await app.close();
    }
    return;
  }
  if (command === 'operator:invite') {
    const [email = ''] = rest;
    if (!/^\S+@\S+$/.test(email))
      throw new Error(
        'Name the e-mail address of the new operator: pnpm operator:invite somebody@example.com',
      );
    const app = await startApp({ ...config, port: 0, logLevel: 'warn' }, secrets, {
      sweepMs: 3_600_000,
    });
    try {
      // On the console and not by mail: whoever may run this holds the server.
      console.info(`Within 24 hours, once:\n  ${await app.operatorLink(email.toLowerCase())}`);
    } finally {
      await app.close();
    }
    return;
  }
  if (command === 'evidence:key') {
    console.info(evidenceSignerFrom(secrets.masterKey).fingerprint);
    return;
  }
  const log = logTo(config.logLevel);
  const resort = lastResort(log);
  const app = await startApp(config, secrets, { log });
  resort.closing(app.close);
  const link = await app.firstOperatorLink();
  // On the console and not in the log: whoever holds it becomes the operator.
  if (link) console.info(`There is no operator yet. Within 24 hours, once:\n  ${link}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void resort.end(0));
}

/**
 * Recomputes the chains: one line per business, and false where one does not hold. With a file of
 * log lines, each head that was said there is compared with what stands now; `--key` names a key of
 * before the last rotation.
 */
async function verifyTrails(
  app: App,
  given: string[],
  secrets: Pick<Secrets, 'masterKey' | 'previousMasterKey'>,
): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: { heads: { type: 'string' }, key: { type: 'string', multiple: true } },
  });
  const own = [
    secrets.masterKey,
    ...(secrets.previousMasterKey ? [secrets.previousMasterKey] : []),
  ].map((key) => evidenceSignerFrom(key).fingerprint);
  const heads = values.heads ? headsIn(readFileSync(values.heads, 'utf8')) : [];
  let isWhole = true;
  for (const businessId of positionals[0] ? [positionals[0]] : await app.businessIds()) {
    const ctx = app.contextOf(businessId);
    const { sealed, unsealed, brokenAt } = await app.verifyAuditLog(ctx);
    const said = heads.filter((head) => head.business_id === businessId);
    const unfit = (
      await Promise.all(said.map((head) => checkHead(ctx, head, [...own, ...(values.key ?? [])])))
    ).filter((each) => each !== null);
    if (brokenAt || unfit.length > 0) isWhole = false;
    const tail = unsealed.length > 0 ? `, not sealed yet: ${unsealed.join(' ')}` : '';
    const outside = values.heads
      ? `, ${said.length - unfit.length} of ${said.length} heads fit`
      : '';
    console.info(
      `${businessId}: ${sealed} sealed, ${brokenAt ? `BROKEN at ${brokenAt}` : 'whole'}${outside}${tail}`,
    );
    for (const each of unfit) console.info(`  DOES NOT FIT: ${each}`);
  }
  return isWhole;
}

/**
 * Checks an evidence pack, and papers beside it: one line a check, and false where one does not
 * hold.
 */
async function verifyPack(given: string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: { key: { type: 'string', multiple: true }, 'any-key': { type: 'boolean' } },
  });
  const [file, ...papers] = positionals;
  if (!file) throw new Error('name the file of the pack');
  const { verifyEvidence } = await import('./receipts/index.ts');
  const { loadDialects } = await import('./dialects/index.ts');
  const checks = verifyEvidence(
    JSON.parse(readFileSync(file, 'utf8')),
    { dialects: await loadDialects(), version },
    {
      pdfs: papers.map((paper) => readFileSync(paper)),
      fingerprints: values.key ?? [],
      anyKey: values['any-key'] === true,
    },
  );
  for (const { what, holds, note } of checks)
    console.info(`${holds ? '✓' : '✗'} ${what}${note ? ` (${note})` : ''}`);
  return checks.every((each) => each.holds);
}

/**
 * A privileged role is among the problems of the one message, even where other settings are missing
 * too.
 */
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
    return [
      `DATABASE_URL: the database does not answer (${(error as NodeJS.ErrnoException).code ?? 'no connection'})`,
    ];
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
});
