import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { checkout, startWorld, type World } from '../world.ts';

/** The server as it is run in production, in a process of its own, and how that ends. */
let world: World;
let failing: Promise<Process>;
let dripping: { server: Server; url: string; asked: number };
beforeAll(async () => {
  // Ours tells nobody: the other process does.
  world = await startWorld({ instead: { intakeMs: 3_600_000 } });
  dripping = await listenDripping();
  failing = serve(
    `process.on('SIGUSR2', () => {
       void Promise.reject(new Error('biz_${'0'.repeat(32)}.AbCdEf'));
       setTimeout(() => { throw new Error('no whsec_c2VjcmV0 at postgres://someone:hidden@host/x, Bearer abc.def'); });
     })`,
  );
  failing.catch(() => {});
});
afterAll(async () => {
  dripping?.server.close();
  await world?.[Symbol.asyncDispose]();
});

async function listenDripping(): Promise<typeof dripping> {
  const server = createServer((socket: Socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        dripping.asked += 1;
        socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
        const timer = setInterval(() => socket.write('a'), 100);
        socket.on('close', () => clearInterval(timer));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
    asked: 0,
  };
}

type Process = {
  child: ChildProcess;
  url: string;
  output(): string;
  ended: Promise<number | null>;
};

/** `serve`, told everything by its environment; `before` is run in it first. */
async function serve(before = ''): Promise<Process> {
  const { config, secrets } = world.settingsOf();
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: secrets.databaseUrl,
    QUEUE_DATABASE_URL: secrets.queueDatabaseUrl,
    MIGRATION_DATABASE_URL: secrets.migrationDatabaseUrl,
    MUHURI_MASTER_KEY: secrets.masterKey.toString('base64'),
    MUHURI_PUBLIC_URL: 'http://127.0.0.1',
    PORT: '0',
    VSDC_NETWORKS: config.vsdcNetworks.join(','),
    HOOK_NETWORKS: config.hookNetworks.join(','),
    ZOHO_HOSTS_ALSO: config.zohoHostsAlso.join(','),
  };
  const file = join(mkdtempSync(join(tmpdir(), 'before-')), 'before.mjs');
  writeFileSync(file, before);
  const flags = ['--import', file];
  const child = spawn(process.execPath, [...flags, 'server/src/main.ts', 'serve'], {
    cwd: checkout,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (part: Buffer) => {
      text += String(part);
    });
  const ended = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => resolve(code)),
  );
  const port = () => /"port":(\d+)[^\n]*Muhuri is up/.exec(text)?.[1];
  await until(port, (found) => found !== undefined, 30_000);
  return { child, url: `http://127.0.0.1:${port()}`, output: () => text, ended };
}

test('a subscriber that drips its answer does not keep the process from ending in order', async () => {
  const server = await serve();
  const admin = await Api.signIn(world, world.businesses[0].admin, server.url);
  expect(
    (await admin.post('/subscribers', { url: dripping.url, events: ['receipt.opened'] })).status,
  ).toBe(200);
  const document = world.zoho
    .documents()
    .find((each) => each.organization_id === world.businesses[0].organizationId && each.canSeal);
  expect((await admin.seal('invoices', document?.id ?? '')).body.state).toBe('signed');
  // Usually within a second; where another of the servers on this database has chained the trail
  // first, at the sweep of a minute.
  await expect.poll(() => dripping.asked, { timeout: 90_000 }).toBe(1);
  const began = performance.now();
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe(0);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(server.output()).not.toMatch(/closing goes on without waiting/);
}, 120_000);

test('errors that nothing caught are logged without their secrets, and the process ends its work and then itself', async () => {
  const server = await failing;
  server.child.kill('SIGUSR2');
  expect(await server.ended).toBe(1);
  const said = server
    .output()
    .split('\n')
    .filter((line) => line.includes('an error nobody caught: the process ends'));
  expect(said).toHaveLength(2);
  expect(said.join()).toMatch(/\[secret\]/);
  expect(server.output()).not.toMatch(/c2VjcmV0|hidden|abc\.def|AbCdEf/);
});
