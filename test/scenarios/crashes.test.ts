import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { migrate } from '@muhuri/server/platform/db/database';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startServer } from '../start-server.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { checkout, cloneDatabase, startWorld, type World } from '../world.ts';

const quick = {
  vsdc: { answerTimeoutMs: 2_000, lateTimeoutMs: 2_000 },
  timing: {
    retryFirstMs: 150,
    retryMaxMs: 400,
    settleQuietMs: 250,
    settleMaxMs: 500,
    doubtWaitMs: 500,
    leaseMs: 2_500,
  },
  sweepMs: 200,
  waitMs: 4_000,
};

let world: World;
let api: Api;
const children: ChildProcess[] = [];
beforeAll(async () => {
  world = await startWorld({ instead: quick });
  api = await Api.signIn(world, world.businesses[0].user);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await world?.[Symbol.asyncDispose]();
});

const sealable = () =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === world.businesses[0].organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    );
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
async function startProcess(of: World): Promise<{ child: ChildProcess; url: string }> {
  const started = await startServer(of);
  children.push(started.child);
  return started;
}

describe('a server that dies', () => {
  test.each(['stall:30000', 'drop_before_signing'])(
    'in the middle of a sale (%s) leaves a doubt that another server settles as one receipt',
    async (fault) => {
      // The servers of this world work no lane, so that the sale is in the hands of the process
      // that is killed.
      await using own = await startWorld({ instead: { ...quick, lanesMax: 0 } });
      const [business] = own.businesses;
      const mine = await Api.signIn(own, business.user);
      const document = own.zoho
        .documents()
        .find((each) => each.organization_id === business.organizationId && each.canSeal);
      const held = () =>
        own.vsdc.receipts().filter((each) => each.request.remark === document?.number);
      const { child, url } = await startProcess(own);
      own.vsdc.faults([fault]);
      const other = await Api.signIn(own, business.user, url);
      const sending = other.seal('invoices', document?.id ?? '').catch(() => null);
      await until(
        () => own.sql('select 1 from attempt', [], business.businessId),
        (rows) => rows.length === 1,
      );
      if (fault.startsWith('stall'))
        await until(
          () => held().length,
          (count) => count === 1,
        );
      child.kill('SIGKILL');
      await sending;
      await own.anotherApp({ ...quick, lanesMax: 8 });
      const settled = await until(
        async () =>
          (await mine.get(`/receipts?module=invoices&document_id=${document?.id}`)).body
            .receipts?.[0],
        (each) => each?.state === 'signed' || each?.problem?.code === 'signed_answer_lost',
        30_000,
      );
      expect(held()).toHaveLength(1);
      expect(settled.state).toBe(fault.startsWith('stall') ? 'in_doubt' : 'signed');
      expect(String(held()[0]?.request.invcNo)).toBe(settled.invoice_number);
    },
    90_000,
  );

  test('two servers on one database, faults and many clicks at once: one receipt per document, every number used once', async () => {
    const other = await world.anotherApp(quick);
    const apis = [api, await Api.signIn(world, world.businesses[0].user, other.url)];
    world.vsdc.faults([
      'drop_before_signing',
      'none',
      'refuse:894',
      'none',
      'offline',
      'none',
      'none',
      'drop_before_signing',
    ]);
    const documents = sealable();
    await Promise.all(
      documents.flatMap((document) =>
        apis.flatMap((each) => [
          each.seal('invoices', document.id),
          each.seal('invoices', document.id),
        ]),
      ),
    );
    for (const document of documents) {
      const state = await until(
        async () =>
          (await api.get(`/receipts?module=invoices&document_id=${document.id}`)).body.receipts[0],
        (each) => each.state === 'signed',
        40_000,
      );
      expect(state.state).toBe('signed');
      expect(judged(document.number)).toHaveLength(1);
    }
    const numbers = world.vsdc
      .receipts()
      .map(
        (each) =>
          `${String(each.request.tin)}/${String(each.request.bhfId)}/${String(each.request.invcNo)}`,
      );
    expect(new Set(numbers).size).toBe(numbers.length);
  }, 90_000);

  test('what the column says of a receipt’s state is what its facts say', async () => {
    const all = await statesAndFacts(world);
    expect(all.length).toBeGreaterThan(10);
    expect(disagreeing(all)).toEqual([]);
  });
});

describe('production', () => {
  const main = (args: string[], environment: Record<string, string>) =>
    spawnSync(process.execPath, ['server/src/main.ts', ...args], {
      cwd: checkout,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', ...environment },
    });

  test('refuses to start with one message that lists every problem, a privileged role among them', async () => {
    const clone = await cloneDatabase(world.postgres);
    const refused = main(['serve'], {
      DATABASE_URL: clone.urls.admin,
      MUHURI_PUBLIC_URL: 'nonsense',
    });
    expect(refused.status).toBe(1);
    for (const part of [
      'QUEUE_DATABASE_URL',
      'MIGRATION_DATABASE_URL',
      'MUHURI_MASTER_KEY',
      'MUHURI_PUBLIC_URL',
      'superuser',
    ])
      expect(refused.stderr).toContain(part);
    await clone.drop();
  });

  test('a business from a file signs in and has its device initialised; a second one with its TIN is refused', async () => {
    const clone = await cloneDatabase(world.postgres);
    const folder = mkdtempSync(join(tmpdir(), 'muhuri-'));
    const file = join(folder, 'business.json');
    const business = JSON.parse(
      readFileSync(join(checkout, 'server/business.example.json'), 'utf8'),
    );
    business.business.tin_number = world.businesses[0].taxpayerId;
    business.branches[0].device.address = world.vsdc.url;
    business.account.password = 'a long password of a test';
    writeFileSync(file, JSON.stringify(business));
    const environment = {
      DATABASE_URL: clone.urls.app,
      QUEUE_DATABASE_URL: clone.urls.queue,
      MIGRATION_DATABASE_URL: clone.urls.owner,
      MUHURI_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
      MUHURI_PUBLIC_URL: 'https://muhuri.example',
      VSDC_NETWORKS: '127.0.0.0/8',
      LOG_LEVEL: 'silent',
    };
    const added = main(['business:add', file], environment);
    expect(added.stderr).toBe('');
    expect(added.stdout).toContain('Registered');
    expect(main(['business:add', file], environment).status).toBe(1);
    const served = spawn(process.execPath, ['server/src/main.ts', 'serve'], {
      cwd: checkout,
      env: { PATH: process.env.PATH ?? '', ...environment, LOG_LEVEL: 'info', PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(served);
    const port = await new Promise<string>((resolve) => {
      served.stdout?.on('data', (text: Buffer) => {
        const found = /"port":(\d+)/.exec(text.toString())?.[1];
        if (found) resolve(found);
      });
    });
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'up' });
    const login = await new Api(url).post('/auth/login', {
      username: business.account.username,
      password: 'a long password of a test',
    });
    expect(login.body.business).toMatchObject({ role: 'business_admin' });
    const ended = new Promise((resolve) => served.once('exit', resolve));
    served.kill('SIGTERM');
    expect(await ended).toBe(0);
    rmSync(folder, { recursive: true });
    await clone.drop();
  }, 60_000);
});

describe('the database', () => {
  test('goes down and up again by its migrations', async () => {
    const clone = await cloneDatabase(world.postgres);
    const directory = join(checkout, 'server/src/migrations');
    const all = readdirSync(directory).filter((name) => /^\d/.test(name)).length;
    expect(await migrate(clone.urls.owner, directory, { down: true })).toHaveLength(all);
    expect(await migrate(clone.urls.owner, directory)).toHaveLength(all);
    await clone.drop();
  });

  test('of our own starts in a folder only its owner may enter, is shared by two starts, survives a hard kill, and is stopped by the last', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muhuri-own-'));
    const data = join(folder, '.data');
    const [first, second] = await Promise.all([
      startEmbeddedPostgres(folder, data),
      startEmbeddedPostgres(folder, data),
    ]);
    expect(first.pid).toBe(second.pid);
    await first.stop();
    const kept = JSON.parse(readFileSync(join(data, 'postgres.json'), 'utf8')) as {
      directory: string;
    };
    expect(existsSync(join(kept.directory, 'data/postmaster.pid'))).toBe(true);
    // A process that used it and was killed hard leaves its mark; the next start finds PostgreSQL
    // running and uses it.
    writeFileSync(join(data, 'postgres-users', '999999-dead'), '0');
    const third = await startEmbeddedPostgres(folder, data);
    expect(third.pid).toBe(first.pid);
    process.kill(third.pid, 'SIGKILL');
    await until(
      () => alive(third.pid),
      (is) => !is,
    );
    const fourth = await startEmbeddedPostgres(folder, data);
    expect(fourth.pid).not.toBe(third.pid);
    for (const each of [second, third, fourth]) await each.stop();
    expect(alive(fourth.pid)).toBe(false);
    rmSync(kept.directory, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
});

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
