import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { line, memoryOf, startAndWait } from './measure.ts';

/** Memory at rest and time to start, the very first start included, in a process of its own. */
export async function benchRest(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'muhuri-bench-'));
  const begun = performance.now();
  const postgres = await startEmbeddedPostgres(folder, join(folder, '.data'));
  const database = performance.now() - begun;
  const environment = {
    DATABASE_URL: postgres.urls.app,
    QUEUE_DATABASE_URL: postgres.urls.queue,
    MIGRATION_DATABASE_URL: postgres.urls.owner,
    MUHURI_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    MUHURI_PUBLIC_URL: 'https://muhuri.example',
    LOG_LEVEL: 'info',
    PORT: '0',
  };
  const serve = ['--max-semi-space-size=2', 'server/src/main.ts', 'serve'];
  const stop = (child: {
    once(event: 'exit', run: () => void): unknown;
    kill(signal: 'SIGTERM'): boolean;
  }) =>
    new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGTERM');
    });
  const first = await startAndWait(serve, /"port":(\d+)/, environment);
  line(
    'start, the very first (database made, migrated, served)',
    `${((database + first.ms) / 1000).toFixed(2)} s`,
    'aim < 2 s',
  );
  await stop(first.child);
  const second = await startAndWait(serve, /"port":(\d+)/, environment);
  line('start, later', `${(second.ms / 1000).toFixed(2)} s`, 'aim < 2 s');
  // At rest: after start-up's own garbage has had time to go.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  const bare = await startAndWait(
    [
      '-e',
      `const pg = require(${JSON.stringify(new URL('../node_modules/pg', import.meta.url).pathname)}); const p = new pg.Pool({connectionString: process.env.DATABASE_URL}); p.query('select 1').catch(()=>{}).then(()=>console.log('up x')); setInterval(()=>{}, 1000);`,
    ],
    /(up)/,
    environment,
  );
  const own = memoryOf(second.child.pid as number);
  const plain = memoryOf(bare.child.pid as number);
  line('memory at rest, server (PSS)', `${own.toFixed(0)} MB`, 'aim < 130 MB');
  line('  bare node with pg', `${plain.toFixed(0)} MB (ratio ${(own / plain).toFixed(2)})`);
  line(
    'memory at rest, its PostgreSQL (PSS)',
    `${memoryOf(postgres.pid).toFixed(0)} MB`,
    'aim < 60 MB',
  );
  bare.child.kill();
  await stop(second.child);
  await postgres.stop();
  const kept = JSON.parse(readFileSync(join(folder, '.data/postgres.json'), 'utf8')) as {
    directory: string;
  };
  rmSync(kept.directory, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
