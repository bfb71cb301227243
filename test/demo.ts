import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { logTo } from '@muhuri/server/platform/log';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, cloneDatabase, makeTemplate, startWorld } from './world.ts';

/**
 * `npm start`: the whole world on this machine, with invented businesses. `--empty` starts without
 * data: no business, a database of its own. A second start beside a running one gets a world of its
 * own too, forgotten at its end: two simulated devices that kept their counters in one file would
 * forget each other's receipts.
 */
const dataDir = join(checkout, '.data');
const isEmpty = process.argv.includes('--empty');

if (!existsSync(join(checkout, 'app/main.js')))
  spawnSync(process.execPath, ['widget/build.ts'], { cwd: checkout, stdio: 'inherit' });
mkdirSync(dataDir, { recursive: true });

const mark = join(dataDir, 'demo.pid');
const isSecond = !isEmpty && existsSync(mark) && isRunning(Number(readFileSync(mark, 'utf8')));
const isKept = !isEmpty && !isSecond;
if (isKept) writeFileSync(mark, String(process.pid));

const own = process.env.DATABASE_URL
  ? {
      app: process.env.DATABASE_URL,
      queue: process.env.QUEUE_DATABASE_URL ?? process.env.DATABASE_URL,
      owner: process.env.MIGRATION_DATABASE_URL ?? process.env.DATABASE_URL,
    }
  : null;
const postgres = own ? null : await startEmbeddedPostgres(checkout, dataDir);
if (!isKept && postgres) await makeTemplate(postgres);
const fleeting = !isKept && postgres ? await cloneDatabase(postgres) : null;
const world = await startWorld({
  ...(postgres ? { postgres } : {}),
  withoutBusinesses: isEmpty,
  // Zoho allows a hundred a minute; whoever tries this world out is quicker than a bookkeeper.
  callsPerMinute: 600,
  urls: fleeting?.urls ?? own ?? (postgres as NonNullable<typeof postgres>).urls,
  ports: { server: 8710, zoho: 8711, vsdc: 8712, widget: 8713, mail: 8714 },
  stateDir: isKept ? join(dataDir, 'sim') : null,
  withWidget: true,
  instead: {
    log: logTo('warn'),
    governor: { perMinute: 480, zohoPerMinute: 600 },
    keepUpMs: 15_000,
  },
  onTaken: (what, port) => console.log(`Port ${port} is taken; ${what} uses another one.`),
});

// As real ones are: blanks around texts, counters as texts.
world.vsdc.set({ pad_mrc: true, padding: true, counters_as_strings: true });

const operatorLink = await world.app.firstOperatorLink();
const zohoUrl = world.zoho.url.replace('127.0.0.1', 'localhost');
const accounts = world.businesses
  .flatMap((business) => [business.admin])
  .concat(world.businesses.map((business) => business.user));
const order = { invoices: 0, creditnotes: 1 };
const documents = world.zoho
  .documents()
  .sort((a, b) => order[a.module] - order[b.module])
  .map((each) => ({
    business_id: world.businesses.find(
      (business) => business.organizationId === each.organization_id,
    )?.businessId,
    module: each.module,
    document_id: each.id,
    document_number: each.number,
    what: each.what,
  }));
const described = isSecond ? `demo-${process.pid}.json` : 'demo.json';
writeFileSync(
  join(dataDir, described),
  `${JSON.stringify({ server_url: world.app.url, zoho_url: zohoUrl, vsdc_url: world.vsdc.url, mail_url: world.mail.url, accounts, documents }, null, 2)}\n`,
);

console.log(`
  Muhuri is up${isEmpty ? ', without data' : ', with two invented businesses'}.

  Open      ${zohoUrl}          what looks like Zoho Books: open an invoice, then the seal at the right edge
  Server    ${world.app.url}          API at /api, settings at /settings, console at /console
  VSDC      ${world.vsdc.url}          everything it ever signed at /_sim/receipts
  Mail      ${world.mail.url}          what Muhuri mails, to read
  Operator  ${operatorLink ?? 'has an account already'}

  Sign in   ${accounts.map((each) => `${each.username.padEnd(16)} ${each.password.padEnd(18)} ${each.role}`).join('\n            ')}

  Ctrl-C ends it${isKept ? '' : ' and forgets what was done here'}. The same is written to .data/${described}.
`);

let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isEnding) return;
    isEnding = true;
    void world[Symbol.asyncDispose]()
      .then(() => fleeting?.drop())
      .then(() => postgres?.stop())
      .then(() => {
        if (isKept) rmSync(mark, { force: true });
        if (isSecond) rmSync(join(dataDir, described), { force: true });
        process.exit(0);
      });
  });
}

/**
 * A process of that number lives; where numbers come again, the worst is a world that is forgotten.
 */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
