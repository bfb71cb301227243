import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyCredentials } from '@muhuri/server/access/sign-in';
import { openDatabase } from '@muhuri/server/platform/db/database';
import { idsFrom } from '@muhuri/server/platform/new-id';
import { Api, enrol, until } from '../api.ts';
import { findPooler } from '../e2e/chromium.ts';
import { freePort } from '../free-port.ts';
import { startServer } from '../start-server.ts';
import { masterKey, startWorld, type World } from '../world.ts';

let world: World;
const lines: string[] = [];
const keep = (fields: object, message: string) =>
  void lines.push(JSON.stringify({ ...fields, message }));
beforeAll(async () => {
  world = await startWorld({
    instead: { log: { info: keep, warn: keep, error: keep }, sweepMs: 500 },
  });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const nextKey = createHash('sha256').update('the next master key of invented data').digest();
/** Whatever the test on rotation has or has not done before: each test stands alone. */
const eitherKey = { masterKey: nextKey, previousMasterKey: masterKey };
const isWhole = (file: string) => {
  try {
    JSON.parse(readFileSync(file, 'utf8'));
    return true;
  } catch {
    return false;
  }
};
const adminUrl = () =>
  world.postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1));
const sealable = (index: 0 | 1) =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === world.businesses[index].organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    );

describe('a miss', () => {
  test('that was noted before a restart is still looked into', async () => {
    const [first, second] = world.businesses;
    const asked = (await world.sql('select id from branch limit 1', [], second.businessId))[0]
      ?.id as string;
    await world.sql(
      "insert into denied_lookup (business_id, id, at, actor_type, actor_id, route, asked) values ($1, 'mis_before', now(), 'person', 'per_before', 'GET /x', $2)",
      [first.businessId, asked],
      first.businessId,
    );
    const next = await world.anotherApp();
    await next.settle();
    expect(await world.sql('select 1 from denied_lookup', [], first.businessId)).toEqual([]);
    expect(
      await world.sql(
        "select 1 from audit where action = 'wall.attempt' and subject = 'per_before'",
        [],
        first.businessId,
      ),
    ).toHaveLength(1);
  });
});

describe('keys', () => {
  test('are rotated while work goes on: nothing fails, everything opens under the new key and nothing under the old alone', async () => {
    const both = await world.anotherApp(
      {},
      { secrets: { masterKey: nextKey, previousMasterKey: masterKey } },
    );
    const api = await Api.signIn(world, world.businesses[0].user, both.url);
    const documents = sealable(0).slice(0, 8);
    const sealing = Promise.all(documents.map((each) => api.seal('invoices', each.id)));
    const client = new pg.Client({ connectionString: adminUrl() });
    await client.connect();
    const keysNow = async () =>
      (
        await client.query(
          'select data_key from business union all select data_key from reference."grant" order by 1',
        )
      ).rows.map((row: { data_key: string }) => row.data_key);
    const old = await keysNow();
    expect(await both.rotateKeys()).toBe(4);
    await world.sql('update device set address = address', [], world.businesses[0].businessId);
    for (const reply of await sealing) expect(reply.body.state).toBe('signed');
    expect((await keysNow()).some((key) => old.includes(key))).toBe(false);
    // The grant's token is renewed by whoever holds only the new key.
    await client.query('update reference."grant" set access_token = null');
    const after = await world.anotherApp(
      {},
      { secrets: { masterKey: nextKey, previousMasterKey: null } },
    );
    const fresh = await Api.signIn(world, world.businesses[0].user, after.url);
    expect((await fresh.seal('invoices', sealable(0)[9]?.id ?? '')).body.state).toBe('signed');
    await client.query('update reference."grant" set access_token = null');
    const stale = await world.anotherApp({}, { secrets: { masterKey, previousMasterKey: null } });
    const refused = await (await Api.signIn(world, world.businesses[1].user, stale.url)).seal(
      'invoices',
      sealable(1)[0]?.id ?? '',
    );
    expect(refused.status).toBeGreaterThanOrEqual(500);
    await both.rotateKeys();
    await client.end();
  });
});

describe('secrets', () => {
  test('planted in every place that holds one are found neither in the database, nor in a log, nor in memory once they were used', async () => {
    const app = await world.anotherApp({}, { secrets: eitherKey });
    const api = await Api.signIn(world, world.businesses[1].admin, app.url);
    const grant = world.zoho.grants()[1];
    const totp = await enrol(api, world.businesses[1].admin.password);
    const key = String(
      (await api.post('/api-keys', { name: 'planted', scopes: ['read'] })).body.key,
    );
    const planted = [
      grant?.clientSecret ?? '',
      grant?.refreshToken ?? '',
      ...world.vsdc.keysOf(world.businesses[1].taxpayerId, '00'),
      totp,
      key.split('.')[2] ?? '',
      world.businesses[1].admin.password,
      api.token.split('.')[1] ?? '',
    ];
    expect(planted.every((secret) => secret.length > 10)).toBe(true);
    await api.seal('invoices', sealable(1)[0]?.id ?? '');
    await api.get('/trail.csv');
    const dump = new pg.Client({ connectionString: adminUrl() });
    await dump.connect();
    const tables = (
      await dump.query(
        "select schemaname, tablename from pg_tables where schemaname in ('public', 'reference', 'pgboss')",
      )
    ).rows as {
      schemaname: string;
      tablename: string;
    }[];
    let text = '';
    for (const { schemaname, tablename } of tables)
      text += JSON.stringify(
        (await dump.query(`select t::text from ${schemaname}."${tablename}" t`)).rows,
      );
    await dump.end();
    const exported = (await api.file('/trail.csv')).bytes.toString('utf8');
    for (const [index, secret] of planted.entries()) {
      expect(text.includes(secret), `database, secret ${index}`).toBe(false);
      expect(lines.join('\n').includes(secret), `log, secret ${index}`).toBe(false);
      expect(exported.includes(secret), `export, secret ${index}`).toBe(false);
    }
  });

  test('are not in the memory of a server process once its work is done and its garbage collected', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muhuri-heap-'));
    const grant = world.zoho.grants()[0];
    const flags = [
      '--heapsnapshot-signal=SIGUSR2',
      `--diagnostic-dir=${folder}`,
      '--disable-warning=ExperimentalWarning',
    ];
    const { child, url } = await startServer(world, { told: { secrets: eitherKey }, flags });
    const { config } = world.settingsOf();
    try {
      // A token is renewed, so that client secret and refresh token pass through memory; a person
      // signs in and seals.
      const client = new pg.Client({ connectionString: adminUrl() });
      await client.connect();
      await client.query('update reference."grant" set access_token = null');
      await client.end();
      const api = await Api.signIn(world, world.businesses[0].user, url);
      expect((await api.seal('invoices', sealable(0)[11]?.id ?? '')).body.state).toBe('signed');
      const planted = [
        grant?.clientSecret ?? '',
        grant?.refreshToken ?? '',
        world.businesses[0].user.password,
        ...world.vsdc.keysOf(world.businesses[0].taxpayerId, '00'),
      ];
      const held = async () => {
        child.kill('SIGUSR2');
        const file = await until(
          () =>
            readdirSync(folder).find(
              (name) => name.endsWith('.heapsnapshot') && isWhole(join(folder, name)),
            ),
          (name) => name !== undefined,
        );
        const text = readFileSync(join(folder, file as string), 'utf8');
        rmSync(join(folder, file as string));
        // What is certainly held must be found, or looking proves nothing.
        expect(text.includes(config.mailFrom)).toBe(true);
        return planted
          .map((secret, index) => (text.includes(secret) ? index : -1))
          .filter((index) => index >= 0);
      };
      // Buffers of a connection go when it does; looked at until they have.
      await until(held, (found) => found.length === 0, 40_000);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  }, 90_000);
});

describe('through a transaction pooler', () => {
  const pgbouncer = findPooler();
  if (!pgbouncer) {
    // A pooler is somebody else's program: where the system has none to give, what stands here is
    // that it was looked for.
    test('cannot be tried: this system offers no PgBouncer', () => expect(findPooler()).toBeNull());
    return;
  }

  test('mixed work of two businesses shares connections and never sees a foreign row', async () => {
    const app = connectionParts(world.databaseUrls.app);
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'muhuri-pool-'));
    writeFileSync(join(folder, 'users.txt'), `"${app.user}" "${app.password}"\n`);
    writeFileSync(
      join(folder, 'pool.ini'),
      `[databases]\n${app.database} = host=${app.host} dbname=${app.database} user=${app.user} password=${app.password}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nauth_type = plain\nauth_file = ${join(folder, 'users.txt')}\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\nignore_startup_parameters = extra_float_digits,options\nunix_socket_dir =\n`,
    );
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    // It refuses to be root, and only PostgreSQL's own user may enter the folder of its socket.
    const owner = statSync(app.host);
    const daemon = spawn(pgbouncer, [join(folder, 'pool.ini')], {
      stdio: 'ignore',
      ...(process.getuid?.() === 0 ? { uid: owner.uid, gid: owner.gid } : {}),
    });
    try {
      const url = `postgresql://${app.user}:${app.password}@127.0.0.1:${port}/${app.database}`;
      await until(
        async () => {
          const client = new pg.Client({ connectionString: url });
          return client.connect().then(
            () => client.end().then(() => true),
            () => false,
          );
        },
        (isUp) => isUp,
      );
      const database = await openDatabase(url, 20, [], false);
      const own = world.businesses.map((each) => each.businessId);
      let rows = 0;
      let foreign = 0;
      const work = async (i: number) => {
        const businessId = own[i % 2] as string;
        const found = await database.transaction(businessId, async (tx) => {
          const first = (await tx.execute(
            'select business_id from receipt union all select business_id from device',
          )) as { business_id: string }[];
          if (i % 7 === 0) throw new Error('undone');
          await tx.execute('update device set lane_tries = lane_tries where business_id = ?', [
            businessId,
          ]);
          return [
            ...first,
            ...((await tx.execute('select business_id from audit limit 5')) as {
              business_id: string;
            }[]),
          ];
        });
        rows += found.length;
        foreign += found.filter((row) => row.business_id !== businessId).length;
      };
      for (let round = 0; round < 10; round++)
        await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            work(i).catch((error: Error) => expect(error.message).toBe('undone')),
          ),
        );
      expect(rows).toBeGreaterThan(1_000);
      expect(foreign).toBe(0);
      // A whole server works behind it too.
      const server = await world.anotherApp(
        {},
        { config: { preparesStatements: false }, secrets: { databaseUrl: url, ...eitherKey } },
      );
      const api = await Api.signIn(world, world.businesses[0].user, server.url);
      expect((await api.seal('invoices', sealable(0)[10]?.id ?? '')).body.state).toBe('signed');
      await server.close();
      await database.close();
    } finally {
      daemon.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a week of sign-ins', () => {
  test('200 people who mistype now and then and 50 addresses that guess at 20 of them: no innocent is locked out, and no guesser gets far', async () => {
    const clock = { at: Date.parse('2026-11-16T06:00:00Z'), now: () => new Date(clock.at) };
    const database = await openDatabase(world.databaseUrls.app, 8);
    // Cheap costs travel with a hash, so that a week passes in seconds; the sums are the same.
    const { argon2Sync } = await import('node:crypto');
    const cheap = (password: string) => {
      const nonce = randomBytes(16);
      return [
        'argon2id',
        8,
        1,
        nonce.toString('base64url'),
        argon2Sync('argon2id', {
          message: Buffer.from(password),
          nonce,
          memory: 8,
          passes: 1,
          parallelism: 1,
          tagLength: 32,
        }).toString('base64url'),
      ].join('$');
    };
    const people = Array.from({ length: 200 }, (_, i) => ({
      username: `week${i}`,
      password: `right ${i} password`,
      address: `10.9.${i % 40}.1`,
    }));
    await database.platform(async (tx) => {
      for (const [i, each] of people.entries())
        await tx.execute(
          "insert into reference.person (id, username, email, name, password_hash, status, is_operator, created_at) values (?, ?, ?, ?, ?, 'active', false, ?)",
          [
            `per_week${String(i).padStart(28, '0')}`,
            each.username,
            `w${i}@week.example`,
            'W',
            cheap(each.password),
            clock.now(),
          ],
        );
    });
    const who = verifyCredentials({ database, clock, newId: idsFrom(clock) });
    const tried = { right: 0, lockedOut: 0, guessed: 0, stopped: 0 };
    const sign = async (username: string, password: string, address: string): Promise<string> =>
      who(username, password, { address, userAgent: null }).then(
        () => 'in',
        (error: { code: string }) => error.code,
      );
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let day = 0; day < 5; day++) {
      for (let slot = 0; slot < 8; slot++) {
        clock.at = Date.parse('2026-11-16T06:00:00Z') + day * 86_400_000 + slot * 3_600_000;
        const morning = people.filter((_, i) => i % 8 === slot);
        for (const each of morning) {
          while (random() < 0.05)
            expect(['wrong_password']).toContain(
              await sign(each.username, `${each.password}x`, each.address),
            );
          const result = await sign(each.username, each.password, each.address);
          if (result === 'in') tried.right += 1;
          else tried.lockedOut += 1;
          clock.at += 15_000;
        }
        for (let guesser = slot; guesser < 50; guesser += 8)
          for (let i = 0; i < 30; i++) {
            const result = await sign(
              `week${i % 20}`,
              `guess ${day} ${slot} ${i}`,
              `203.0.113.${guesser}`,
            );
            if (result === 'too_many_attempts') tried.stopped += 1;
            else tried.guessed += 1;
          }
      }
    }
    await database.close();
    expect(tried).toMatchObject({ right: 1_000, lockedOut: 0 });
    expect(tried.stopped).toBeGreaterThan(0);
    console.info(
      `a week: ${tried.right} sign-ins, ${tried.lockedOut} innocents locked out, ${tried.guessed} guesses looked at, ${tried.stopped} stopped`,
    );
  }, 120_000);
});

function connectionParts(url: string): {
  user: string;
  password: string;
  database: string;
  host: string;
} {
  const parsed = new URL(url);
  return {
    user: parsed.username,
    password: decodeURIComponent(parsed.password),
    database: parsed.pathname.slice(1),
    host: parsed.searchParams.get('host') ?? parsed.hostname,
  };
}
